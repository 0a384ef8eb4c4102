/** How games are called. */
import { games as en } from "./en/games.js";
import { games as ko } from "./ko/games.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
