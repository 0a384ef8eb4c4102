/** Somebody is back who went to sign in by somebody else's word: what came of it. */
import { showAccount } from "./account-dialog.js";
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { asking, field } from "./form.js";
import { isolated } from "./names.js";
import { say } from "./phrases/account.js";
import { say as sayOfPage } from "./phrases/page.js";

/**
 * @param {string} what of the way back: `in`, `new`, `linked`, or why not
 * @param {object} about as for signing in
 * @returns {Promise<"another"|"same"|"gone"|null>}
 */
export async function cameBack(what, about) {
  if (what === "linked") return showAccount(about);
  if (what === "in") {
    await about.api.cameBack();
    return "another";
  }
  if (what === "new") return askNick(about);
  await tell(what);
  return null;
}

/** What somebody is called who is new. */
async function askNick({ api }) {
  const { label, nick } = await api.arrived();
  let outcome = null;
  const send = async (values) => {
    await api.settle(values);
    outcome = "another";
    dialog.close();
  };
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "came-title", data: { testid: "came" } },
    el("h2", { id: "came-title", text: say.cameTitle }),
    el("p", { text: () => say.cameWhy(isolated(label)) }),
    asking({ submit: say.sign.up, testid: "came-ok", send }, field("nick", say.nick, { autocomplete: "nickname", maxlength: 160, value: nick })),
    el("button", { class: "button wide", type: "button", text: sayOfPage.cancel, data: { testid: "came-cancel" }, on: { click: () => dialog.close() } }),
  );
  await shown(dialog);
  return outcome;
}

async function tell(code) {
  const why = say.came[code] ?? say.refused[code] ?? (() => say.notProven(code));
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "came-title", data: { testid: "came-not" } },
    el("h2", { id: "came-title", text: say.notIn }),
    el("p", { text: () => why({}), data: { testid: "came-why" } }),
    el("button", { class: "button primary wide", type: "button", text: sayOfPage.close, data: { testid: "came-close" }, on: { click: () => dialog.close() } }),
  );
  await shown(dialog);
}
