/** What an entry of a tournament costs, and where the chips are: of a tournament's row in the lobby as of its page. Pure. */
import { amountIn } from "./currencies.js";
import { chips } from "./format.js";

/** All of it, in the smallest unit. */
export function costOf({ buy_in, fee = 0 }) {
  return buy_in + fee;
}

/** `5.00 + 0.50`: what goes to the prizes, and what to the house, if it takes anything. */
export function costTold({ buy_in, fee = 0, currency }) {
  const parts = fee > 0 ? [buy_in, fee] : [buy_in];
  return parts.map((part) => chips(amountIn(currency, part))).join(" + ");
}

/**
 * Where the chips of a player are: with him (`out`), on their way (`paying`), in the tournament (`in`), or with him again, with what they
 * have brought (`over`).
 * @param {object|null} me his line
 */
export function stageOf(me, isPaying, isOver) {
  if (!me) return isPaying ? "paying" : "out";
  return isOver || me.place !== null ? "over" : "in";
}
