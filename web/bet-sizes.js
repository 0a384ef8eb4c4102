/** How large a bet may be at a touch: the amounts that a player has chosen for each street, and the steps of the slider. Pure. */

/** So many amounts a player chooses for a street; the last button is all-in. */
export const SIZES_MAX = 3;

/** For each street, written as players say it: parts of the pot, times the last bet, big blinds. */
export const SIZES = { preflop: "2.5x 3x pot", flop: "33% 66% pot", turn: "50% 75% pot", river: "50% 75% pot" };

const WORD = /^(\d{1,4}(?:\.\d{1,2})?)(%|x|bb)$/;
const POT = { by: 100, of: "%", name: "pot" };
const LEAST = { by: 0, of: "min", name: "min" };
/** In the languages of the page. */
const NAMED = { pot: POT, 팟: POT, min: LEAST, 최소: LEAST };
/** A pot-sized bet is so many steps of the slider away at least; from there on each is a part of what it stands on. */
const STEPS_TO_POT = 20;
const STEP_SHARE = 1 / 8;

/**
 * `33%, 2.5x 3bb pot` as sizes.
 * @returns {{by: number, of: "%"|"x"|"bb"|"min", name: string}[] | null} null for what is not understood, or is too much or nothing
 */
export function sizesFrom(text) {
  const words = text.normalize("NFKC").toLowerCase().replace(/(\d),(?=\d)/g, "$1.").replace(/(\d)\s+(?=%|x\b|bb\b)/g, "$1").split(/[\s,;]+/).filter(Boolean);
  const sizes = words.map((word) => {
    if (Object.hasOwn(NAMED, word)) return NAMED[word];
    const [, by, of] = WORD.exec(word) ?? [];
    return Number(by) > 0 ? { by: Number(by), of, name: of === "bb" ? `${Number(by)} BB` : `${Number(by)}${of}` } : null;
  });
  return sizes.length > 0 && sizes.length <= SIZES_MAX && !sizes.includes(null) ? sizes : null;
}

/**
 * What a size comes to, as the total that a bet or raise names.
 * @param {object} size
 * @param {object} table
 * @param {number} table.mine what I have bet on this street
 * @param {number} table.call what a call costs
 * @param {number} table.pot all that lies on the table, without the call
 * @param {number} table.highest the largest bet of this street
 * @param {number} table.bigBlind
 */
export function amountOf({ by, of }, { mine, call, pot, highest, bigBlind }) {
  if (of === "%") return mine + call + Math.round(((pot + call) * by) / 100); // A part of the pot is measured after the call.
  if (of === "x") return Math.round(by * Math.max(highest, bigBlind));
  return of === "bb" ? Math.round(by * bigBlind) : 0;
}

/**
 * The steps of the slider: by big blinds near the least, ever longer ones towards the most, and the pot among them.
 * @param {{min: number, max: number}} limits
 * @param {number} bigBlind
 * @param {number} pot what a bet of the pot comes to
 */
export function steps({ min, max }, bigBlind, pot) {
  const found = [min];
  for (let at = min; at < max; ) {
    const long = at < pot ? pot / STEPS_TO_POT : at * STEP_SHARE;
    const next = Math.floor(at / bigBlind) * bigBlind + Math.max(bigBlind, Math.round(long / bigBlind) * bigBlind);
    at = Math.min(max, at < pot && pot < next ? pot : next);
    found.push(at);
  }
  return found;
}

/** The step that is nearest to an amount, by its number. */
export function stepOf(found, amount) {
  return found.reduce((best, step, at) => (Math.abs(step - amount) < Math.abs(found[best] - amount) ? at : best), 0);
}

/** Whether this may stand in storage. */
export function isSizes(value) {
  if (typeof value !== "object" || value === null) return false;
  return Object.keys(SIZES).every((street) => typeof value[street] === "string" && value[street].length <= 60 && sizesFrom(value[street]) !== null);
}
