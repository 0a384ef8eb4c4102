/** What is said to who waits for a seat. */
import { waiting as en } from "./en/waiting.js";
import { waiting as ko } from "./ko/waiting.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
