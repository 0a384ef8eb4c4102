/**
 * "Play now": a seat at the best table that the house knows for a game and stakes, one table after the other until one gives it; else a place
 * in a queue, which opens tables, or on the shortest waiting list, or a table of one's own where nothing is open. It comes when it is asked for.
 *
 * A seat is taken by a table's own `sit`, which is done once and answered, and the next table is asked only when the one before has said no. So nobody
 * comes to have two seats, whatever the line does meanwhile.
 */
import { byCode } from "./phrases/phrases.js";
import { say as sayOfRefusals } from "./phrases/refusals.js";
import { say } from "./phrases/playing.js";
import { askChips } from "./sit-dialog.js";

/** A table that says one of these has no seat for this player at the moment; another one may. */
const NOT_HERE = new Set(["no_seat", "seat_taken", "not_let_in", "not_allowed", "left_with_more", "bad_amount", "no_such_room", "busy", "unavailable", "forgotten", "call_missed"]);

/** Tables with a seat, the best first: with players before those without, of the lowest stakes, the fullest first. */
export function bySeat(rows) {
  const open = rows.filter(({ taken, seats }) => taken < seats);
  return open.sort((a, b) => Number(b.taken > 0) - Number(a.taken > 0) || a.big_blind - b.big_blind || b.taken - a.taken);
}

/** Tables without one, the best to wait at first: of the lowest stakes, with the shortest line. */
export function byLine(rows) {
  const full = rows.filter(({ taken, seats }) => taken >= seats);
  return full.sort((a, b) => a.big_blind - b.big_blind || (a.in_line ?? 0) - (b.in_line ?? 0));
}

/** Queues, the best first: of the lowest stakes, in which most wait. */
export function byQueue(rows) {
  return [...rows].sort((a, b) => a.big_blind - b.big_blind || (b.in_line ?? 0) - (a.in_line ?? 0));
}

/** What is said to sit down at a table like this with so many big blinds, or what it takes. */
function sitting(row, { blinds, wait }) {
  const buyIn = Math.min(row.buy_in_max, Math.max(row.buy_in_min, Math.round(blinds * row.big_blind)));
  return { a: "sit", buy_in: buyIn, wait_for_big_blind: wait };
}

/**
 * Takes a seat, or a place in a queue or on a list.
 * @param {object} parts
 * @param {(free: boolean) => Promise<object[]>} parts.find the house's tables of this game and stakes, with a free seat or any
 * @param {(room: string, what: object) => Promise<object>} parts.ask sends a command and answers what became of it
 * @param {() => Promise<object[]>} parts.queues the house's queues for this game and stakes
 * @param {(queue: string) => Promise<object>} parts.join takes a place in a queue
 * @param {(row: object) => Promise<{amount: number, wait: boolean}|null>} parts.bring how much is brought to a table like this; null: nothing, after all
 * @param {Set<string>} parts.mine rooms at which the player sits or waits already
 * @returns {Promise<{room: string, waits: boolean}|{queue: string, what: object}|{refused: object|null}|null>} null: the player thinks better of it;
 *   `refused`: why nothing came of it, if anything was said
 */
export async function seatNow({ find, ask, queues, join, bring, mine }) {
  let [brought, refused] = [null, null];
  const others = (rows) => rows.filter(({ room }) => !mine.has(room));
  for (const row of bySeat(others(await find(true)))) {
    brought ??= await bring(row).then((answer) => answer && { ...answer, blinds: answer.amount / row.big_blind });
    if (!brought) return null;
    const answer = await ask(row.room, sitting(row, brought));
    if (answer.t === "ack" || answer.code === "already_seated") return { room: row.room, waits: false };
    refused = answer;
    if (!NOT_HERE.has(answer.code)) return { refused };
  }
  for (const row of byQueue(await queues())) {
    brought ??= await bring(row).then((answer) => answer && { ...answer, blinds: answer.amount / row.big_blind });
    if (!brought) return null;
    const answer = await join(row.room);
    if (answer.t === "ack" || answer.code === "unchanged") return { queue: row.room, what: sitting(row, brought) };
    refused = answer;
    if (!NOT_HERE.has(answer.code)) return { refused };
  }
  for (const row of byLine(others(await find(false)))) {
    const answer = await ask(row.room, { a: "wait" });
    if (answer.t === "ack" || answer.code === "unchanged") return { room: row.room, waits: true };
    // A seat has come free meanwhile: it is seen there.
    if (answer.code === "illegal") return { room: row.room, waits: false };
    refused = answer;
  }
  return { refused };
}

/**
 * @param {object} parts
 * @param {(room: string, what: object) => Promise<object>} parts.ask see `seatNow`
 * @param {(free: boolean) => Promise<object[]>} parts.find see `seatNow`
 * @param {() => Promise<object[]>} parts.queues see `seatNow`
 * @param {Connection} parts.connection
 * @param {Settings} parts.settings
 * @param {Set<string>} parts.mine see `seatNow`
 * @param {(room: string) => void} parts.open shows a table
 * @param {() => Promise<(() => void)|null>} parts.opens answers what asks for a table of the player's own; null: the house has no such
 * @param {(text: () => string) => void} parts.tell says why nothing came of it
 */
export async function playNow({ ask, find, queues, connection, settings, mine, open, opens, tell }) {
  const bring = async (row) => {
    const answer = await askChips({
      title: () => say.at(row.name),
      action: say.sit,
      limits: { min: row.buy_in_min, max: row.buy_in_max },
      amount: Math.round(settings.buyInBlinds * row.big_blind),
      bigBlind: row.big_blind,
      currency: row.currency,
      offerWait: false,
    });
    if (answer) settings.buyInBlinds = answer.amount / row.big_blind;
    return answer;
  };
  const join = (queue) => connection.command(queue, { a: "join" });
  const got = await seatNow({ find, ask, queues, join, bring, mine });
  if (!got) return;
  if (got.queue) {
    const { waitInQueue } = await import("./queue-room.js");
    // The seat is called: whoever has said what to bring has it at once. If it is refused, the table's page says what else there is to do.
    const sent = (room) => {
      open(room);
      ask(room, got.what);
    };
    await waitInQueue({ queue: got.queue, connection, sent });
    return;
  }
  if (got.room) return open(got.room);
  const { refused } = got;
  if (refused) return tell(byCode(sayOfRefusals.refused, refused.code, refused.message, {}));
  const openOwn = await opens();
  tell(openOwn ? say.openOne : say.nothing);
  // Whoever wants to play now after this finds that table.
  return openOwn?.();
}
