/** Which keys do what at a table: the usual ones, and those that a player has changed. What a key is that was pressed, `keys.js` says. Pure. */

/** What keys do, and the usual ones. */
export const KEYS = {
  fold: "f", call: "c", raise: "r", more: "ArrowUp", less: "ArrowDown", amount1: "1", amount2: "2", amount3: "3", amount4: "4",
};
/** Keys that do one thing everywhere, or the browser's own. */
const RESERVED = new Set(["Enter", "Escape", "Tab", " ", "?"]);
export const NAMED = new Set([
  "Enter", "Escape", "Tab", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown", "Insert", "Delete", "Backspace",
]);

/** Whether this may stand in storage: other keys than the usual ones, by what they do. */
export function isKeyMap(value) {
  return typeof value === "object" && value !== null && Object.entries(value).every(([name, key]) => Object.hasOwn(KEYS, name) && isFree(key)) && isSingle(keysFrom(value));
}

/** All keys, those that were changed among them. */
export function keysFrom(changed) {
  return { ...KEYS, ...changed };
}

function isFree(key) {
  return typeof key === "string" && !RESERVED.has(key) && (NAMED.has(key) || (/^[!-~]$/.test(key) && key === key.toLowerCase()));
}

function isSingle(keys) {
  return new Set(Object.values(keys)).size === Object.keys(keys).length;
}

/**
 * Another key for a command.
 * @returns {{changed: object} | {taken: string} | {reserved: true}} what differs from the usual keys now, or which command has that key
 */
export function withKey(changed, command, key) {
  if (!isFree(key)) return { reserved: true };
  const keys = keysFrom(changed);
  const taken = Object.keys(keys).find((name) => name !== command && keys[name] === key);
  if (taken) return { taken };
  const { [command]: _, ...others } = changed;
  return { changed: key === KEYS[command] ? others : { ...others, [command]: key } };
}
