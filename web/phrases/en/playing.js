/** Playing at once. */
import { nth } from "./words.js";

export const playing = {
  at: (table) => `Play at ${table}`,
  sit: () => "Sit down",
  nothing: () => "No table of this kind is open. Choose another game or other stakes.",
  queue: () => "Looking for a seat",
  seeking: () => "Looking for a seat",
  place: (place) => (place > 1 ? `Looking for a seat. ${nth(place)} in line` : "Looking for somebody to play with"),
  stopSeeking: () => "Stop looking",
  openOne: () => "No table of this kind is open. Open one: whoever wants to play now comes to it.",
  railFull: () => "As many watch this table as may",
  railFullSit: () => "Come back in a moment, or sit down: whoever has a seat sees the table.",
  railFullLater: () => "Come back in a moment.",
  railFullNo: () => "To the lobby",
  railFullSeat: () => "Take a seat",
  railFullAgain: () => "Try again",
};
