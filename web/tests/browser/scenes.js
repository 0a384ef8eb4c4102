/**
 * Tables made up for looking at: `scenes.NAME({seats, holeCards, ...})` answers what `fakeHouse.show` takes. Each is the
 * fullest of its kind: every seat taken, everybody has bet, names and amounts long.
 */
(() => {
  const NAMES = ["Morgan", "Wilhelmina", "Bo", "Aleksandra", "Cy", "Christopher K.", "다람쥐헌쳇바퀴", "Ed", "Maximiliane", "Zoë"];
  const RANKS = "23456789TJQKA";
  const SUITS = "cdhs";
  const DECK = [...RANKS].flatMap((rank) => [...SUITS].map((suit) => rank + suit));
  const BOARD = ["Ts", "7h", "7d", "Qc", "2s"];
  const VARIANTS = { 2: "holdem", 4: "omaha4", 5: "omaha5", 6: "omaha6" };

  /** The `count` cards of a seat, other than those of the board and of other seats. */
  function hand(seat, count) {
    const rest = DECK.filter((card) => !BOARD.includes(card));
    return Array.from({ length: count }, (_, at) => rest[(seat * count + at) % rest.length]);
  }

  function table({ seats, holeCards = 2, mine = 0, stack = 12_480 }) {
    const config = {
      name: "Aspen", seats, variant: VARIANTS[holeCards] ?? "holdem", limit: "no_limit", small_blind: 50, big_blind: 100,
      ante_kind: "each_player", ante: 0, straddles: "none", button_rule: "dead", blinds_owed: "post_or_wait",
      rake: { basis_points: 0, cap: 0 }, buy_in_min: 4_000, buy_in_max: 40_000, turn_ms: 15_000, bank_ms: 30_000,
      bank_refill_ms: 1_000, pause_ms: 2_500, runout_ms: 900, away_ms: 15_000, away_bank_ms: 45_000, away_refill_ms: 1_000,
      away_turns: 2, sit_out_ms: 300_000, rathole_ms: 1_800_000, runs_max: 1,
    };
    const seat = (at) => ({
      user: at === mine ? "me" : `u${at}`, name: NAMES[at], bot: at % 3 === 2, stack: stack + 1_111 * at, bet: 0, top_up: 0, status: "playing",
      away: false, bank_ms: 30_000, in_hand: true, folded: false, shown: [],
    });
    return { config, seats: Array.from({ length: seats }, (_, at) => seat(at)), hand: null, next_ms: null, chips: { bought: 0, cashed: 0, raked: 0 } };
  }

  function deal(state, { holeCards = 2, street, boards, pots = [] }) {
    state.hand = { hand: 1017, button: state.seats.length - 1, street, hole_cards: holeCards, boards, pots, turn: null, ended: false };
  }

  function turnOf(seat, more = {}) {
    return { turn: 7, seat, deadline_ms: Date.now() + 12_000, call: 1_250, raise: { min: 2_500, max: 12_480, bet: false }, ...more };
  }

  function mineOf({ mine = 0, holeCards = 2 }) {
    return mine === null ? undefined : { hand: 1017, cards: hand(mine, holeCards) };
  }

  /** Everybody has bet on the turn, there is a side pot, and `turn` (me) is to raise; with `waits` I come later and have not acted. */
  function betting(wish) {
    const { seats, mine = 0, turn = mine ?? 0, holeCards = 2, waits = false } = wish;
    const state = table(wish);
    const pots = [{ amount: 18_300, seats: [...Array(seats).keys()] }, { amount: 4_650, seats: [0, 1] }];
    deal(state, { holeCards, street: "turn", boards: [BOARD.slice(0, 4)], pots });
    const events = [];
    state.seats.forEach((_, at) => {
      if (at === turn || (waits && at === mine)) return;
      events.push({ e: "acted", seat: at, kind: at % 2 ? "raise" : "call", amount: 1_250, to: 1_250, all_in: false, timeout: false });
    });
    events.push({ e: "turn", ...turnOf(turn) });
    return { state, own: mineOf(wish), events };
  }

  /** All hands are face up, two share the main pot, or as many as `winners` says. */
  function showdown(wish) {
    const { seats, holeCards = 2, runs = 1, shows = seats, winners = 2 } = wish;
    const state = table(wish);
    const boards = Array.from({ length: runs }, () => BOARD);
    deal(state, { holeCards, street: "river", boards, pots: [{ amount: 12_000 * Math.max(winners, runs), seats: [...Array(seats).keys()] }] });
    const events = Array.from({ length: shows }, (_, at) => ({ e: "shown", seat: at, cards: hand(at, holeCards), rank: "", hands: [] }));
    for (let run = 0; run < runs; run += 1) {
      // One board alone is shared; of several each has a winner.
      for (const seat of runs === 1 ? Array(winners).keys() : [run % 2]) events.push({ e: "won", seat, pot: 0, amount: 12_000, run });
    }
    const made = (seat, run) => ({ seat, run, class: "full_house", ranks: "7Q", cards: ["7h", "7d", hand(seat, holeCards)[0], "Qc", hand(seat, holeCards)[1]] });
    const hands = Array.from({ length: shows }, (_, seat) => Array.from({ length: runs }, (__, run) => made(seat, run))).flat();
    events.push({ e: "hand_ended", hand: 1017, next_ms: Date.now() + 60_000, hands });
    return { state, own: mineOf(wish), events };
  }

  const CHIPS = new Set(["stack", "bet", "amount", "to", "call", "min", "max", "small_blind", "big_blind", "buy_in_min", "buy_in_max"]);

  /** A scene with so many times the chips. */
  function richer(scene, times) {
    return JSON.parse(JSON.stringify(scene), (key, value) => (CHIPS.has(key) && typeof value === "number" ? value * times : value));
  }

  /** Nobody but me sits here. */
  function alone(wish) {
    const state = table(wish);
    state.seats = state.seats.map((seat, at) => (at === (wish.mine ?? 0) ? { ...seat, in_hand: false } : null));
    return { state };
  }

  const bettingMillions = (wish) => richer(betting(wish), 1_111);
  const showdownMillions = (wish) => richer(showdown(wish), 1_111);

  window.scenes = { alone, betting, bettingMillions, showdownMillions, showdown, table, deal, turnOf, hand, BOARD };
})();
