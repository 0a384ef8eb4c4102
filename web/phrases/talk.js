/** What people say to each other. */
import { talk as en } from "./en/talk.js";
import { talk as ko } from "./ko/talk.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });

const ALL = [en, ko];

/** Which of the quick phrases a text is, in whatever language; undefined for other words. */
export function quickPhrase(text) {
  return Object.keys(en.quick).find((key) => ALL.some(({ quick }) => quick[key]() === text));
}
