/**
 * What cards make: class, ranks and the cards themselves, on any street. The house tells the same of hands that are shown
 * (`hands` in docs/protocol.md); this tells it of one's own while the hand goes on.
 */

const RANKS = "23456789TJQKA";
const SUITS = "cdhs";
const CLASSES = ["high_card", "one_pair", "two_pair", "three_of_a_kind", "straight", "flush", "full_house", "four_of_a_kind", "straight_flush"];
/** Short deck: a flush is rarer than a full house and beats it. */
const SHORT_DECK = ["high_card", "one_pair", "two_pair", "three_of_a_kind", "straight", "full_house", "flush", "four_of_a_kind", "straight_flush"];
const FIVE = 5;

/**
 * The best that hole cards and board make.
 * @param {string} variant of the table's settings
 * @param {string[]} hole
 * @param {string[]} board any number of cards
 * @returns {{class: string, ranks: string, cards: string[]} | null} null without hole cards
 */
export function bestHand(variant, hole, board) {
  let best = null;
  for (const cards of choices(variant, hole, board)) {
    const made = evaluate(variant, cards);
    if (best === null || stronger(variant, made, best)) best = made;
  }
  return best;
}

function choices(variant, hole, board) {
  if (hole.length === 0) return [];
  if (!variant.startsWith("omaha")) return combinations([...hole, ...board], FIVE);
  const threes = combinations(board, 3);
  return combinations(hole, 2).flatMap((two) => threes.map((three) => [...two, ...three]));
}

/** All choices of `count` cards; of fewer cards, all of them. */
function combinations(cards, count) {
  if (cards.length <= count) return [cards];
  if (count === 0) return [[]];
  const [first, ...rest] = cards;
  return [...combinations(rest, count - 1).map((others) => [first, ...others]), ...combinations(rest, count)];
}

function evaluate(variant, hand) {
  const number = ([rank]) => RANKS.indexOf(rank);
  const many = (card) => hand.filter(([rank]) => rank === card[0]).length;
  const suit = (card) => SUITS.indexOf(card[1]);
  const cards = [...hand].sort((one, other) => many(other) - many(one) || number(other) - number(one) || suit(other) - suit(one));
  const groups = [...new Set(cards.map(([rank]) => rank))];
  const counts = groups.map((rank) => many(rank)).join("");
  const top = straightTop(variant, cards);
  const flush = cards.length === FIVE && new Set(cards.map(suit)).size === 1;
  // The ace stands behind the others of a straight that it begins.
  if (top !== null && top !== groups[0]) cards.push(cards.shift());
  const name = classOf(counts, top !== null, flush);
  return { class: name, ranks: top === null ? groups.join("") : top, cards };
}

/** The highest rank of a straight, or null. */
function straightTop(variant, cards) {
  const ranks = [...new Set(cards.map(([rank]) => rank))].join("");
  if (ranks.length !== FIVE) return null;
  const order = [...RANKS].reverse().join("");
  if (order.includes(ranks)) return ranks[0];
  return ranks === (variant === "short_deck" ? "A9876" : "A5432") ? ranks[1] : null;
}

function classOf(counts, straight, flush) {
  if (straight && flush) return "straight_flush";
  if (counts.startsWith("4")) return "four_of_a_kind";
  if (counts === "32") return "full_house";
  if (flush) return "flush";
  if (straight) return "straight";
  if (counts.startsWith("3")) return "three_of_a_kind";
  if (counts.startsWith("22")) return "two_pair";
  return counts.startsWith("2") ? "one_pair" : "high_card";
}

function stronger(variant, one, other) {
  const order = variant === "short_deck" ? SHORT_DECK : CLASSES;
  const key = ({ class: name, ranks }) => [order.indexOf(name), ...[...ranks].map((rank) => RANKS.indexOf(rank))];
  const [mine, theirs] = [key(one), key(other)];
  const at = mine.findIndex((value, place) => value !== theirs[place]);
  return at >= 0 && mine[at] > (theirs[at] ?? -1);
}

/** How many of the ranks say what the hand is; those behind are kickers. */
const NAMED = { high_card: 1, one_pair: 1, two_pair: 2, three_of_a_kind: 1, straight: 1, flush: 1, full_house: 2, four_of_a_kind: 1, straight_flush: 1 };

/**
 * The kickers that have decided against the others, as ranks: none where nobody else has a hand of the same name.
 * @param {{class, ranks}} hand
 * @param {{class, ranks}[]} others
 */
export function kickers(hand, others) {
  const named = NAMED[hand.class];
  let deciding = named;
  for (const other of others) {
    if (other.class !== hand.class || other.ranks.slice(0, named) !== hand.ranks.slice(0, named)) continue;
    const differs = [...hand.ranks].findIndex((rank, at) => rank !== other.ranks[at]);
    if (differs >= named) deciding = Math.max(deciding, differs + 1);
  }
  return hand.ranks.slice(named, deciding);
}
