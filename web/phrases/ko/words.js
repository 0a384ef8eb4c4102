/** What Korean sentences are put together from. */
import { gwa } from "./particles.js";

/** Names come isolated from what stands around them; `2번 자리` does not. */
const NAME = "\u2068";
/** Keeps a name and what follows it in one line. */
const JOINED = "\u2060";

/** A person, politely. */
export function nim(who) {
  return who.startsWith(NAME) ? `${who}${JOINED}님` : who;
}

/** `Ann님`, `Ann님과 Bob님`, `Ann님, Bob님과 Cy님`. */
export function list(words) {
  return words.length < 2 ? words.join("") : `${gwa(words.slice(0, -1).join(", "))} ${words.at(-1)}`;
}
