/** Says what is gone when the house knows its guest no more: it was started anew, or the guest was away for too long. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { chips } from "./format.js";
import { isolated } from "./names.js";

/**
 * @param {object} loss
 * @param {boolean} loss.expired whether the guest's pass had run out
 * @param {string} loss.name of the new guest
 * @param {{table: string, chips: number|null}[]} loss.rooms that were followed; `chips` of the old guest's seat there, or null
 * @returns {{title: string, lines: string[]}}
 */
export function whatIsGone({ expired, name, rooms }) {
  const seats = rooms.filter((room) => room.chips !== null);
  const lines = [
    expired
      ? `You were away for longer than your pass lasts. You come in as a new guest, ${isolated(name)}.`
      : `It no longer knows who was here before, so you come in as a new guest, ${isolated(name)}.`,
    ...seats.map(({ table, chips: stack }) =>
      expired
        ? `Your seat at ${isolated(table)} with ${chips(stack)} belongs to the guest that you were.`
        : `Your seat at ${isolated(table)} is gone, and the ${chips(stack)} that you had there.`,
    ),
  ];
  if (!expired && rooms.length > 0) lines.push("Hands that were being played ended without a result. The hand log begins anew.");
  return { title: expired ? "Your pass has run out" : "The house has been started anew", lines };
}

/** @returns {Promise<void>} when it has been read */
export function tellGone(loss) {
  const { title, lines } = whatIsGone(loss);
  const ok = el("button", { class: "button primary wide", type: "submit", text: "Go on", data: { testid: "gone-ok" } });
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "gone-title", data: { testid: "gone" } },
    el("form", { method: "dialog" }, el("h2", { id: "gone-title", text: title }), ...lines.map((text) => el("p", { text })), ok),
  );
  return shown(dialog);
}
