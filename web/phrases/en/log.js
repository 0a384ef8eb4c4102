/** Events as sentences. */
import { chips } from "../../format.js";
import { count, list } from "./words.js";

const pot = (number) => (number === 0 ? "the main pot" : `side pot ${number}`);

export const log = {
  seat: (seat) => `Seat ${seat}`,
  seated: (who, bot, seat, stack) => `${who}${bot ? ", a bot," : ""} sits down in seat ${seat} with ${chips(stack)}`,
  left: (who, stack) => `${who} leaves with ${chips(stack)}`,
  promised: (who, amount) => `${who} adds ${chips(amount)} after this hand`,
  added: (who, amount) => `${who} adds ${chips(amount)}`,
  kept: (who, amount) => `${who} keeps ${chips(amount)} that may not be added`,
  status: {
    playing: (who) => `${who} is dealt in`,
    waiting: (who) => `${who} waits for the big blind`,
    sitting_out: (who) => `${who} sits out`,
    leaving: (who) => `${who} will leave after this hand`,
  },
  away: (who) => `${who} has lost the connection`,
  back: (who) => `${who} is back`,
  hand: (number) => `Hand ${chips(number)}`,
  blind: {
    ante: () => "the ante",
    small: () => "the small blind",
    big: () => "the big blind",
    straddle: () => "a straddle",
    live: () => "a live blind",
    dead: () => "a dead blind",
  },
  posted: (who, blind, amount) => `${who} posts ${blind}, ${chips(amount)}`,
  acted: {
    fold: (who) => `${who} folds`,
    check: (who) => `${who} checks`,
    call: (who, amount) => `${who} calls ${chips(amount)}`,
    bet: (who, _, to) => `${who} bets ${chips(to)}`,
    raise: (who, _, to) => `${who} raises to ${chips(to)}`,
  },
  allIn: (did) => `${did} and is all-in`,
  outOfTime: (did) => `${did} (out of time)`,
  /** What several do one after the other. */
  together: {
    fold: (who) => `${list(who)} fold`,
    check: (who) => `${list(who)} check`,
    ante: (who, amount) => `${count(who.length, "player")} post the ante, ${chips(amount)} each`,
  },
  returned: (who, amount) => `${chips(amount)} not called goes back to ${who}`,
  street: { flop: () => "Flop", turn: () => "Turn", river: () => "River" },
  dealt: (street, cards) => `${street}: ${cards}`,
  dealtRun: (street, run, cards) => `${street}, run ${run}: ${cards}`,
  shown: (who, cards) => `${who} shows ${cards}`,
  shownHand: (who, cards, hand) => `${who} shows ${cards}, ${hand}`,
  mucked: (who) => `${who} mucks`,
  runsVoted: (who, boards) => `${who} wants ${count(boards, "board")}`,
  runsAgreed: (boards) => `The rest is dealt on ${count(boards, "board")}`,
  configured: (game, stakes) => `The table is set to ${game} ${stakes} from the next hand on`,
  historyLost: (frames) => `The table's memory has a gap of ${count(frames, "frame")}`,
  has: (who, hand) => `${who} has ${hand}`,
  hasOn: (who, hand, board) => `${who} has ${hand} on board ${board}`,

  /** `board` and `pots` (from 0, the main one) are null, and `hand` empty, where they need not be said. */
  won: ({ names, amount, board, pots, hand }) =>
    `${board === null ? "" : `Board ${board}: `}${list(names)} ${names.length > 1 ? "share" : "wins"} ${chips(amount)}` +
    `${pots === null ? "" : ` from ${list(pots.map(pot))}`}${hand === "" ? "" : ` with ${hand}`}`,
  wonBrief: (name, amount) => `${name} +${chips(amount)}`,
  sum: (amount) => `+${chips(amount)}`,
  sumOf: (winners, amount) => `${winners} winners, ${chips(amount)}`,
};
