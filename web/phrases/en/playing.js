/** Playing at once. */
export const playing = {
  at: (table) => `Play at ${table}`,
  sit: () => "Sit down",
  nothing: () => "No table of this kind is open. Choose another game or other stakes.",
  openOne: () => "No table of this kind is open. Open one: whoever wants to play now comes to it.",
};
