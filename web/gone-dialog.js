/** Says what is gone when the house knows its guest no more: it was started anew, or the guest was away for too long. */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { isolated } from "./names.js";
import { say } from "./phrases/page.js";

/**
 * @param {object} loss
 * @param {boolean} loss.expired whether the guest's pass had run out
 * @param {string} loss.name of the new guest
 * @param {{table: string, chips: number|null}[]} loss.rooms that were followed; `chips` of the old guest's seat there, or null
 * @returns {{title: () => string, lines: (() => string)[]}}
 */
export function whatIsGone({ expired, name, rooms }) {
  const seats = rooms.filter((room) => room.chips !== null);
  const lines = [
    () => (expired ? say.expiredAs : say.anewAs)(isolated(name)),
    ...seats.map(({ table, chips }) => () => (expired ? say.expiredSeat : say.anewSeat)(isolated(table), chips)),
  ];
  if (!expired && rooms.length > 0) lines.push(say.anewHands);
  return { title: expired ? say.expired : say.anew, lines };
}

/** @returns {Promise<void>} when it has been read */
export function tellGone(loss) {
  const { title, lines } = whatIsGone(loss);
  const ok = el("button", { class: "button primary wide", type: "submit", text: say.goOn, data: { testid: "gone-ok" } });
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "gone-title", data: { testid: "gone" } },
    el("form", { method: "dialog" }, el("h2", { id: "gone-title", text: title }), ...lines.map((text) => el("p", { text })), ok),
  );
  return shown(dialog);
}
