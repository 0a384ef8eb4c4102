/** Over how many rooms the house spreads its users, and who is where: rooms of one sort follow from the user's name. */

const MASK = (1n << 64n) - 1n;

/** FNV-1a in 64 bits, as the house counts. @param {string} user @param {number} rooms so many there are @returns {number} which of them is the user's, from 0 */
export function spread(user, rooms) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(user)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK;
  return Number(hash % BigInt(rooms));
}
