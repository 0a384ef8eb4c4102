/** How cards and hands are called. */
import { hands as en } from "./en/hands.js";
import { hands as ko } from "./ko/hands.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
