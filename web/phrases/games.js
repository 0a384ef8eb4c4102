/** How games are called. */
import { games as en } from "./en/games.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en });
