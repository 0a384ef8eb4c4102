/** Numbers, times and words as people read them. */

const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
/** From here on a stack is too long for its place on a phone. */
const COMPACT_FROM = 1_000_000;

/** `12,345`. */
export function chips(amount) {
  return GROUPED.format(amount);
}

/** `12,345`, but `1.2M` from a million on. */
export function chipsShort(amount) {
  return amount < COMPACT_FROM ? chips(amount) : COMPACT.format(amount);
}

const BRIEF = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 3 });
/** From here on a bet is too long for its place on a phone. */
const BRIEF_FROM = 10_000;

/** `9,999`, but `12.5K` from ten thousand on. */
export function chipsBrief(amount) {
  return amount < BRIEF_FROM ? chips(amount) : BRIEF.format(amount);
}

/** `1/2`. */
export function stakes(smallBlind, bigBlind) {
  return `${chipsShort(smallBlind)}/${chipsShort(bigBlind)}`;
}

/** `1 player`, `2 players`. */
export function count(number, one, many = `${one}s`) {
  return `${chips(number)} ${number === 1 ? one : many}`;
}

/** Whole seconds left, never below 0, rounded up so that it shows 0 only at the end. */
export function secondsLeft(deadlineMs, nowMs) {
  return Math.max(0, Math.ceil((deadlineMs - nowMs) / 1000));
}

const VARIANTS = {
  holdem: "Hold'em",
  omaha4: "Omaha",
  omaha5: "5-card Omaha",
  omaha6: "6-card Omaha",
  short_deck: "Short deck",
};

/** `NL Hold'em`. */
export function game({ variant, limit }) {
  return `${limit === "pot_limit" ? "PL" : "NL"} ${VARIANTS[variant] ?? variant}`;
}

const RANKS = { A: "ace", K: "king", Q: "queen", J: "jack", T: "ten", 9: "nine", 8: "eight", 7: "seven" };
Object.assign(RANKS, { 6: "six", 5: "five", 4: "four", 3: "three", 2: "two" });
const SUITS = { c: "clubs", d: "diamonds", h: "hearts", s: "spades" };

/** `ace of spades`, for those who hear the page. */
export function cardName(card) {
  return `${RANKS[card[0]]} of ${SUITS[card[1]]}`;
}

const SUIT_SIGNS = { c: "♣", d: "♦", h: "♥", s: "♠" };

/** `A♠ K♦`, for the log. */
export function cardSigns(cards) {
  return cards.map(([rank, suit]) => (rank === "T" ? "10" : rank) + SUIT_SIGNS[suit]).join(" ");
}
