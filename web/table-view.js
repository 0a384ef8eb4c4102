/**
 * A table as everybody sees it: the state of a keyframe, and what events do to it.
 *
 * A port of `TableView::apply` (shared/protocol/src/table/view.rs), event by event: the folded view must be equal to
 * the next keyframe, field by field. Whoever changes one side changes the other.
 */

/** An event that does not fit the view: one of the two is wrong, and the next keyframe replaces the view. */
export class Misfit extends Error {
  constructor(why) {
    super(`an event does not fit the table: ${why}`);
    this.name = "Misfit";
  }
}

/** An empty table with these settings. */
export function newTableView(config) {
  return {
    config,
    seats: Array(config.seats).fill(null),
    hand: null,
    next_ms: null,
    chips: { bought: 0, cashed: 0, raked: 0 },
  };
}

/** Chips that lie on the table: stacks, bets and pots. */
export function chipsOnTable(view) {
  let chips = 0;
  for (const seat of view.seats) if (seat) chips += seat.stack + seat.bet;
  for (const pot of view.hand?.pots ?? []) chips += pot.amount;
  return chips;
}

/** Whether what came in is what lies here or went out. */
export function conservesChips(view) {
  return view.chips.bought === chipsOnTable(view) + view.chips.cashed + view.chips.raked;
}

/** The seat number of a user, or null. */
export function seatOf(view, user) {
  const at = view.seats.findIndex((seat) => seat?.user === user);
  return at < 0 ? null : at;
}

/** Whether somebody on this seat, or nobody, has cards in a hand that is being played. */
export function hasCards(seat, hand) {
  return Boolean(seat?.in_hand && !seat.folded && hand && !hand.ended);
}

/**
 * Does to `view`, in place, what an event says: nothing, if this page does not know it, for a newer house may say more.
 * @returns {boolean} whether it knows it
 * @throws {Misfit} when the event speaks of a seat, hand, pot or chips that are not there; the view may then be half changed.
 */
export function applyEvent(view, event) {
  const apply = APPLY[event.e];
  apply?.(view, event);
  return apply !== undefined;
}

/** A seat waits for chips no more. */
function release(view, seat) {
  if (view.reserved) view.reserved = view.reserved.filter((reserved) => reserved.seat !== seat);
}

const STRAIGHT_INTO_THE_POT = new Set(["ante", "dead"]);

const APPLY = {
  __proto__: null,
  seated(view, { seat, user, name, bot = false, stack, status, bank_ms }) {
    if (!(seat in view.seats)) throw new Misfit("no such seat");
    if (view.seats[seat]) throw new Misfit("the seat is taken");
    view.seats[seat] = {
      user,
      name,
      bot,
      stack,
      bet: 0,
      top_up: 0,
      status,
      away: false,
      bank_ms,
      in_hand: false,
      folded: false,
      shown: [],
    };
    view.chips.bought += stack;
    release(view, seat);
  },
  hosted(view, { hosted }) {
    view.hosted = hosted;
  },
  waiting_list(view, { waiting_list: list }) {
    if (list.waiting.length + list.called.length > 0) view.waiting_list = list;
    else delete view.waiting_list;
  },
  reserved(view, { seat, user, name }) {
    view.reserved?.push({ seat, user, name });
  },
  freed(view, { seat }) {
    release(view, seat);
  },
  left(view, { seat, stack }) {
    const left = seatAt(view, seat);
    view.seats[seat] = null;
    if (left.stack !== stack || left.bet !== 0) throw new Misfit("left with other chips than those of the seat");
    view.chips.cashed += stack;
  },
  top_up_promised(view, { seat, amount }) {
    seatAt(view, seat).top_up += amount;
  },
  topped_up(view, { seat, amount }) {
    const player = seatAt(view, seat);
    player.stack += amount;
    player.top_up = 0;
    view.chips.bought += amount;
  },
  top_up_lapsed(view, { seat }) {
    seatAt(view, seat).top_up = 0;
  },
  status(view, { seat, status }) {
    seatAt(view, seat).status = status;
  },
  away(view, { seat, away }) {
    seatAt(view, seat).away = away;
  },
  hand_started(view, { hand, button, seats }) {
    view.seats.forEach((seat, at) => {
      if (!seat) return;
      seat.in_hand = seats.includes(at);
      seat.folded = false;
      seat.shown = [];
      if (seat.bet !== 0) throw new Misfit("a bet is left from the last hand");
    });
    view.hand = {
      hand,
      button,
      street: "preflop",
      hole_cards: 0,
      boards: [[]],
      pots: [],
      turn: null,
      ended: false,
      runs: null,
    };
    view.next_ms = null;
  },
  posted(view, { seat, blind, amount }) {
    const player = seatAt(view, seat);
    player.stack = less(player.stack, amount, "posted more than the stack");
    if (STRAIGHT_INTO_THE_POT.has(blind)) firstPot(view).amount += amount;
    else player.bet += amount;
  },
  dealt(view, { cards }) {
    handOf(view).hole_cards = cards;
  },
  turn(view, { turn, seat, deadline_ms, call = null, raise = null }) {
    handOf(view).turn = { turn, seat, deadline_ms, call, raise };
  },
  bank(view, { seat, deadline_ms }) {
    const { turn } = handOf(view);
    if (turn?.seat !== seat) throw new Misfit("the time bank of a player whose turn it is not");
    turn.deadline_ms = deadline_ms;
  },
  acted(view, { seat, kind, amount, to, all_in }) {
    handOf(view).turn = null;
    const player = seatAt(view, seat);
    player.stack = less(player.stack, amount, "bet more than the stack");
    player.bet += amount;
    player.folded ||= kind === "fold";
    if (player.bet !== to || (player.stack === 0) !== all_in) throw new Misfit("an action that does not add up");
  },
  returned(view, { seat, amount }) {
    const player = seatAt(view, seat);
    player.bet = less(player.bet, amount, "returned more than was bet");
    player.stack += amount;
  },
  collected(view, { pots }) {
    for (const seat of view.seats) if (seat) seat.bet = 0;
    handOf(view).pots = structuredClone(pots);
  },
  runs_offered(view, { max, seats, deadline_ms }) {
    handOf(view).runs = { max, seats: [...seats], deadline_ms };
  },
  runs_voted(view, { seat }) {
    const { runs } = handOf(view);
    if (!runs) throw new Misfit("an answer to what was not asked");
    runs.seats = runs.seats.filter((asked) => asked !== seat);
  },
  runs_agreed(view, { boards }) {
    const hand = handOf(view);
    const [first] = hand.boards;
    hand.runs = null;
    hand.boards = Array.from({ length: boards }, () => [...first]);
  },
  street(view, { street, cards, run }) {
    const hand = handOf(view);
    hand.street = street;
    if (run > hand.boards.length) throw new Misfit("a board before its predecessor");
    if (run === hand.boards.length) hand.boards.push([]);
    hand.boards[run].push(...cards);
  },
  shown(view, { seat, cards }) {
    seatAt(view, seat).shown = [...cards];
  },
  mucked(view, { seat }) {
    seatAt(view, seat).folded = true;
  },
  raked(view, { pot, amount }) {
    take(view, pot, amount);
    view.chips.raked += amount;
  },
  won(view, { seat, pot, amount }) {
    take(view, pot, amount);
    seatAt(view, seat).stack += amount;
  },
  hand_ended(view, { hand, next_ms }) {
    const shown = handOf(view);
    if (shown.hand !== hand) throw new Misfit("another hand ended");
    shown.ended = true;
    shown.street = "showdown";
    shown.turn = null;
    shown.pots = shown.pots.filter((pot) => pot.amount > 0);
    view.next_ms = next_ms;
  },
  bank_left(view, { seat, bank_ms }) {
    seatAt(view, seat).bank_ms = bank_ms;
  },
  configured(view, { config }) {
    if (config.seats !== view.seats.length) throw new Misfit("settings for another number of seats");
    view.config = structuredClone(config);
  },
  // In a tournament: whoever goes has left already.
  moved() {},
  busted() {},
  chat() {},
  history_lost() {},
};

function seatAt(view, seat) {
  const player = view.seats[seat];
  if (!player) throw new Misfit("nobody sits there");
  return player;
}

function handOf(view) {
  if (!view.hand) throw new Misfit("there is no hand");
  return view.hand;
}

function firstPot(view) {
  const hand = handOf(view);
  if (hand.pots.length === 0) hand.pots.push({ amount: 0, seats: [] });
  return hand.pots[0];
}

function take(view, at, amount) {
  const pot = handOf(view).pots[at];
  if (!pot) throw new Misfit("no such pot");
  pot.amount = less(pot.amount, amount, "more than the pot holds");
}

function less(have, amount, why) {
  if (amount > have) throw new Misfit(why);
  return have - amount;
}
