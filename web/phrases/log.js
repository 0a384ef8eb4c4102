/** How events are told. */
import { log as en } from "./en/log.js";
import { log as ko } from "./ko/log.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
