/** How events are told. */
import { log as en } from "./en/log.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en });
