/** The dialog in which a player opens a table: what is played, and who may come. */
import { shown } from "./dialog.js";
import { newCode } from "./invite-link.js";
import { el, setAttribute, setText } from "./dom.js";
import { floorOf } from "./floor-room.js";
import { stakes } from "./format.js";
import { game } from "./games.js";
import { say } from "./phrases/hosted.js";
import { Room } from "./room.js";

const BLINDS = [[1, 2], [2, 4], [5, 10], [10, 20], [25, 50], [50, 100], [100, 200], [500, 1_000]];
const GAMES = [["holdem", "no_limit"], ["holdem", "pot_limit"], ["omaha4", "pot_limit"], ["omaha5", "pot_limit"], ["omaha6", "pot_limit"], ["short_deck", "no_limit"]];
/** As many seats as each game's deck reaches for. */
const SEATS_MAX = { omaha5: 8, omaha6: 7 };
const CLOCKS_S = [10, 15, 30, 60];
/** So much later than players those see a table who watch it. */
const RAIL_S = [0, 10, 30, 60, 120, 300, 900];
/** So many may watch it at once; 0: as many as come. */
const RAIL_MOST = [0, 1, 2, 5, 10, 20, 50, 100, 500];
/** Buy-ins, big blinds. */
const [BUY_IN_MIN, BUY_IN_MAX] = [40, 200];
/** A table that is not there by then does not come. */
const OPENED_WITHIN_MS = 10_000;

/**
 * @param {Connection} connection
 * @param {string} me my user
 * @param {{big_blind_max: number, rail_delay_max_ms?: number, rail_cards_delay_min_ms?: number, rail_viewers_max?: number}} rules what the house allows
 * @param {DoorCodes} codes keeps the code of a table that has one
 * @returns {Promise<string|null>} the room of the table that was opened
 */
export async function askTable(connection, me, rules, codes) {
  let room = null;
  const fields = settingsFields(null, rules);
  const access = select("access", Object.entries(say.access).map(([key, word]) => [key, word]), "unlisted");
  const help = el("small", { class: "hint" });
  const explain = () => setText(help, () => say.accessHelp[access.value]());
  access.addEventListener("change", explain);
  explain();
  const rail = railField(rules);
  const ai = select("ai", Object.entries(say.ai.seats).map(([key, word]) => [key, word]), "marked");
  const leaves = select("leaves", Object.entries(say.leaves).map(([key, word]) => [key, word]), "pass_on");
  const error = el("p", { class: "field-error", role: "alert", data: { testid: "open-error" } });
  const ok = el("button", { class: "button primary", type: "submit", text: say.open, data: { testid: "open-ok" } });
  const submit = async (event) => {
    event.preventDefault();
    ok.disabled = true;
    setText(error, "");
    const wish = { a: "create_table", config: fields.config(), access: access.value, host_leaves: leaves.value, ...rail?.chosen() };
    // Houses of earlier releases know no other tables.
    if (ai.value === "none") wish.ai = "none";
    try {
      room = await created(connection, floorOf(me), wish);
      if (wish.access === "code") await setCode(connection, room, codes);
      dialog.close();
    } catch (refused) {
      setText(error, refused.tell ?? say.notOpened);
    } finally {
      ok.disabled = false;
    }
  };
  const dialog = el(
    "dialog",
    { class: "dialog hosted-dialog", "aria-labelledby": "open-title", data: { testid: "open-table" } },
    el(
      "form",
      { on: { submit } },
      el("h2", { id: "open-title", text: say.openTitle }),
      fields.element,
      labelled(say.whoMayCome, access, help),
      rail?.element ?? null,
      labelled(say.ai.title, ai, el("small", { class: "hint", text: say.ai.seatsHelp })),
      labelled(say.whenILeave, leaves),
      error,
      buttons(() => dialog.close(), ok),
    ),
  );
  await shown(dialog);
  return room;
}

/** Opens a table and waits until it is there. */
async function created(connection, floor, wish) {
  const room = new Room(floor, () => true, { event: () => {}, change: () => look() }, "floor");
  const known = new Set();
  let look = () => {};
  connection.follow(room);
  try {
    await arrival((done) => (look = () => room.state && done()), "");
    for (const table of room.own?.tables ?? []) known.add(table.room);
    const isNew = (table) => table.is_open && !known.has(table.room);
    const found = arrival((done) => (look = () => (room.own?.tables ?? []).filter(isNew).forEach((table) => done(table.room))));
    found.catch(() => {});
    const answer = await connection.command(floor, wish);
    if (answer.t !== "ack") throw refusal(answer);
    return await found;
  } finally {
    connection.unfollow(room);
  }
}

/** What comes in time, or an error. */
function arrival(listen) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("nothing has come in time")), OPENED_WITHIN_MS);
    listen(resolve);
  });
}

/** An error that tells why a command was refused. */
function refusal({ code, message }) {
  const known = Object.hasOwn(say.refused, code) ? say.refused[code] : () => message ?? code;
  return Object.assign(new Error(message), { tell: known });
}

/** Gives a table a new code. */
export async function setCode(connection, room, codes) {
  const code = newCode();
  const answer = await connection.command(room, { a: "door", access: "code", code });
  if (answer.t !== "ack") throw refusal(answer);
  codes.keep(room, code);
}

/**
 * The fields of a table's settings.
 * @param {object|null} config as they are
 * @returns {{element: HTMLElement, config: () => object}} what was chosen
 */
export function settingsFields(config, { big_blind_max: most }) {
  const name = el("input", { type: "text", name: "name", maxlength: 20, required: true, value: config?.name ?? say.usualName(), data: { testid: "open-name" } });
  const is = config ? `${config.variant} ${config.limit}` : undefined;
  const games = select("game", GAMES.map(([variant, limit]) => [`${variant} ${limit}`, () => game({ variant, limit })]), is);
  const blinds = BLINDS.filter(([, big]) => big <= most);
  const now = config ? [config.small_blind, config.big_blind] : blinds[0];
  if (!blinds.some(([, big]) => big === now[1])) blinds.unshift(now);
  const stake = select("stakes", blinds.map(([small, big]) => [`${small} ${big}`, () => stakes(small, big)]), now.join(" "));
  const seats = select("seats", Array.from({ length: 9 }, (_, at) => [String(at + 2), () => say.seats(at + 2)]), String(config?.seats ?? 6));
  setAttribute(seats, "disabled", config !== null);
  const clock = select("clock", CLOCKS_S.map((s) => [String(s * 1_000), () => say.seconds(s)]), String(config?.turn_ms ?? 15_000));
  const straddles = select("straddles", Object.entries(say.straddles).map(([key, word]) => [key, word]), config?.straddles ?? "none");
  const ante = select("ante", Object.entries(say.ante).map(([key, word]) => [key, word]), anteOf(config));
  games.addEventListener("change", () => {
    const reach = SEATS_MAX[games.value.split(" ")[0]] ?? 10;
    for (const option of seats.options) option.disabled = Number(option.value) > reach;
    if (Number(seats.value) > reach) seats.value = String(reach);
  });
  const chosen = () => {
    const [variant, limit] = games.value.split(" ");
    const [small_blind, big_blind] = stake.value.split(" ").map(Number);
    return {
      name: name.value,
      variant,
      limit,
      seats: Number(seats.value),
      small_blind,
      big_blind,
      ante: ante.value === "none" ? 0 : ante.value === "big_blind" ? big_blind : small_blind,
      ante_kind: ante.value === "big_blind" ? "big_blind" : "each_player",
      straddles: straddles.value,
      buy_in_min: BUY_IN_MIN * big_blind,
      buy_in_max: BUY_IN_MAX * big_blind,
      turn_ms: Number(clock.value),
    };
  };
  const element = el(
    "div",
    { class: "hosted-fields" },
    labelled(say.name, name),
    labelled(say.game, games),
    labelled(say.stakes, stake),
    labelled(say.seatsLabel, seats),
    labelled(say.clock, clock),
    labelled(say.straddlesLabel, straddles),
    labelled(say.anteLabel, ante),
  );
  return { element, config: chosen };
}

/** How late those see the table who have no seat, whether they see cards, and how many they may be; null in a house that shows all tables live. */
function railField({ rail_delay_max_ms: most = 0, rail_cards_delay_min_ms: least = 0, rail_viewers_max: viewers = 0 }) {
  const delays = RAIL_S.filter((s) => s * 1_000 <= most);
  if (delays.length < 2) return null;
  const field = select("rail", delays.map((s) => [String(s * 1_000), () => (s === 0 ? say.railLive() : say.railLate(s))]), "0");
  const help = el("small", { class: "hint", text: say.railHelp });
  const cards = select("rail-cards", Object.entries(say.railCardsAre).map(([key, word]) => [key, word]), "never");
  const delayed = [...cards.options].find(({ value }) => value === "delayed");
  const fit = () => {
    delayed.disabled = Number(field.value) < least;
    if (delayed.disabled && cards.value === "delayed") cards.value = "after_hand";
  };
  field.addEventListener("change", fit);
  fit();
  const mosts = RAIL_MOST.filter((count) => count <= viewers);
  const count = select("rail-most", mosts.map((count) => [String(count), () => say.railMostIs(count)]), mosts.length > 0 ? "0" : undefined);
  const chosen = () => {
    const isUsual = field.value === "0" && cards.value === "never" && Number(count.value) === 0;
    const rail = { delay_ms: Number(field.value), ...(cards.value === "never" ? {} : { cards: cards.value }) };
    if (Number(count.value) > 0) rail.viewers_max = Number(count.value);
    return isUsual ? {} : { rail };
  };
  // A house of an earlier release shows nobody's cards.
  const cardsHelp = el("small", { class: "hint", text: () => say.railCardsHelp(least / 60_000) });
  const countField = viewers > 0 ? labelled(say.railMost, count, el("small", { class: "hint", text: say.railMostHelp })) : null;
  const cardsField = least > 0 ? labelled(say.railCards, cards, cardsHelp) : null;
  return { element: el("div", { class: "hosted-fields" }, labelled(say.rail, field, help), cardsField, countField), chosen };
}

function anteOf(config) {
  if (!config?.ante) return "none";
  return config.ante_kind === "big_blind" ? "big_blind" : "each_player";
}

export function select(name, options, value) {
  const field = el("select", { name, data: { testid: `open-${name}` } }, ...options.map(([key, word]) => el("option", { value: key, text: word })));
  if (value !== undefined) field.value = value;
  return field;
}

export function labelled(label, field, help = null) {
  return el("label", { class: "form-field" }, el("span", { class: "label", text: label }), field, help);
}

export function buttons(cancel, ok) {
  return el("div", { class: "dialog-buttons" }, el("button", { class: "button", type: "button", text: say.cancel, on: { click: cancel } }), ok);
}
