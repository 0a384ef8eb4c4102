/** Chips on their way over the felt: decoration on top of what is already true, and absent for those who want calm. */
import { chipStack } from "./chips.js";
import { el } from "./dom.js";

const FLIGHT_MS = 380;

/** Whether the user wants little motion, here or everywhere. */
export function calm() {
  return document.documentElement.dataset.motion === "less" || matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/**
 * @param {HTMLElement} felt over which they go
 * @param {{x: number, y: number}} from a point of it
 * @param {{x: number, y: number}} to
 * @param {number} amount
 */
export function flyChips(felt, from, to, amount) {
  if (amount <= 0) return;
  const at = ({ x, y }) => `translate(${x - 11}px, ${y - 8}px)`;
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
