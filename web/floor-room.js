/** Where a player opens tables: one of sixteen rooms, which follows from who he is. */
import { spread } from "./spread.js";

const ROOMS = 16;

/** @param {string} user @returns {string} the room */
export function floorOf(user) {
  return `floor-${String(spread(user, ROOMS)).padStart(2, "0")}`;
}
