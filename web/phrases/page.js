/** What every page says. */
import { page as en } from "./en/page.js";
import { page as ko } from "./ko/page.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
