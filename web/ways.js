/** By whose word somebody signs in, beside a password: buttons to do it, to link it, and to take it away. */
import { el, setText } from "./dom.js";
import { moment } from "./format.js";
import { isolated } from "./names.js";
import { say } from "./phrases/account.js";
import { say as sayOfHouse } from "./phrases/house.js";
import { BACK_KEY, Keep } from "./storage.js";

/** Goes there; the page that comes after is where this one was. */
function go(url) {
  new Keep(() => sessionStorage).setItem(BACK_KEY, location.hash);
  location.assign(url);
}

/** Does what a button says, and tells what is wrong. */
function trying(error) {
  return async (what) => {
    setText(error, "");
    try {
      await what();
    } catch (refused) {
      setText(error, refused.tell ?? sayOfHouse.receptionSilent);
    }
  };
}

/** Buttons to sign in by others; nothing where the house asks nobody. */
export function signInByOthers({ api }) {
  const place = el("div", { class: "by-others" });
  const error = el("p", { class: "field-error", role: "alert", data: { testid: "by-others-error" } });
  const attempt = trying(error);
  const button = ({ name, label }) => {
    const click = () => attempt(async () => go(await api.addressOf(name)));
    return el("button", { class: "button wide", type: "button", text: () => say.signInBy(isolated(label)), data: { testid: `by-${name}` }, on: { click } });
  };
  attempt(async () => {
    const providers = await api.providers();
    if (providers.length > 0) place.replaceChildren(error, ...providers.map(button));
  });
  return place;
}

/** What is linked to the account, and what could be. */
export function waysList({ password, identities }, providers, { api, draw }) {
  const error = el("p", { class: "field-error", role: "alert", data: { testid: "ways-error" } });
  const attempt = trying(error);
  const secret = el("input", { type: "password", id: "ways-password", autocomplete: "current-password", maxlength: 256, "aria-describedby": "ways-help", data: { testid: "field-ways-password" } });
  const proof = () => ({ password: secret.value });
  const linked = new Set(identities.map(({ provider }) => provider));
  const row = ({ id, label, used_ms: used }) => {
    const click = () => attempt(async () => (await api.unlink(id, proof()), draw()));
    return el(
      "li",
      {},
      el("div", {}, el("b", { text: label }), el("small", {}, el("span", { text: () => say.lastUsed(moment(used)) }))),
      el("button", { class: "button", type: "button", text: say.unlink, data: { testid: "unlink" }, on: { click } }),
    );
  };
  const link = ({ name, label }) => {
    const click = () => attempt(async () => go(await api.addressOf(name, { link: true, ...proof() })));
    return el("button", { class: "button wide", type: "button", text: () => say.link(isolated(label)), data: { testid: `link-${name}` }, on: { click } });
  };
  return el(
    "div",
    {},
    el("p", { text: say.waysWhy }),
    password ? el("div", { class: "form-field" }, el("label", { class: "label", for: "ways-password", text: say.password }), secret, el("small", { id: "ways-help", class: "hint", text: say.waysHelp })) : null,
    el("ol", { class: "devices", data: { testid: "ways" } }, ...identities.map(row)),
    error,
    ...providers.filter(({ name }) => !linked.has(name)).map(link),
  );
}
