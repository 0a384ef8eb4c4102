/** What is said of tables that players open. */
import { hosted as en } from "./en/hosted.js";
import { hosted as ko } from "./ko/hosted.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
