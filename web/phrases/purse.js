/** What is said of what a player owns. */
import { purse as en } from "./en/purse.js";
import { purse as ko } from "./ko/purse.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
