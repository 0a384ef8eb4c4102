/** What is said to who wants to play at once. */
import { playing as en } from "./en/playing.js";
import { playing as ko } from "./ko/playing.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
