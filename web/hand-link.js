/** Links to hands that are over, and to lists of them. */

const NAME = "[\\w.-]{1,40}";
const ONE = new RegExp(`^#/hand/(${NAME}\\.\\d{1,20}-\\d{1,20}|[a-z2-7]{16})(\\?hidden)?$`);
const LIST = new RegExp(`^#/hands(?:/(${NAME}))?$`);

/** The link to a hand: by its name, or by what it is shared by, which nobody guesses. */
export function linkOf(id, hidesNames) {
  return `${location.origin}${location.pathname}#/hand/${id}${hidesNames ? "?hidden" : ""}`;
}

/** What an address names: `{id, hidesNames}` is a hand, `{room}` the list of a table, or of my own if that is null; null is nothing of it. */
export function ofHash(hash) {
  const [, id, hidden] = ONE.exec(hash) ?? [];
  if (id) return { id, hidesNames: hidden !== undefined };
  const list = LIST.exec(hash);
  return list && { room: list[1] ?? null };
}
