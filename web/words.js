/** Events as sentences, for the hand log and for those who hear the page. */
import { cardSigns, chips, count } from "./format.js";
import { kickers } from "./hand-rank.js";
import { handWords } from "./hand-words.js";
import { isolated } from "./names.js";

/**
 * @param {object} event
 * @param {object} view the table before the event
 * @returns {{text: string, kind: "hand"|"street"|"win"|"act"|"table"} | null} null for what is not worth a line
 */
export function describe(event, view) {
  const line = LINES[event.e]?.(event, view);
  return line ? { text: line[1], kind: line[0] } : null;
}

const BLINDS = {
  ante: "the ante",
  small: "the small blind",
  big: "the big blind",
  straddle: "a straddle",
  live: "a live blind",
  dead: "a dead blind",
};
const STREETS = { flop: "Flop", turn: "Turn", river: "River" };

const LINES = {
  __proto__: null,
  seated: ({ name, bot, seat, stack }) => ["table", `${isolated(name)}${bot ? ", a bot," : ""} sits down in seat ${seat + 1} with ${chips(stack)}`],
  left: ({ seat, stack }, view) => ["table", `${who(view, seat)} leaves with ${chips(stack)}`],
  top_up_promised: ({ seat, amount }, view) => ["table", `${who(view, seat)} adds ${chips(amount)} after this hand`],
  topped_up: ({ seat, amount }, view) => ["table", `${who(view, seat)} adds ${chips(amount)}`],
  top_up_lapsed: ({ seat, amount }, view) => ["table", `${who(view, seat)} keeps ${chips(amount)} that may not be added`],
  status: ({ seat, status }, view) => (status in STATUS ? ["table", `${who(view, seat)} ${STATUS[status]}`] : null),
  away: ({ seat, away }, view) => ["table", `${who(view, seat)} ${away ? "has lost the connection" : "is back"}`],
  hand_started: ({ hand }) => ["hand", `Hand ${chips(hand)}`],
  posted: ({ seat, blind, amount }, view) => ["act", `${who(view, seat)} posts ${BLINDS[blind]}, ${chips(amount)}`],
  acted: (event, view) => ["act", `${who(view, event.seat)} ${acted(event)}`],
  returned: ({ seat, amount }, view) => ["act", `${chips(amount)} not called goes back to ${who(view, seat)}`],
  street: ({ street, cards, run }) => ["street", `${STREETS[street] ?? street}${run > 0 ? `, run ${run + 1}` : ""}: ${cardSigns(cards)}`],
  shown: ({ seat, cards, rank, hands }, view) => ["act", `${who(view, seat)} shows ${cardSigns(cards)}${shownWords(rank, hands)}`],
  mucked: ({ seat }, view) => ["act", `${who(view, seat)} mucks`],
  history_lost: ({ frames }) => ["table", `The table's memory has a gap of ${count(frames, "frame")}`],
};

const STATUS = {
  __proto__: null,
  playing: "is dealt in",
  waiting: "waits for the big blind",
  sitting_out: "sits out",
  leaving: "will leave after this hand",
};

/** What a shown hand makes; of a house that tells no `hands`, its class. */
function shownWords(rank, [hand, ...more] = []) {
  const words = hand && more.length === 0 ? handWords(hand) : "";
  return words || rank ? `, ${words || rank}` : "";
}

function acted({ kind, amount, to, all_in, timeout }) {
  const words = {
    fold: "folds",
    check: "checks",
    call: `calls ${chips(amount)}`,
    bet: `bets ${chips(to)}`,
    raise: `raises to ${chips(to)}`,
  }[kind];
  return `${words}${all_in ? " and is all-in" : ""}${timeout ? " (out of time)" : ""}`;
}

function who(view, seat) {
  const name = view.seats[seat]?.name;
  return name === undefined ? `Seat ${seat + 1}` : isolated(name);
}

/** The house names ranks bare: `flush`, but `one pair`. */
const NEEDS_ARTICLE = /^(straight|flush|full house|royal flush)/;

/**
 * Who won the hand, and with what, a line each: `Ann wins 240 with two pair, aces and kings`. Where there are several pots or boards the
 * lines name them.
 */
export function result(view, story) {
  const parts = shares(story);
  const runs = new Set(parts.map(({ run }) => run)).size;
  const pots = new Set(parts.flatMap((part) => part.pots)).size;
  const lines = parts.map((part) => {
    const names = part.seats.map((seat) => winner(view, story, seat));
    const board = runs > 1 ? `Board ${part.run + 1}: ` : "";
    const from = part.pots.length < pots ? ` from ${part.pots.map(potWords).join(" and ")}` : "";
    const verb = names.length > 1 ? "share" : "wins";
    return `${board}${list(names)} ${verb} ${chips(part.amount)}${from}${withWhat(story, part)}`;
  });
  return lines.join("\n");
}

/** The same where there is little room: `Ann +240, Bob +120`. */
export function shortResult(view, story) {
  return [...story.won].map(([seat, amount]) => `${winner(view, story, seat)} +${chips(amount)}`).join(", ");
}

/** The same where not even names fit: `6 winners, 72,000`. Who they are stands at their seats. */
export function shortestResult({ won }) {
  const all = chips([...won.values()].reduce((sum, amount) => sum + amount, 0));
  return won.size > 1 ? `${won.size} winners, ${all}` : `+${all}`;
}

/** What awards come to: one part for each board and its winners, who may have won several pots there. */
function shares(story) {
  const cells = new Map();
  for (const { seat, pot, run, amount } of story.awards) {
    const cell = cells.get(`${run}-${pot}`) ?? { run, pots: [pot], seats: [], amount: 0 };
    if (!cell.seats.includes(seat)) cell.seats.push(seat);
    cells.set(`${run}-${pot}`, { ...cell, amount: cell.amount + amount });
  }
  const parts = new Map();
  for (const cell of cells.values()) {
    const key = `${cell.run}: ${[...cell.seats].sort((one, other) => one - other).join(" ")}`;
    const part = parts.get(key);
    parts.set(key, part ? { ...part, pots: [...part.pots, ...cell.pots], amount: part.amount + cell.amount } : cell);
  }
  return [...parts.values()].sort((one, other) => one.run - other.run);
}

function withWhat(story, { seats, run }) {
  const hand = story.hand(seats[0], run);
  if (!hand) {
    const rank = story.ranks.get(seats[0]);
    return rank ? ` with ${NEEDS_ARTICLE.test(rank) ? "a " : ""}${rank}` : "";
  }
  const others = [...story.hands.values()].filter((other) => other.run === run && !seats.includes(other.seat));
  return ` with ${handWords(hand, kickers(hand, others))}`;
}

function winner(view, story, seat) {
  const name = story.winners.get(seat);
  return name === undefined ? who(view, seat) : isolated(name);
}

function potWords(pot) {
  return pot === 0 ? "the main pot" : `side pot ${pot}`;
}

function list(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** What hands make that were shown before the board was there, and whom the pots went to: lines for the log at the end of a hand. */
export function ending(view, story) {
  const known = [...story.hands.values()].filter(({ seat }) => !story.ranks.has(seat));
  const made = known.map((hand) => ({ kind: "act", text: `${who(view, hand.seat)} has ${handWords(hand)}${hand.run > 0 ? ` on board ${hand.run + 1}` : ""}` }));
  const won = result(view, story).split("\n").filter(Boolean);
  return [...made, ...won.map((text) => ({ kind: "win", text }))];
}
