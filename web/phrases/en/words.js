/** What English sentences are put together from. */
import { chips } from "../../format.js";

/** `1 player`, `2 players`. */
export function count(number, one, many = `${one}s`) {
  return `${chips(number)} ${number === 1 ? one : many}`;
}

/** `Ann`, `Ann and Bob`, `Ann, Bob and Cy`. */
export function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
