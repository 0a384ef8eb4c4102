/** What is said where somebody asks the coach. */
import { coach as en } from "./en/coach.js";
import { coach as ko } from "./ko/coach.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
