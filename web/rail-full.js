/**
 * Said where as many watch a table as may. One tries again later, or sits down: whoever has a seat needs no place among those who watch. It comes when it is
 * needed.
 */
import { shown } from "./dialog.js";
import { el } from "./dom.js";
import { byCode } from "./phrases/phrases.js";
import { say } from "./phrases/playing.js";
import { say as sayOfRefusals } from "./phrases/refusals.js";
import { askChips } from "./sit-dialog.js";

/** At tables that players open chips are nobody's, so it is known what they are without having seen the table. */
const OF_PLAYERS = /^t-/;

/**
 * @param {object} parts
 * @param {string} parts.room the table
 * @param {Connection} parts.connection
 * @param {Settings} parts.settings
 * @param {(room: string) => void} parts.open shows the table, where there is something to see of it
 * @param {(text: () => string) => void} parts.tell says why there is no seat
 */
export async function turnedAway({ room, connection, settings, open, tell }) {
  const wish = await askWhat(OF_PLAYERS.test(room));
  if (wish === "watch") return open(room);
  if (wish !== "sit") return undefined;
  const told = await connection.question(room, { about: "settings" });
  if (!told?.config) return tell(sayOfRefusals.refused.unavailable);
  const { config } = told;
  const bring = await askChips({
    title: () => say.at(config.name),
    action: say.sit,
    limits: { min: config.buy_in_min, max: config.buy_in_max },
    amount: Math.round(settings.buyInBlinds * config.big_blind),
    bigBlind: config.big_blind,
    offerWait: false,
  });
  if (!bring) return undefined;
  const answer = await connection.command(room, { a: "sit", buy_in: bring.amount, wait_for_big_blind: false });
  if (answer.t === "ack" || answer.code === "already_seated") {
    // The command has had the table watched, and what came of it went nowhere: it is watched anew.
    connection.unfollow({ id: room });
    return open(room);
  }
  return tell(byCode(sayOfRefusals.refused, answer.code, answer.message, {}));
}

/** @returns {Promise<"watch"|"sit"|null>} null: neither */
async function askWhat(maySit) {
  let wish = null;
  const choose = (what) => () => {
    wish = what;
    dialog.close();
  };
  const button = (text, what, isFirst = false) => el("button", { class: isFirst ? "button primary" : "button", type: "button", text, data: { testid: `rail-full-${what ?? "no"}` }, on: { click: choose(what) } });
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "rail-full-title", data: { testid: "rail-full" } },
    el("h2", { id: "rail-full-title", text: say.railFull }),
    el("p", { text: maySit ? say.railFullSit : say.railFullLater }),
    el("div", { class: "dialog-buttons" }, button(say.railFullNo, null), maySit ? button(say.railFullSeat, "sit") : null, button(say.railFullAgain, "watch", true)),
  );
  await shown(dialog);
  return wish;
}
