/** What is said of hands that are over. */
import { history as en } from "./en/history.js";
import { history as ko } from "./ko/history.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
