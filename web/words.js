/**
 * Events as sentences, for the hand log and for those who hear the page. A line is kept as a function that tells it, and knows by then
 * all that it needs: the table goes on, and the language may change.
 */
import { amountIn } from "./currencies.js";
import { cardSigns, stakes } from "./format.js";
import { game } from "./games.js";
import { kickers } from "./hand-rank.js";
import { handWords, rankWords } from "./hand-words.js";
import { isolated } from "./names.js";
import { say } from "./phrases/log.js";

/**
 * @param {object} event
 * @param {object} view the table before the event
 * @returns {{text: () => string, kind: "hand"|"street"|"win"|"act"|"table", shared: object|null} | null} null for what is not worth a line;
 *   `shared` when others may have done the same right before, see `together`
 */
export function describe(event, view) {
  const line = LINES[event.e]?.(event, view);
  return line ? { text: line[1], kind: line[0], shared: shared(event, view) } : null;
}

function shared(event, view) {
  const { e, seat, amount } = event;
  if (e === "posted" && event.blind === "ante") return { key: `ante ${amount}`, who: [nameOf(view, seat)], tell: (who) => say.together.ante(who, told(view)(amount)) };
  if (e !== "acted" || event.timeout || !["fold", "check"].includes(event.kind)) return null;
  return { key: event.kind, who: [nameOf(view, seat)], tell: say.together[event.kind] };
}

/** One line for two: several who do the same one after the other. Null when they did not. */
export function together(line, next) {
  if (!line?.shared || line.shared.key !== next.shared?.key) return null;
  const { key, tell } = next.shared;
  const who = [...line.shared.who, ...next.shared.who];
  return { ...next, text: () => tell(who.map((name) => name())), shared: { key, who, tell } };
}

/** Tells amounts at a table, in what its chips are. */
function told({ currency }) {
  return (amount) => amountIn(currency, amount);
}

const LINES = {
  __proto__: null,
  seated: ({ name, bot, seat, stack }, view) => ["table", () => say.seated(isolated(name), bot, seat + 1, told(view)(stack))],
  left: ({ seat, stack }, view) => by(view, seat, "table", (who) => say.left(who, told(view)(stack))),
  top_up_promised: ({ seat, amount }, view) => by(view, seat, "table", (who) => say.promised(who, told(view)(amount))),
  // Of chips that were promised it has been told.
  topped_up: ({ seat, amount }, view) => (view.seats[seat]?.top_up > 0 ? null : by(view, seat, "table", (who) => say.added(who, told(view)(amount)))),
  top_up_lapsed: ({ seat, amount }, view) => by(view, seat, "table", (who) => say.kept(who, told(view)(amount))),
  status: ({ seat, status }, view) => (status in say.status && isNews(status, view.seats[seat]?.status) ? by(view, seat, "table", (who) => say.status[status](who)) : null),
  away: ({ seat, away }, view) => by(view, seat, "table", (who) => (away ? say.away : say.back)(who)),
  hand_started: ({ hand }) => ["hand", () => say.hand(hand)],
  posted: ({ seat, blind, amount }, view) => by(view, seat, "act", (who) => say.posted(who, say.blind[blind]?.() ?? blind, told(view)(amount))),
  acted: (event, view) => (event.kind in say.acted ? by(view, event.seat, "act", (who) => acted(event, who, told(view))) : null),
  returned: ({ seat, amount }, view) => by(view, seat, "act", (who) => say.returned(who, told(view)(amount))),
  runs_voted: ({ seat, boards }, view) => by(view, seat, "act", (who) => say.runsVoted(who, boards)),
  runs_agreed: ({ boards }) => (boards > 1 ? ["street", () => say.runsAgreed(boards)] : null),
  street: ({ street, cards, run }) => ["street", () => dealt(say.street[street]?.() ?? street, run, cardSigns(cards))],
  shown: ({ seat, cards, rank, hands }, view) => by(view, seat, "act", (who) => shown(who, cardSigns(cards), madeOf(rank, hands))),
  mucked: ({ seat }, view) => by(view, seat, "act", (who) => say.mucked(who)),
  configured: ({ config }, view) => ["table", () => say.configured(game(config), stakes(told(view)(config.small_blind), told(view)(config.big_blind)))],
  history_lost: ({ frames }) => ["table", () => say.historyLost(frames)],
};

/** Who has sat down to play is dealt in one day, and waits until then: only who comes back is worth a line. */
function isNews(status, before) {
  return !["playing", "waiting"].includes(status) || before === "sitting_out";
}

/** A line about somebody in a seat. */
function by(view, seat, kind, tell) {
  const who = nameOf(view, seat);
  return [kind, () => tell(who())];
}

/** Tells who sits there now, also when they have left. */
function nameOf(view, seat, name = view.seats[seat]?.name) {
  return name === undefined ? () => say.seat(seat + 1) : () => isolated(name);
}

function dealt(street, run, cards) {
  return run > 0 ? say.dealtRun(street, run + 1, cards) : say.dealt(street, cards);
}

function shown(who, cards, hand) {
  return hand === "" ? say.shown(who, cards) : say.shownHand(who, cards, hand);
}

/** What a shown hand makes; of a house that tells no `hands`, its class. */
function madeOf(rank, [hand, ...more] = []) {
  const words = hand && more.length === 0 ? handWords(hand) : "";
  return words || (rank ? rankWords(rank) : "");
}

function acted({ kind, amount, to, all_in, timeout }, who, of) {
  const did = say.acted[kind](who, of(amount), of(to));
  const all = all_in ? say.allIn(did) : did;
  return timeout ? say.outOfTime(all) : all;
}

/**
 * Who won the hand, and with what, a line each: `Ann wins 240 with two pair, aces and kings`. Where there are several pots or boards the
 * lines name them.
 */
export function result(view, story) {
  return winLines(view, story).map((tell) => tell()).join("\n");
}

function winLines(view, story) {
  const parts = shares(story);
  const runs = new Set(parts.map(({ run }) => run)).size;
  const pots = new Set(parts.flatMap((part) => part.pots)).size;
  return parts.map((part) => {
    const names = part.seats.map((seat) => winner(view, story, seat));
    const board = runs > 1 ? part.run + 1 : null;
    const from = part.pots.length < pots ? part.pots : null;
    const hand = withWhat(story, part);
    return () => say.won({ names: names.map((name) => name()), amount: told(view)(part.amount), board, pots: from, hand: hand() });
  });
}

/** The same where there is little room: `Ann +240, Bob +120`. */
export function shortResult(view, story) {
  return [...story.won].map(([seat, amount]) => say.wonBrief(winner(view, story, seat)(), told(view)(amount))).join(", ");
}

/** The same where not even names fit: `6 winners, 72,000`. Who they are stands at their seats. */
export function shortestResult(view, { won }) {
  const all = [...won.values()].reduce((sum, amount) => sum + amount, 0);
  return won.size > 1 ? say.sumOf(won.size, told(view)(all)) : say.sum(told(view)(all));
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

/** Tells the hand that has won, and the kickers that have decided. */
function withWhat(story, { seats, run }) {
  const hand = story.hand(seats[0], run);
  if (!hand) {
    const rank = story.ranks.get(seats[0]);
    return () => (rank ? rankWords(rank) : "");
  }
  const others = [...story.hands.values()].filter((other) => other.run === run && !seats.includes(other.seat));
  const deciding = kickers(hand, others);
  return () => handWords(hand, deciding);
}

function winner(view, story, seat) {
  return nameOf(view, seat, story.winners.get(seat) ?? view.seats[seat]?.name);
}

/** What hands make that were shown before the board was there, and whom the pots went to: lines for the log at the end of a hand. */
export function ending(view, story) {
  const known = [...story.hands.values()].filter(({ seat }) => !story.ranks.has(seat));
  const made = known.map((hand) => {
    const who = nameOf(view, hand.seat);
    const text = () => (hand.run > 0 ? say.hasOn(who(), handWords(hand), hand.run + 1) : say.has(who(), handWords(hand)));
    return { kind: "act", text };
  });
  return [...made, ...winLines(view, story).map((text) => ({ kind: "win", text }))];
}
