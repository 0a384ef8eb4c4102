/** What the pages of tournaments say, and the line in the head of their tables. */
import { tournament as en } from "./en/tournament.js";
import { tournament as ko } from "./ko/tournament.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
