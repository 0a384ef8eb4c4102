/** What a seat says beyond the table: its keys. */
import { seat as en } from "./en/seat.js";
import { seat as ko } from "./ko/seat.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
