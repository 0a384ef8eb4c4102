/** Asks a newcomer for a name. */
import { el } from "./dom.js";

/** More than the house takes, which counts characters as people do and says so. */
const NAME_UNITS_MAX = 160;

/**
 * Asks until a name is accepted.
 * @param {Identity} identity
 * @returns {Promise<void>}
 */
export function askName(identity) {
  return new Promise((resolve) => {
    const error = el("p", { class: "field-error", role: "alert" });
    const input = el("input", {
      type: "text",
      id: "name",
      name: "name",
      autocomplete: "nickname",
      maxlength: NAME_UNITS_MAX,
      required: true,
      value: identity.proposedName,
      data: { testid: "name-input" },
    });
    const ok = el("button", { class: "button primary wide", type: "submit", text: "Enter the card room", data: { testid: "name-ok" } });
    const enter = async (event) => {
      event.preventDefault();
      const name = input.value.trim();
      if (!name) return input.focus();
      ok.disabled = true;
      error.textContent = "";
      try {
        await identity.enter(name);
        dialog.close();
        dialog.remove();
        resolve();
      } catch (refused) {
        error.textContent = refused.refused ? refused.message : "Reception does not answer. Try again in a moment.";
        input.focus();
      } finally {
        ok.disabled = false;
      }
      return undefined;
    };
    const dialog = el(
      "dialog",
      { class: "dialog welcome", "aria-labelledby": "name-title", on: { cancel: (event) => event.preventDefault() } },
      el(
        "form",
        { on: { submit: enter } },
        el("h2", { id: "name-title", text: "Welcome to Cardhouse" }),
        el("p", { text: "Play-money hold'em. Pick the name that other players will see." }),
        el("label", { class: "label", for: "name", text: "Your name" }),
        input,
        error,
        ok,
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
    input.select();
  });
}
