/**
 * Korean particles: which one follows depends on how the word before it ends, in a vowel, in ㄹ or in another consonant. Hangul shows
 * it; digits and Latin letters are heard as Koreans read them. For what has no sound that is known both are written: `은(는)`.
 */

const VOWEL = 0;
const RIEUL = 1;
const CONSONANT = 2;

const HANGUL_FIRST = 0xac00;
const HANGUL_LAST = 0xd7a3;
/** Final consonants of a syllable, none included. */
const FINALS = 28;
const FINAL_RIEUL = 8;

/** 영 일 이 삼 사 오 육 칠 팔 구 */
const DIGITS = [CONSONANT, RIEUL, VOWEL, CONSONANT, VOWEL, VOWEL, CONSONANT, RIEUL, RIEUL, VOWEL];
/** A 1 with so many zeros is 조, which ends in a vowel; 십, 백, 천, 만, 억 and 경 do not. */
const ZEROS_OF_JO = 12;
/** 엘 and 알, 엠 and 엔: letters that are named one by one. */
const LETTERS = { L: RIEUL, R: RIEUL, M: CONSONANT, N: CONSONANT };
/** Marks of directions, joiners and variations, brackets with what is in them, other signs: not heard at the end of a word. */
const SILENT = /(?:[\s\p{P}\p{S}\p{M}\p{Cf}]|\([^()]*\))+$/u;

/** The last sound of a word, or null. */
function ending(word) {
  const heard = word.replace(SILENT, "");
  const number = /\d[\d,]*(\.\d+)?$/.exec(heard);
  if (number) return endOfNumber(number[0].replaceAll(",", ""));
  const last = heard.at(-1) ?? "";
  const code = last.codePointAt(0);
  if (code >= HANGUL_FIRST && code <= HANGUL_LAST) {
    const final = (code - HANGUL_FIRST) % FINALS;
    return final === 0 ? VOWEL : final === FINAL_RIEUL ? RIEUL : CONSONANT;
  }
  const latin = /[a-z]+$/i.exec(heard.normalize("NFD").replace(/\p{M}/gu, ""));
  return latin ? endOfLatin(latin[0]) : null;
}

function endOfNumber(digits) {
  const zeros = digits.includes(".") ? 0 : /0*$/.exec(digits)[0].length;
  if (zeros === 0 || zeros === digits.length) return DIGITS[Number(digits.at(-1))];
  return zeros === ZEROS_OF_JO ? VOWEL : CONSONANT;
}

/** `Ann` is 앤, `Mike` 마이크, `Jack` 잭, `Mark` 마크, `NL` 엔엘. */
function endOfLatin(word) {
  if (word === word.toUpperCase()) return LETTERS[word.at(-1)] ?? VOWEL;
  if (/le?$/i.test(word)) return RIEUL;
  if (/(?:m|n|ng|[mn]e)$/i.test(word)) return CONSONANT;
  return /(?:^|[^aeiou])[aeiou](?:ck|tt|[bckpt])$/i.test(word) ? CONSONANT : VOWEL;
}

function particle(afterVowel, afterConsonant, unsure, afterRieul = afterConsonant) {
  const by = { [VOWEL]: afterVowel, [RIEUL]: afterRieul, [CONSONANT]: afterConsonant };
  return (word) => word + (by[ending(word)] ?? unsure);
}

/** The word with 은 or 는: what is spoken of. */
export const eun = particle("는", "은", "은(는)");
/** With 이 or 가: who does it. */
export const i = particle("가", "이", "이(가)");
/** With 을 or 를: what it is done to. */
export const eul = particle("를", "을", "을(를)");
/** With 과 or 와: and. */
export const gwa = particle("와", "과", "과(와)");
/** With 으로 or 로: with what, to what, as what. */
export const euro = particle("로", "으로", "(으)로", "로");
