/**
 * What part of a pot each shown hand wins on average, over all boards that can still come: counted, not sampled.
 * It is loaded when hands are face up while cards are still to come.
 */
import { add, deckOf, noCards, numberOf, rulesOf, strength } from "./hand-strength.js";

const BOARD = 5;
/** So many cards are dealt in one go; before each such go others may have their turn. */
const AT_ONCE = 3;
/** Four to six hole cards are too many combinations for more than the last cards. */
const TO_COME_IN_OMAHA = 2;

/**
 * @param {string} variant of the table's settings
 * @param {string[][]} hands that are face up
 * @param {string[]} board so far
 * @param {() => Promise<boolean>} goOn asked between two pieces of work: false when nobody wants to know any more
 * @returns {Promise<number[]|null>} a part of 1 for each hand; null when nobody wants to know, or when it would take too long
 */
export async function shares(variant, hands, board, goOn) {
  const toCome = BOARD - board.length;
  const isOmaha = variant.startsWith("omaha");
  if (isOmaha && toCome > TO_COME_IN_OMAHA) return null;
  const rules = rulesOf(variant);
  const holes = hands.map((hand) => hand.map(numberOf));
  const there = board.map(numberOf);
  const known = new Set([...holes.flat(), ...there]);
  const deck = deckOf(variant).filter((card) => !known.has(card));
  const table = isOmaha ? new OmahaTable(holes, rules) : new Table(holes, rules);
  there.forEach((card, at) => table.deal(card, at));

  /** All ways to deal the cards from `at` on, out of those of the deck behind `from`. */
  const dealAll = (from, at) => {
    if (at === BOARD) return table.settle();
    for (let next = from; next < deck.length; next += 1) {
      table.deal(deck[next], at);
      dealAll(next + 1, at + 1);
    }
    return undefined;
  };
  const begin = async (from, at) => {
    if (BOARD - at <= AT_ONCE) {
      dealAll(from, at);
      return goOn();
    }
    for (let next = from; next < deck.length; next += 1) {
      table.deal(deck[next], at);
      if (!(await begin(next + 1, at + 1))) return false;
    }
    return true;
  };
  if (!(await begin(0, board.length))) return null;
  return table.won.map((won) => won / table.boards);
}

/** Hands that use any of their cards. */
class Table {
  boards = 0;

  constructor(holes, rules) {
    this.holes = holes;
    this.rules = rules;
    this.won = holes.map(() => 0);
    this.strengths = holes.map(() => 0);
    /** What lies on the board after so many cards. */
    this.board = Array.from({ length: BOARD + 1 }, noCards);
    this.cards = Array(BOARD).fill(0);
    this.hand = noCards();
  }

  deal(card, at) {
    this.cards[at] = card;
    add(this.board[at], this.board[at + 1], card);
  }

  settle() {
    const { strengths, won } = this;
    let most = 0;
    let winners = 0;
    for (let at = 0; at < strengths.length; at += 1) {
      const made = this.made(at);
      strengths[at] = made;
      if (made > most) [most, winners] = [made, 0];
      if (made === most) winners += 1;
    }
    for (let at = 0; at < strengths.length; at += 1) if (strengths[at] === most) won[at] += 1 / winners;
    this.boards += 1;
  }

  made(at) {
    let from = this.board[BOARD];
    for (const card of this.holes[at]) {
      add(from, this.hand, card);
      from = this.hand;
    }
    return strength(this.hand, this.rules);
  }
}

/** Hands that use two of their cards and three of the board. */
class OmahaTable extends Table {
  constructor(holes, rules) {
    super(holes, rules);
    this.pairs = holes.map((hole) => choices(hole, 2).map((pair) => pair.reduce((cards, card) => (add(cards, cards, card), cards), noCards())));
    this.threes = choices([0, 1, 2, 3, 4], 3);
  }

  made(at) {
    let most = 0;
    for (const pair of this.pairs[at]) {
      for (const [one, two, three] of this.threes) {
        add(pair, this.hand, this.cards[one]);
        add(this.hand, this.hand, this.cards[two]);
        add(this.hand, this.hand, this.cards[three]);
        most = Math.max(most, strength(this.hand, this.rules));
      }
    }
    return most;
  }
}

function choices(things, count) {
  if (count === 0) return [[]];
  return things.flatMap((thing, at) => choices(things.slice(at + 1), count - 1).map((others) => [thing, ...others]));
}
