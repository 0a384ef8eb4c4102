/** Chips on their way over the felt: decoration on top of what is already true, and absent for those who want calm. */
import { chipStack } from "./chips.js";
import { calm, el } from "./dom.js";

const FLIGHT_MS = 380;

/**
 * @param {HTMLElement} felt what the boxes are relative to
 * @param {DOMRect} from
 * @param {DOMRect} to
 * @param {number} amount
 */
export function flyChips(felt, from, to, amount) {
  if (calm() || document.hidden || amount <= 0) return;
  const origin = felt.getBoundingClientRect();
  const at = (box) => `translate(${box.x + box.width / 2 - origin.x - 11}px, ${box.y + box.height / 2 - origin.y - 8}px)`;
  const chips = el("div", { class: "flight", "aria-hidden": "true" }, chipStack(amount));
  felt.append(chips);
  const flight = chips.animate(
    [
      { transform: at(from), opacity: 1 },
      { transform: at(to), opacity: 1, offset: 0.85 },
      { transform: at(to), opacity: 0 },
    ],
    { duration: FLIGHT_MS, easing: "cubic-bezier(0.3, 0, 0.2, 1)" },
  );
  flight.finished.finally(() => chips.remove());
}
