/** Tables that players open: asked for behind the page, since nobody opens one in the first second. */
import { floorOf } from "./floor-room.js";
import { say } from "./phrases/page.js";

/** Has the lobby offer it, if players may open tables here. */
export async function offerOwn(parts) {
  const { connection, me, lobby } = parts;
  const rules = await connection.question(floorOf(me), { about: "rules" });
  if (rules) lobby.offer(rules.opens ? () => openOwn(rules, parts) : null);
}

/** Opens a table of the player's own, and says how others find it. */
async function openOwn(rules, { connection, me, codes, open, toasts }) {
  try {
    const { openTable, showInvite } = await import("./hosted.js");
    const room = await openTable(connection, me, rules, codes);
    if (!room) return;
    open(room);
    await showInvite(room, codes.of(room));
  } catch (error) {
    console.warn("a table's dialog has not come:", error);
    toasts.show(say.notCome);
  }
}
