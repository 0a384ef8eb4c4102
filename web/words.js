/** Events as sentences, for the hand log and for those who hear the page. */
import { cardSigns, chips, count } from "./format.js";
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
  shown: ({ seat, cards, rank }, view) => ["act", `${who(view, seat)} shows ${cardSigns(cards)}${rank ? `, ${rank}` : ""}`],
  mucked: ({ seat }, view) => ["act", `${who(view, seat)} mucks`],
  won: ({ seat, pot, amount }, view) => ["win", `${who(view, seat)} wins ${chips(amount)}${potName(view, pot)}`],
  history_lost: ({ frames }) => ["table", `The table's memory has a gap of ${count(frames, "frame")}`],
};

const STATUS = {
  __proto__: null,
  playing: "is dealt in",
  waiting: "waits for the big blind",
  sitting_out: "sits out",
  leaving: "will leave after this hand",
};

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

function potName(view, pot) {
  if ((view.hand?.pots.length ?? 0) < 2) return "";
  return pot === 0 ? " from the main pot" : ` from side pot ${pot}`;
}

function who(view, seat) {
  const name = view.seats[seat]?.name;
  return name === undefined ? `Seat ${seat + 1}` : isolated(name);
}

/** The house names ranks bare: `flush`, but `one pair`. */
const NEEDS_ARTICLE = /^(straight|flush|full house|royal flush)/;

/** Who won the hand, a line each: `Ann wins 240 with two pair, aces and kings`. */
export function result(view, story) {
  const lines = [...story.won].map(([seat, amount]) => {
    const rank = story.ranks.get(seat);
    const winner = story.winners.get(seat);
    const name = winner === undefined ? who(view, seat) : isolated(winner);
    return `${name} wins ${chips(amount)}${rank ? ` with ${NEEDS_ARTICLE.test(rank) ? "a " : ""}${rank}` : ""}`;
  });
  return lines.join("\n");
}

/** The same where there is little room: `Ann 240, Bob 120`. */
export function shortResult(view, story) {
  const names = [...story.won].map(([seat, amount]) => {
    const winner = story.winners.get(seat);
    return `${winner === undefined ? who(view, seat) : isolated(winner)} +${chips(amount)}`;
  });
  return names.join(", ");
}
