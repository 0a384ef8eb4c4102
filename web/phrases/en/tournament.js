/** Tournaments. */
import { chips } from "../../format.js";
import { count } from "./words.js";

export const tournament = {
  nowhere: () => "There is nothing at this address",
  nowhereWhy: () => "A letter of it may be wrong, or it is older than the house. The tables are in the lobby.",
  title: () => "Tournaments",
  sitAndGo: () => "Sit & go",
  find: () => "Find a tournament",
  findBy: () => "Find a tournament by name or game",
  placesFree: () => "Places free",
  pages: () => "Pages of tournaments",
  nothingFits: () => "No tournament fits. Take a filter away.",
  all: () => "All tournaments",
  none: () => "No tournament takes entries here.",
  buyIn: (buyIn) => `Buy-in ${buyIn}`,
  about: (buyIn, pool) => `Buy-in ${buyIn}, prizes ${pool}`,
  begins: (when) => `Begins ${when}`,
  looking: () => "Looking for the tournament",
  gone: () => "This tournament is over and gone.",
  phase: {
    registering: () => "Open for entries",
    running: () => "Being played",
    ended: () => "Over",
    cancelled: () => "Called off",
  },
  register: () => "Register",
  registerFor: (cost) => `Register for ${cost}`,
  unregister: () => "Unregister",
  paying: () => "Your chips are being asked for. You take part as soon as they have come.",
  takeBack: () => "Take it back",
  tooLittle: (has, cost) => `You have ${has}. An entry costs ${cost}.`,
  myTable: () => "To my table",
  next: () => "The next one",
  watch: () => "Watch",
  bot: () => "bot",
  standings: () => "Standings",
  prizes: () => "Prizes",
  nobodyYet: () => "Nobody has entered yet.",
  prizesLater: () => "Shared out of the buy-ins when it begins.",
  whenFull: () => "when full",
  isBreak: () => "Break",
  paused: () => "paused",
  level: (number, blinds, ante) => `${number}: ${blinds}${ante > 0 ? `, ante ${chips(ante)}` : ""}`,
  fact: {
    entries: () => "Entries",
    left: () => "Left",
    cost: () => "Buy-in",
    pool: () => "Prize pool",
    stack: () => "Stack",
    starts: () => "Begins",
    level: () => "Level",
    next: () => "Next level in",
  },
  places: (from, to) => (from === to ? `${chips(from)}.` : `${chips(from)}. to ${chips(to)}.`),
  placed: (place, prize) => (prize > 0 ? `${chips(place)}. place, ${chips(prize)}` : `${chips(place)}. place`),
  youPlaced: (place, prize, isPaid) => {
    const where = place === 1 ? "You have won the tournament." : `You have finished in place ${chips(place)}.`;
    const told = prize > 0 ? `${where} Your prize: ${chips(prize)}` : where;
    return isPaid && prize > 0 ? `${told}. It is paid to your balance.` : told;
  },
  winner: (name, prize) => `${name} has won the tournament and ${chips(prize)}`,
  wasCancelled: (isPaid) => `There were too few entries, or the house has called it off.${isPaid ? " What an entry has cost is given back." : ""}`,
  line: ({ number, left, isBreak, paused, players, entries, inStep }) => {
    const level = paused ? "Paused" : isBreak ? "Break" : `Level ${chips(number)}`;
    const next = left === "" ? "" : `, next in ${left}`;
    return `${level}${next} · ${chips(players)} of ${chips(entries)} left${inStep ? " · hand for hand" : ""}`;
  },
  penalized: (hands) => (hands > 0 ? `A director has you sit out ${count(hands, "hand")}.` : "Your penalty is over."),
  disqualified: () => "A director has disqualified you.",
  direct: {
    title: () => "Direct",
    pause: () => "Pause",
    resume: () => "Go on",
    add: () => "One minute more",
    player: () => "Direct a player",
    cancel: () => "Call it off",
    who: () => "Player",
    hands: () => "Hands to sit out",
    penalty: () => "Penalize",
    disqualify: () => "Disqualify",
    no: () => "Leave it",
    calledOff: { title: () => "Call the tournament off?", text: (costs) => (costs ? "Nobody takes part any more. What entries have cost is given back." : "Nobody takes part any more."), yes: () => "Call it off", no: () => "Leave it" },
    takenOut: { title: () => "Disqualify?", text: (name) => `${name} goes when the hand is over, and nobody gets the chips.`, yes: () => "Disqualify", no: () => "Leave it" },
  },
  refused: {
    unchanged: () => "You take part already.",
    late: () => "It has begun: it is too late for that.",
    no_seat: ({ retry_after_ms }) => (retry_after_ms ? "The last entries wait for their chips. Try again in a moment." : "All entries are taken."),
    not_seated: () => "You do not take part.",
    unavailable: ({ retry_after_ms }) => `The house cannot do that at the moment, so nothing was taken and nothing has changed. Try again in ${chips(Math.max(1, Math.ceil((retry_after_ms ?? 0) / 1000)))} s.`,
  },
};
