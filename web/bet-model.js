/** What a player may do in a turn, as numbers: the pure half of the action bar. */
import { amountOf, SIZES, sizesFrom, steps } from "./bet-sizes.js";

/** All chips that a bet is measured against: pots and the bets of this street. */
export function potTotal(view) {
  const pots = (view.hand?.pots ?? []).reduce((sum, pot) => sum + pot.amount, 0);
  return view.seats.reduce((sum, seat) => sum + (seat?.bet ?? 0), pots);
}

/**
 * The choices of the player whose turn it is.
 * @param {object} view the table
 * @param {object} sizes the player's own, see `SIZES`
 * @returns {{hand, turn, call: number|null, callsAllIn: boolean, odds: number|null, raise: null|{min, max, bet, maxIsAllIn, step, steps, shortcuts}}}
 *   `odds` is the part of the pot that a call pays for, `name` of a shortcut that of its size, `allIn` or `most`
 */
export function choices(view, sizes = SIZES) {
  const { hand, street, turn: { turn, seat, call, raise } } = view.hand;
  const me = view.seats[seat];
  const bigBlind = view.config.big_blind;
  const table = { mine: me.bet, call: call ?? 0, pot: potTotal(view), highest: highestBet(view), bigBlind };
  const mayWin = table.pot + table.call;
  return {
    hand,
    turn,
    call,
    callsAllIn: call !== null && call >= me.stack,
    odds: call === null || mayWin === 0 ? null : call / mayWin,
    raise: raise && {
      ...raise,
      maxIsAllIn: raise.max >= me.stack + me.bet,
      step: bigBlind,
      steps: steps(raise, bigBlind, amountOf({ by: 100, of: "%" }, table)),
      shortcuts: shortcuts(table, me, raise, sizesFrom(sizes[street] ?? sizes.river)),
    },
  };
}

/** The largest bet of this street. */
export function highestBet(view) {
  return Math.max(0, ...view.seats.map((seat) => seat?.bet ?? 0));
}

/** The player's own sizes, then all. */
function shortcuts(table, me, { min, max }, sizes) {
  const own = sizes.map((size) => ({ name: size.name, to: clamp(amountOf(size, table), min, max) }));
  return [...own, { name: max >= me.stack + me.bet ? "allIn" : "most", to: max }];
}

/** The amount in whole chips, moved into the limits; the least for what is not a number. */
export function legalAmount(amount, { min, max }) {
  return Number.isNaN(amount) ? min : clamp(Math.round(amount), min, max);
}

function clamp(amount, min, max) {
  return Math.min(max, Math.max(min, amount));
}
