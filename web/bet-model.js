/** What a player may do in a turn, as numbers: the pure half of the action bar. */

/** All chips that a bet is measured against: pots and the bets of this street. */
export function potTotal(view) {
  const pots = (view.hand?.pots ?? []).reduce((sum, pot) => sum + pot.amount, 0);
  return view.seats.reduce((sum, seat) => sum + (seat?.bet ?? 0), pots);
}

/**
 * The choices of the player whose turn it is.
 * @returns {{hand, turn, call: number|null, callsAllIn: boolean, raise: null|{min, max, bet, maxIsAllIn, step, shortcuts}}}
 *   `name` of a shortcut is that of a phrase, `shortcut.NAME`
 */
export function choices(view) {
  const { hand, turn: { turn, seat, call, raise } } = view.hand;
  const me = view.seats[seat];
  return {
    hand,
    turn,
    call,
    callsAllIn: call !== null && call >= me.stack,
    raise: raise && {
      ...raise,
      maxIsAllIn: raise.max >= me.stack + me.bet,
      step: view.config.big_blind,
      shortcuts: shortcuts(view, me, call ?? 0, raise),
    },
  };
}

/** A raise of a part of the pot is measured after the call: to = my bet + call + part of (pot + call). */
function shortcuts(view, me, call, { min, max }) {
  const pot = potTotal(view) + call;
  const part = (name, share) => ({ name, to: clamp(me.bet + call + Math.round(pot * share), min, max) });
  const all = max >= me.stack + me.bet ? "allIn" : "most";
  return [{ name: "least", to: min }, part("halfPot", 0.5), part("wholePot", 1), { name: all, to: max }];
}

/** The amount, moved into the limits; the least for what is not a number. Letters that an input method has left there do not count. */
export function legalAmount(text, { min, max }) {
  const digits = String(text).normalize("NFKC").replace(/[^\d.]/g, "");
  const amount = digits === "" ? NaN : Math.round(Number(digits));
  return Number.isFinite(amount) ? clamp(amount, min, max) : min;
}

function clamp(amount, min, max) {
  return Math.min(max, Math.max(min, amount));
}
