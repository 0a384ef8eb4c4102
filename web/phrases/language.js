/** Which language the page speaks. What it says in it stands in `phrases/`, a folder for each language. */

/** By their codes (BCP 47), each under its own name. The first is spoken where nothing else is wished or known. */
export const LANGUAGES = { en: "English", ko: "한국어" };

export const USUAL = Object.keys(LANGUAGES)[0];

let spoken = USUAL;
const listeners = [];

/** The code of the language that is spoken. */
export function language() {
  return spoken;
}

/** Speaks this language from now on, or the usual one for a code that is not known. */
export function speak(code) {
  const next = Object.hasOwn(LANGUAGES, code) ? code : USUAL;
  if (next === spoken) return;
  spoken = next;
  listeners.forEach((listener) => listener());
}

/** Told when another language is spoken. */
export function onLanguage(listener) {
  listeners.push(listener);
}

/**
 * The first of the languages that a browser wishes for which the page speaks.
 * @param {readonly string[]} wished such as `["ko-KR", "en"]`
 */
export function firstOf(wished) {
  const codes = wished.map((wish) => wish.toLowerCase().split("-")[0]);
  return codes.find((code) => Object.hasOwn(LANGUAGES, code)) ?? USUAL;
}
