/** Signing in, and making an account. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { asking, field } from "./form.js";
import { say } from "./phrases/account.js";
import { say as sayOfPage } from "./phrases/page.js";
import { signInByOthers } from "./ways.js";

/**
 * @param {"in"|"up"} what is asked for first
 * @param {object} about
 * @param {AccountApi} about.api
 * @param {Identity} about.identity
 * @param {number} about.seats that the guest who plays here has
 * @returns {Promise<"another"|"same"|null>} whether somebody else plays here now, or the same with an account; null if it was cancelled
 */
export async function askSign(what, { api, identity, seats }) {
  let outcome = null;
  const { user = null, name = "" } = identity.guest ?? {};
  const done = () => {
    outcome = identity.user === user ? "same" : "another";
    dialog.close();
  };
  const signs = { in: async (values) => done(await api.signIn(values)), up: async (values) => done(await api.signUp(values)) };
  const dialog = el("dialog", { class: "dialog", "aria-labelledby": "sign-title", data: { testid: "sign" } });
  const byOthers = signInByOthers({ api });
  const show = (now) => {
    const other = now === "in" ? "up" : "in";
    const content = el(
      "div",
      {},
      el("h2", { id: "sign-title", text: say.sign[now] }),
      now === "up" && name ? el("p", { text: say.upWhy }) : null,
      now === "in" && seats > 0 ? el("p", { text: () => say.seatStays(seats) }) : null,
      asking(
        { submit: say.sign[now], testid: `sign-${now}`, send: signs[now] },
        field("handle", say.handle, { autocomplete: "username", autocapitalize: "none", spellcheck: "false", maxlength: 100, help: now === "up" ? say.handleHelp : null }),
        now === "up" ? field("nick", say.nick, { autocomplete: "nickname", maxlength: 160, value: name }) : null,
        passwordField("password", say.password, now === "up"),
      ),
      byOthers,
      el("button", { class: "button wide", type: "button", text: say.signOther[other], data: { testid: `sign-${other}-instead` }, on: { click: () => show(other) } }),
      el("button", { class: "button wide", type: "button", text: sayOfPage.cancel, data: { testid: "sign-cancel" }, on: { click: () => dialog.close() } }),
    );
    dialog.replaceChildren(content);
    dialog.querySelector("input").focus();
  };
  const closed = shown(dialog);
  show(what);
  await closed;
  return outcome;
}

/** A field for a password: one that there is, or a new one. */
export function passwordField(name, label, isNew) {
  const help = isNew ? say.passwordHelp : null;
  return field(name, label, { type: "password", autocomplete: isNew ? "new-password" : "current-password", maxlength: 256, minlength: isNew ? 8 : null, help });
}
