/** Why a command to a table was refused. */
import { refusals as en } from "./en/refusals.js";
import { refusals as ko } from "./ko/refusals.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
