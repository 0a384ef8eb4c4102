/**
 * Which key means what at a table. A key is named by what it writes, so that `F` is where a player reads it, on Dvorak or AZERTY too. Where the
 * layout writes no Latin letters, or an input method has taken the key (Hangul, Pinyin, Kana), its place on the keyboard says what is meant. Pure.
 */
import { NAMED } from "./key-map.js";

/** They write or move in a field for amounts. */
const EDITS = /^([\d.,]|ArrowLeft|ArrowRight|Home|End|Insert|Delete|Backspace)$/;
/** Whoever holds them down wants more of it. Any other key does once what it does, or a turn later it would do it again. */
export const REPEATING = new Set(["more", "less"]);
/** Signs of a keyboard, by their place on it, without and with Shift. */
const SIGNS = {
  Slash: "/?", Comma: ",<", Period: ".>", Semicolon: ";:", Quote: "'\"", BracketLeft: "[{", BracketRight: "]}", Backquote: "\u0060~", Minus: "-_", Equal: "=+",
  Backslash: "\\|",
};
/** What a to z write in the Korean layout, for keyboards on a screen, which say no places. */
const JAMO = "ㅁㅠㅊㅇㄷㄹㅎㅗㅑㅓㅏㅣㅡㅜㅐㅔㅂㄱㄴㅅㅕㅍㅈㅌㅛㅋ";
/** What a browser calls a key that an input method has taken. */
const TAKEN_KEYCODE = 229;

/** The names that a pressed key goes by, the best first; none when the key is the input method's or the browser's. */
export function keysOf({ key, code = "", shiftKey = false, isComposing = false, keyCode = 0 }) {
  const written = key.normalize("NFKC");
  if (/^[!-~]$/.test(written)) {
    const digit = shiftKey ? null : digitAt(code); // The upper row writes signs in some layouts.
    return [...new Set([written.toLowerCase(), digit].filter(Boolean))];
  }
  const named = [key, code].find((name) => NAMED.has(name));
  if (named) {
    // Enter and the arrows end or change what is being composed; the last Enter of it comes without saying so.
    const isTheirs = isComposing || (keyCode === TAKEN_KEYCODE && (named === "Enter" || named === "Escape"));
    return isTheirs ? [] : [named];
  }
  const placed = /^Key[A-Z]$/.test(code) ? code[3].toLowerCase() : (digitAt(code) ?? SIGNS[code]?.[Number(shiftKey)] ?? jamo(key));
  return placed ? [placed] : [];
}

function digitAt(code) {
  return /^Digit\d$/.test(code) ? code[5] : null;
}

function jamo(key) {
  const at = key.length === 1 ? JAMO.indexOf(key) : -1;
  return at < 0 ? null : String.fromCharCode(97 + at);
}

/**
 * @param {KeyboardEvent} event
 * @param {object} keys see `keysFrom`
 * @param {boolean} isTyping whether it goes into the field for the amount
 * @returns {string|null} what it asks for
 */
export function commandOf(event, keys, isTyping) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  for (const key of keysOf(event)) {
    if (isTyping && EDITS.test(key)) return null;
    const command = Object.keys(keys).find((name) => keys[name] === key);
    if (command) return command;
  }
  return null;
}

const ARROWS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };

/** As it stands on the keyboard. */
export function keyName(key) {
  return ARROWS[key] ?? (key.length === 1 ? key.toUpperCase() : key);
}
