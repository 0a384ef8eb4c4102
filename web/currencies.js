/** The currencies of this house whose amounts have digits behind the point. Whoever hears of one says so here. */
import { Amount } from "./format.js";

const known = new Map();
let tellAgain = () => {};

/** @param {{currency: string|null, digits: number}[]} currencies */
export function learn(currencies) {
  const before = known.size;
  for (const { currency, digits } of currencies) if (digits > 0) known.set(currency, digits);
  if (known.size > before) tellAgain();
}

/** What has amounts told again that were told before anybody knew in what. */
export function onLearn(listener) {
  tellAgain = listener;
}

/** How many; of chips that are nobody's none. */
export function digitsOf(currency) {
  return known.get(currency) ?? 0;
}

/** An amount in the smallest unit of a currency, to be told: see `Amount`. */
export function amountIn(currency, minor) {
  return known.has(currency) ? new Amount(minor, digitsOf(currency)) : minor;
}
