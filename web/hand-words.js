/** Hands as people name them: `two pair, queens and sevens`, and with the kickers that decide. */
import { say } from "./phrases/hands.js";

/**
 * @param {{class: string, ranks: string}} hand
 * @param {string} [kickers] ranks that decide; see `kickers` in hand-rank.js
 * @returns {string} empty for a class that this page does not know
 */
export function handWords({ class: name, ranks }, kickers = "") {
  const words = say.made[name]?.(ranks) ?? "";
  return words === "" || kickers === "" ? words : say.withKickers(words, kickers);
}

/** The same at a seat, where there is room for few words; the first letter is large. */
export function handLabel({ class: name, ranks }) {
  return say.label[name]?.(ranks) ?? "";
}

/** The same at the seats of others, which are small. */
export function handClassLabel({ class: name, ranks }) {
  return say.brief[name]?.(ranks) ?? "";
}

/** What a house says that tells no hands, such as `two pair`. */
export function rankWords(rank) {
  return say.bare[rank.replaceAll(" ", "_")]?.() ?? rank;
}
