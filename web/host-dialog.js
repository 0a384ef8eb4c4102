/** The host's menu: who sits and knocks, pausing, settings, the door, closing. */
import { aiSection } from "./ai-players.js";
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { isolated } from "./names.js";
import { labelled, buttons, select, setCode, settingsFields } from "./open-dialog.js";
import { say } from "./phrases/hosted.js";
import { askSure } from "./sure-dialog.js";

const CLOSE = { ...say.closeTable, testid: "close-ok" };

/**
 * @param {object} of
 * @param {() => object} of.view the table as it is
 * @param {string} of.me
 * @param {string} of.room
 * @param {(what: object) => Promise<boolean>} of.ask
 * @param {Connection} of.connection
 * @param {DoorCodes} of.codes
 */
export async function showHostMenu({ view, me, room, ask, connection, codes }) {
  const close = () => dialog.close();
  const button = (text, testid, what, kind = "") => el("button", { class: `button ${kind}`, type: "button", text, data: { testid }, on: { click: what } });
  const does = (what) => async () => {
    if (await ask(typeof what === "function" ? what() : what)) close();
  };
  const then = (next) => async () => {
    close();
    await next();
  };
  const { hosted, seats } = view();
  const others = seats.filter((seat) => seat && seat.user !== me && !seat.bot);
  const player = ({ user, name }) => el(
    "li",
    {},
    el("bdi", { text: name }),
    button(say.kick, "kick", does({ a: "kick", user })),
    button(say.ban, "ban", does({ a: "kick", user, ban: true })),
    button(say.makeHost, "hand-over", does({ a: "hand_over", user })),
  );
  const knocking = ({ user, name }) => el(
    "li",
    {},
    el("span", { text: () => say.wantsIn(isolated(name)) }),
    button(say.letIn, "menu-approve", does({ a: "approve", user }), "primary"),
    button(say.deny, "menu-deny", does({ a: "deny", user })),
  );
  const sure = async () => {
    if (await askSure(CLOSE)) await ask({ a: "close" });
  };
  const dialog = el(
    "dialog",
    { class: "dialog hosted-dialog", "aria-labelledby": "host-title", data: { testid: "host-dialog" } },
    el("h2", { id: "host-title", text: say.hostTitle }),
    hosted.knocking.length > 0 ? el("ul", { class: "host-list" }, ...hosted.knocking.map(knocking)) : null,
    others.length > 0 ? el("ul", { class: "host-list" }, ...others.map(player)) : null,
    others.length > 0 || hosted.ai?.length > 0 ? null : el("p", { class: "hint", text: say.nobodyElse }),
    aiSection(view(), me, does),
    el(
      "div",
      { class: "host-does" },
      hosted.paused_ms === null ? button(say.pause, "pause", does({ a: "pause" })) : button(say.resume, "resume", does({ a: "resume" }), "primary"),
      button(say.settings, "host-settings", then(() => changeSettings(view().config, ask))),
      button(say.doorTitle, "host-door", then(() => changeDoor(hosted, { room, ask, connection, codes }))),
      button(say.close, "close-table", then(sure), "danger"),
    ),
    el("div", { class: "dialog-buttons" }, button(say.done, "host-done", close)),
  );
  await shown(dialog);
}

/** Another game, from the next hand on. */
async function changeSettings(config, ask) {
  const fields = settingsFields(config, { big_blind_max: Infinity });
  await askForm(say.settings, [fields.element, el("p", { class: "hint", text: say.settingsHelp })], () => ask({ a: "set", config: fields.config() }));
}

/** Who may come from now on. */
async function changeDoor({ access }, { room, ask, connection, codes }) {
  const field = select("access", Object.entries(say.access).map(([key, word]) => [key, word]), access);
  await askForm(say.doorTitle, [labelled(say.whoMayCome, field)], async () => {
    if (field.value !== "code") return ask({ a: "door", access: field.value });
    // Anew each time: so a link that has gone astray leads nowhere.
    await setCode(connection, room, codes);
    return true;
  });
}

async function askForm(title, content, send) {
  const ok = el("button", { class: "button primary", type: "submit", text: say.save, data: { testid: "form-ok" } });
  const submit = async (event) => {
    event.preventDefault();
    if (await send()) dialog.close();
  };
  const dialog = el("dialog", { class: "dialog hosted-dialog", "aria-labelledby": "form-title" }, el("form", { on: { submit } }, el("h2", { id: "form-title", text: title }), ...content, buttons(() => dialog.close(), ok)));
  await shown(dialog);
}
