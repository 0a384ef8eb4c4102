/** Amounts of a currency: they come in its smallest unit, and are read with as many digits as it has. */
import { chipsShort } from "./format.js";
import { language } from "./phrases/language.js";

const made = new Map();

function format(amount, digits, signDisplay) {
  const key = `${language()} ${digits} ${signDisplay}`;
  const form = { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay };
  if (!made.has(key)) made.set(key, new Intl.NumberFormat(language(), form));
  return made.get(key).format(amount / 10 ** digits);
}

/** `12,345`, or `123.45 EUR`: play money has no need of a name. */
export function money(amount, { currency, digits, play }) {
  return named(format(amount, digits, "auto"), currency, play);
}

/** The same where there is little room: `1.2M`. */
export function moneyShort(amount, { currency, digits, play }) {
  return named(digits === 0 ? chipsShort(amount) : format(amount, digits, "auto"), currency, play);
}

/** What came or went: `+200`, `−1,000`. */
export function change(amount, { digits }) {
  return format(amount, digits, "always");
}

/** What is there after that, in a column under the currency's name. */
export function bare(amount, { digits }) {
  return format(amount, digits, "auto");
}

function named(amount, currency, play) {
  return play ? amount : `${amount}\u00a0${currency}`;
}

/** What somebody has brought to tables, all together. */
export function inPlay({ in_play: tables }) {
  return tables.reduce((sum, { amount }) => sum + amount, 0);
}
