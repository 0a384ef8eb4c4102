/**
 * Phrases: functions that say something in the language that is spoken when they are called.
 *
 * A catalogue has one for each thing to say, plain ones too, and tables of them by code. So a phrase without parameters can be given
 * to `el` and `setText` as it is, `text: say.leave`, and one with parameters as `text: () => say.pot(amount)`: they are told again
 * when the language changes. Numbers and codes go into a phrase as they are, people's names isolated.
 */
import { language, USUAL } from "./language.js";

/**
 * @param {Object<string, object>} catalogues by language, all with the same keys
 * @returns {object} the same keys, each told in whichever language is spoken
 */
export function phrases(catalogues) {
  return late(catalogues[USUAL], (code) => catalogues[code]);
}

function late(usual, of) {
  // Codes come from the house: none may find what every object has.
  const told = Object.create(null);
  for (const [key, phrase] of Object.entries(usual)) {
    const here = (code) => of(code)[key];
    told[key] = typeof phrase === "function" ? (...about) => here(language())(...about) : late(phrase, here);
  }
  return told;
}

/**
 * What a code means; for a code of a later house, the text that came with it.
 * @param {object} table phrases by code
 * @returns {() => string}
 */
export function byCode(table, code, text, about = {}) {
  return Object.hasOwn(table, code) ? () => table[code](about) : () => text;
}
