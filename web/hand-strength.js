/**
 * How strong cards are, as numbers that compare: fast enough for all boards that can come. `hand-rank.js` says what they make, in words.
 *
 * A set of cards is kept as eight masks of ranks: those that are there once at least, twice, three times, four times, and those of each suit.
 */
const RANKS = "23456789TJQKA";
const SUITS = "cdhs";
const MASKS = 1 << RANKS.length;
const PLANES = 8;
const FIVE = 5;
/** Behind the class stand two ranks that say what it is, and the mask of the kickers. */
const [CLASS, FIRST, SECOND] = [21, 17, 13];
const [ONE_PAIR, TWO_PAIR, THREE, STRAIGHT, FOUR, STRAIGHT_FLUSH] = [1, 2, 3, 4, 7, 8];

/** Mask -> how many ranks. */
const COUNT = new Uint8Array(MASKS);
for (let mask = 1; mask < MASKS; mask += 1) COUNT[mask] = COUNT[mask >> 1] + (mask & 1);

/** Mask -> the top of its highest straight, from 1; 0 for none. */
const straights = (wheel, wheelTop) => {
  const tops = new Uint8Array(MASKS);
  for (let mask = 0; mask < MASKS; mask += 1) {
    if ((mask & wheel) === wheel) tops[mask] = RANKS.indexOf(wheelTop) + 1;
    for (let low = 0; low + FIVE <= RANKS.length; low += 1) if (((mask >> low) & 0b11111) === 0b11111) tops[mask] = low + FIVE;
  }
  return tops;
};
const maskOf = (ranks) => [...ranks].reduce((mask, rank) => mask | (1 << RANKS.indexOf(rank)), 0);
const USUAL = { straights: straights(maskOf("A2345"), "5"), flush: 5, fullHouse: 6 };
/** A flush is rarer there than a full house. */
const SHORT_DECK = { straights: straights(maskOf("A6789"), "9"), flush: 6, fullHouse: 5 };

/** What beats what in a game. */
export function rulesOf(variant) {
  return variant === "short_deck" ? SHORT_DECK : USUAL;
}

/** A card such as `As` as a number. */
export function numberOf([rank, suit]) {
  return RANKS.indexOf(rank) * SUITS.length + SUITS.indexOf(suit);
}

/** All cards of a game. */
export function deckOf(variant) {
  const low = variant === "short_deck" ? RANKS.indexOf("6") : 0;
  return Array.from({ length: RANKS.length * SUITS.length }, (_, card) => card).slice(low * SUITS.length);
}

/** No cards. */
export function noCards() {
  return new Int32Array(PLANES);
}

/** Makes `to` what `from` is with one card more. */
export function add(from, to, card) {
  const bit = 1 << (card >> 2);
  to[3] = from[3] | (from[2] & bit);
  to[2] = from[2] | (from[1] & bit);
  to[1] = from[1] | (from[0] & bit);
  to[0] = from[0] | bit;
  to[4] = from[4];
  to[5] = from[5];
  to[6] = from[6];
  to[7] = from[7];
  to[4 + (card & 3)] |= bit;
}

/** The strength of the best five of these cards, of which there are five to seven. */
export function strength(cards, rules) {
  const [ones, twos, threes, fours] = [cards[0], cards[1], cards[2], cards[3]];
  let suited = 0;
  for (let suit = 4; suit < PLANES; suit += 1) if (COUNT[cards[suit]] >= FIVE) suited = cards[suit];
  if (suited !== 0 && rules.straights[suited] !== 0) return (STRAIGHT_FLUSH << CLASS) | (rules.straights[suited] << FIRST);
  if (fours !== 0) return of(FOUR, top(fours), 0, best(ones & ~bitOf(top(fours)), 1));
  const three = top(threes);
  const pairs = threes === 0 ? twos : twos & ~bitOf(three);
  const full = threes !== 0 && pairs !== 0 ? of(rules.fullHouse, three, top(pairs), 0) : 0;
  const flush = suited !== 0 ? of(rules.flush, 0, 0, best(suited, FIVE)) : 0;
  if (full !== 0 || flush !== 0) return full > flush ? full : flush;
  if (rules.straights[ones] !== 0) return (STRAIGHT << CLASS) | (rules.straights[ones] << FIRST);
  if (threes !== 0) return of(THREE, three, 0, best(ones & ~bitOf(three), 2));
  if (twos === 0) return best(ones, FIVE);
  const high = top(twos);
  const low = twos & ~bitOf(high);
  if (low === 0) return of(ONE_PAIR, high, 0, best(ones & ~twos, 3));
  return of(TWO_PAIR, high, top(low), best(ones & ~bitOf(high) & ~bitOf(top(low)), 1));
}

function of(name, first, second, kickers) {
  return (name << CLASS) | (first << FIRST) | (second << SECOND) | kickers;
}

function top(mask) {
  return 31 - Math.clz32(mask);
}

function bitOf(rank) {
  return 1 << rank;
}

/** The highest ranks of a mask, so many. */
function best(mask, count) {
  let left = mask;
  for (let more = COUNT[mask] - count; more > 0; more -= 1) left &= left - 1;
  return left;
}
