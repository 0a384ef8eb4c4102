/** What a player can set, and the keys. */
import { settings as en } from "./en/settings.js";
import { settings as ko } from "./ko/settings.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
