/** What is given to others so that they find a table: its code, and the link. */

/** What is not mistaken for something else when it is read aloud. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const LENGTH = 8;

/** A new one: forty random bits, as nearly as makes no difference. */
export function newCode() {
  const drawn = crypto.getRandomValues(new Uint32Array(LENGTH));
  return [...drawn].map((number) => LETTERS[number % LETTERS.length]).join("");
}

/** As it is shown: in two halves. */
export function shownCode(code) {
  return code.length === LENGTH ? `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`.toUpperCase() : code;
}

/** The link to a table. */
export function linkTo(room, code) {
  const here = `${location.origin}${location.pathname}`;
  return `${here}#${room}${code ? `?c=${encodeURIComponent(code)}` : ""}`;
}
