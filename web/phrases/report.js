/** Reporting a player. */
import { report as en } from "./en/report.js";
import { report as ko } from "./ko/report.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
