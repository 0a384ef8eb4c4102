/** People's names and words among ours: they may run from right to left, and pile marks up. */

const FIRST_STRONG_ISOLATE = "\u2068";
const POP_ISOLATE = "\u2069";

/** A name inside a sentence, which it cannot reorder; for plain text, where there is no `<bdi>`. */
export function isolated(name) {
  return `${FIRST_STRONG_ISOLATE}${name}${POP_ISOLATE}`;
}

const characters = new Intl.Segmenter();

/** The first character of a name as people see it, such as a letter with its signs or a family. */
export function initial(name) {
  const [first] = characters.segment(name);
  return first?.segment.toUpperCase() ?? "?";
}
