/** What the house says by codes. */
import { house as en } from "./en/house.js";
import { house as ko } from "./ko/house.js";
import { byCode, phrases } from "./phrases.js";

export const say = phrases({ en, ko });

const NEWS = { ...say.error, ...say.notice };

/** An error or a notice in words. */
export function newsWords({ code, message }) {
  return byCode(NEWS, code, message);
}
