/** What English sentences are put together from. */
import { chips } from "../../format.js";

/** `1 player`, `2 players`. */
export function count(number, one, many = `${one}s`) {
  return `${chips(number)} ${number === 1 ? one : many}`;
}

const ENDINGS = { one: "st", two: "nd", few: "rd", other: "th" };
const ORDER = new Intl.PluralRules("en", { type: "ordinal" });

/** `1st`, `2nd`, `11th`. */
export function nth(number) {
  return `${chips(number)}${ENDINGS[ORDER.select(number)]}`;
}

/** `Ann`, `Ann and Bob`, `Ann, Bob and Cy`. */
export function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
