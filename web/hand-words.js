/** Hands as people name them: `two pair, queens and sevens`, and with the kickers that decide. */

const ONE = { A: "ace", K: "king", Q: "queen", J: "jack", T: "ten", 9: "nine", 8: "eight", 7: "seven", 6: "six", 5: "five", 4: "four", 3: "three", 2: "two" };
const MANY = { ...Object.fromEntries(Object.entries(ONE).map(([rank, name]) => [rank, `${name}s`])), 6: "sixes" };

const WORDS = {
  high_card: ([high]) => `${ONE[high]} high`,
  one_pair: ([pair]) => `a pair of ${MANY[pair]}`,
  two_pair: ([high, low]) => `two pair, ${MANY[high]} and ${MANY[low]}`,
  three_of_a_kind: ([three]) => `three ${MANY[three]}`,
  straight: ([top]) => `a straight to the ${ONE[top]}`,
  flush: ([high]) => `a flush, ${ONE[high]} high`,
  full_house: ([three, pair]) => `a full house, ${MANY[three]} over ${MANY[pair]}`,
  four_of_a_kind: ([four]) => `four ${MANY[four]}`,
  straight_flush: ([top]) => (top === "A" ? "a royal flush" : `a straight flush to the ${ONE[top]}`),
};

/**
 * @param {{class: string, ranks: string}} hand
 * @param {string} [kickers] ranks that decide; see `kickers` in hand-rank.js
 * @returns {string} empty for a class that this page does not know
 */
export function handWords({ class: name, ranks }, kickers = "") {
  const words = WORDS[name]?.(ranks);
  if (words === undefined || kickers === "") return words ?? "";
  const names = [...kickers].map((rank) => ONE[rank]);
  return `${words}, ${names.join(" and ")} kicker${names.length > 1 ? "s" : ""}`;
}

const SHORT = {
  high_card: ([high]) => `${ONE[high]} high`,
  one_pair: ([pair]) => `pair of ${MANY[pair]}`,
  two_pair: ([high, low]) => `${MANY[high]} and ${MANY[low]}`,
  three_of_a_kind: ([three]) => `three ${MANY[three]}`,
  straight: ([top]) => `straight to the ${ONE[top]}`,
  flush: ([high]) => `flush, ${ONE[high]} high`,
  full_house: ([three, pair]) => `${MANY[three]} over ${MANY[pair]}`,
  four_of_a_kind: ([four]) => `four ${MANY[four]}`,
  straight_flush: ([top]) => (top === "A" ? "royal flush" : `straight flush to the ${ONE[top]}`),
};

/** The same at a seat, where there is room for few words; the first letter is large. */
export function handLabel({ class: name, ranks }) {
  const words = SHORT[name]?.(ranks) ?? "";
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const sign = (rank) => (rank === "T" ? "10" : rank);
const SHORTEST = {
  high_card: ([high]) => `${sign(high)} high`,
  one_pair: ([pair]) => `Pair of ${sign(pair)}s`,
  two_pair: () => "Two pair",
  three_of_a_kind: ([three]) => `Three ${sign(three)}s`,
  straight: () => "Straight",
  flush: () => "Flush",
  full_house: () => "Full house",
  four_of_a_kind: ([four]) => `Four ${sign(four)}s`,
  straight_flush: ([top]) => (top === "A" ? "Royal" : "Str. flush"),
};

/** The same at the seats of others, which are small. */
export function handClassLabel({ class: name, ranks }) {
  return SHORTEST[name]?.(ranks) ?? "";
}
