/** What is said of accounts. */
import { account as en } from "./en/account.js";
import { account as ko } from "./ko/account.js";
import { phrases } from "./phrases.js";

export const say = phrases({ en, ko });
