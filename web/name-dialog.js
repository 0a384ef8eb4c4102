/** Asks a newcomer for a name. */
import { el, setText } from "./dom.js";
import { keepsPeople } from "./identity.js";
import { say as sayOfHouse } from "./phrases/house.js";
import { say } from "./phrases/page.js";

/** More than the house takes, which counts characters as people do and says so. */
const NAME_UNITS_MAX = 160;

/**
 * Asks until a name is accepted.
 * @param {Identity} identity
 * @param {object} as
 * @param {(name: string) => Promise<void>} as.enter takes the name
 * @param {() => string} as.title
 * @param {boolean} as.canCancel
 * @param {HTMLElement|null} as.languages to choose from
 * @param {(() => void)|null} as.signIn for who has an account, where the house keeps any
 * @returns {Promise<boolean>} whether there is a name; false only when it was cancelled
 */
export function askName(identity, { enter: become = (name) => identity.enter(name), title = say.welcome, canCancel = false, languages = null, signIn = null } = {}) {
  return new Promise((resolve) => {
    const done = (is) => {
      removeEventListener("storage", shared);
      dialog.close();
      dialog.remove();
      resolve(is);
    };
    // Another window has been given a name: that is ours too.
    const shared = () => !canCancel && identity.adopt() && done(true);
    addEventListener("storage", shared);
    const error = el("p", { class: "field-error", role: "alert" });
    const input = el("input", {
      type: "text",
      id: "name",
      name: "name",
      autocomplete: "nickname",
      maxlength: NAME_UNITS_MAX,
      required: true,
      value: canCancel ? "" : identity.proposedName,
      data: { testid: "name-input" },
    });
    const ok = el("button", { class: "button primary wide", type: "submit", text: say.enter, data: { testid: "name-ok" } });
    const enter = async (event) => {
      event.preventDefault();
      const name = input.value.trim();
      if (!name) return input.focus();
      ok.disabled = true;
      setText(error, "");
      try {
        await become(name);
        done(true);
      } catch (refused) {
        setText(error, refused.tell ?? sayOfHouse.receptionSilent);
        input.focus();
      } finally {
        ok.disabled = false;
      }
      return undefined;
    };
    const account = signIn ? el("button", { class: "language", type: "button", hidden: true, text: say.haveAccount, data: { testid: "have-account" }, on: { click: signIn } }) : null;
    if (account) keepsPeople().then((does) => (account.hidden = !does));
    const dialog = el(
      "dialog",
      { class: "dialog welcome", "aria-labelledby": "name-title", on: { cancel: (event) => (event.preventDefault(), canCancel && done(false)) } },
      el(
        "form",
        { on: { submit: enter } },
        el("h2", { id: "name-title", text: title }),
        el("p", { text: say.pickName }),
        el("label", { class: "label", for: "name", text: say.yourName }),
        input,
        error,
        ok,
        canCancel ? el("button", { class: "button wide", type: "button", text: say.cancel, on: { click: () => done(false) } }) : null,
        el("div", { class: "welcome-foot" }, account, languages),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
    input.select();
  });
}
