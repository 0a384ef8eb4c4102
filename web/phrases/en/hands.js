/** Cards and what they make. Ranks are those of the protocol, such as `QTA`. */
import { list } from "./words.js";

const ONE = { A: "ace", K: "king", Q: "queen", J: "jack", T: "ten", 9: "nine", 8: "eight", 7: "seven", 6: "six", 5: "five", 4: "four", 3: "three", 2: "two" };
const MANY = { ...Object.fromEntries(Object.entries(ONE).map(([rank, name]) => [rank, `${name}s`])), 6: "sixes" };
const SUITS = { c: "clubs", d: "diamonds", h: "hearts", s: "spades" };

const sign = (rank) => (rank === "T" ? "10" : rank);
const large = (words) => words.charAt(0).toUpperCase() + words.slice(1);

export const hands = {
  card: (rank, suit) => `${ONE[rank]} of ${SUITS[suit]}`,
  /** In a sentence: `two pair, queens and sevens`. */
  made: {
    high_card: ([high]) => `${ONE[high]} high`,
    one_pair: ([pair]) => `a pair of ${MANY[pair]}`,
    two_pair: ([high, low]) => `two pair, ${MANY[high]} and ${MANY[low]}`,
    three_of_a_kind: ([three]) => `three ${MANY[three]}`,
    straight: ([top]) => `a straight to the ${ONE[top]}`,
    flush: ([high]) => `a flush, ${ONE[high]} high`,
    full_house: ([three, pair]) => `a full house, ${MANY[three]} over ${MANY[pair]}`,
    four_of_a_kind: ([four]) => `four ${MANY[four]}`,
    straight_flush: ([top]) => (top === "A" ? "a royal flush" : `a straight flush to the ${ONE[top]}`),
  },
  withKickers: (hand, ranks) => `${hand}, ${list([...ranks].map((rank) => ONE[rank]))} kicker${ranks.length > 1 ? "s" : ""}`,
  /** At my own seat, where there is room for few words. */
  label: {
    high_card: ([high]) => `${large(ONE[high])} high`,
    one_pair: ([pair]) => `Pair of ${MANY[pair]}`,
    two_pair: ([high, low]) => `${large(MANY[high])} and ${MANY[low]}`,
    three_of_a_kind: ([three]) => `Three ${MANY[three]}`,
    straight: ([top]) => `Straight to the ${ONE[top]}`,
    flush: ([high]) => `Flush, ${ONE[high]} high`,
    full_house: ([three, pair]) => `${large(MANY[three])} over ${MANY[pair]}`,
    four_of_a_kind: ([four]) => `Four ${MANY[four]}`,
    straight_flush: ([top]) => (top === "A" ? "Royal flush" : `Straight flush to the ${ONE[top]}`),
  },
  /** At the seats of others, which are small. */
  brief: {
    high_card: ([high]) => `${sign(high)} high`,
    one_pair: ([pair]) => `Pair of ${sign(pair)}s`,
    two_pair: () => "Two pair",
    three_of_a_kind: ([three]) => `Three ${sign(three)}s`,
    straight: () => "Straight",
    flush: () => "Flush",
    full_house: () => "Full house",
    four_of_a_kind: ([four]) => `Four ${sign(four)}s`,
    straight_flush: ([top]) => (top === "A" ? "Royal" : "Str. flush"),
  },
  /** Of houses that tell no ranks. */
  bare: {
    high_card: () => "high card",
    one_pair: () => "one pair",
    two_pair: () => "two pair",
    three_of_a_kind: () => "three of a kind",
    straight: () => "a straight",
    flush: () => "a flush",
    full_house: () => "a full house",
    four_of_a_kind: () => "four of a kind",
    straight_flush: () => "a straight flush",
    royal_flush: () => "a royal flush",
  },
};
