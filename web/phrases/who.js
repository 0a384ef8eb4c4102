/** What is said of who one is. */
import { who as en } from "./en/who.js";
import { who as ko } from "./ko/who.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
