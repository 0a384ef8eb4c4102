/** What a table says. */
import { table as en } from "./en/table.js";
import { table as ko } from "./ko/table.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
