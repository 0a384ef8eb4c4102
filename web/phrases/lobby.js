/** What the lobby says. */
import { lobby as en } from "./en/lobby.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en });
