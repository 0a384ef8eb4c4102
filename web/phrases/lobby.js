/** What the lobby says. */
import { lobby as en } from "./en/lobby.js";
import { lobby as ko } from "./ko/lobby.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
