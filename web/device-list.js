/** The devices on which somebody is signed in, each with a way to end it. */
import { el, setText } from "./dom.js";
import { moment } from "./format.js";
import { say } from "./phrases/account.js";
import { say as sayOfHouse } from "./phrases/house.js";

/** The first that a device names is what it is: most name others too, which they are like. */
const BROWSERS = [/Edg/, /OPR/, /Firefox/, /Chrome/, /Safari/];
const SYSTEMS = [/iPhone/, /iPad/, /Android/, /CrOS/, /Windows/, /Mac OS X/, /Linux/];

/** What a device calls itself, as far as people know the words; null for a program. */
export function deviceOf(agent) {
  const [browser, system] = [BROWSERS, SYSTEMS].map((names) => names.find((name) => name.test(agent))?.source);
  return browser && system ? { browser, system } : null;
}

/** @param {object} parts @param {AccountApi} parts.api */
export function deviceList({ api }) {
  const list = el("ol", { class: "devices", data: { testid: "devices" } });
  const error = el("p", { class: "field-error", role: "alert" });
  const others = el("button", { class: "button wide", type: "button", text: say.endOthers, hidden: true, data: { testid: "end-others" }, on: { click: () => change(() => api.endOthers()) } });
  const draw = async () => {
    const { sessions } = await api.devices();
    list.replaceChildren(...sessions.map((device) => row(device, () => change(() => api.end(device.id)))));
    others.hidden = sessions.length < 3;
  };
  const change = async (what) => {
    setText(error, "");
    try {
      await what();
      await draw();
    } catch (refused) {
      setText(error, refused.tell ?? sayOfHouse.receptionSilent);
    }
  };
  change(() => {});
  return el("div", {}, list, error, others);
}

function row({ agent, network, current, used_ms: used }, end) {
  const device = deviceOf(agent);
  const when = current ? say.thisDevice : () => say.lastUsed(moment(used));
  return el(
    "li",
    {},
    el("div", {}, el("b", { text: device ? () => say.device(device) : agent || say.program }), el("small", {}, el("span", { text: when }), " · ", el("span", { text: network }))),
    current ? null : el("button", { class: "button", type: "button", text: say.end, data: { testid: "device-end" }, on: { click: end } }),
  );
}
