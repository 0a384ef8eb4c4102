/** Where a player opens tables: one of sixteen rooms, which follows from who he is. */

const ROOMS = 16n;
const MASK = (1n << 64n) - 1n;

/** FNV-1a in 64 bits, as the house counts. @param {string} user @returns {string} the room */
export function floorOf(user) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(user)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & MASK;
  return `floor-${String(hash % ROOMS).padStart(2, "0")}`;
}
