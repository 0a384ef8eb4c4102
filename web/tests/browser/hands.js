/**
 * Hands made up for playing many: `hands.play(count)` has them all happen at once, `hands.each(count, look)` one piece of news after the other,
 * `hands.pace(ms, everyMs)` plays for so long, with something new every so often, and answers how the page has kept up.
 */
(() => {
  const SEATS = 6;
  const [SMALL, BIG] = [50, 100];
  let number = 5_000;

  /** The frames of the next hand: all call, all check, all show, and each wins once in six hands. */
  function next() {
    number += 1;
    const after = (steps) => (number + steps) % SEATS;
    const all = Array.from({ length: SEATS }, (_, at) => at);
    const [small, big] = [after(1), after(2)];
    const amountOf = (seat) => (seat === small ? BIG - SMALL : seat === big ? 0 : BIG);
    let turn = 0;
    const act = (seat, amount, to) => [
      { e: "turn", turn: (turn += 1), seat, deadline_ms: Date.now() + 15_000, call: amount || null, raise: { min: 200, max: 4_000, bet: amount === 0 } },
      { e: "acted", seat, kind: amount ? "call" : "check", amount, to, all_in: false, timeout: false },
    ];
    const checks = () => all.map((step) => act(after(step + 1), 0, 0));
    const pots = [{ amount: SEATS * BIG, seats: all }];
    const street = (name, cards) => [{ e: "street", street: name, cards, run: 0 }];
    const winner = after(0);
    const made = (seat) => ({ seat, run: 0, class: "one_pair", ranks: "7AKQ", cards: ["7h", "7d", "Qc", ...scenes.hand(seat, 2)] });
    return [
      [
        { e: "hand_started", hand: number, button: after(0), seats: all },
        { e: "posted", seat: small, blind: "small", amount: SMALL },
        { e: "posted", seat: big, blind: "big", amount: BIG },
        { e: "dealt", cards: 2 },
      ],
      ...all.map((step) => act(after(step + 3), amountOf(after(step + 3)), BIG)),
      [{ e: "collected", pots }, ...street("flop", scenes.BOARD.slice(0, 3))],
      ...checks(),
      street("turn", scenes.BOARD.slice(3, 4)),
      ...checks(),
      street("river", scenes.BOARD.slice(4)),
      ...checks(),
      [
        ...all.map((seat) => ({ e: "shown", seat, cards: scenes.hand(seat, 2), rank: "", hands: [] })),
        { e: "won", seat: winner, pot: 0, amount: SEATS * BIG, run: 0 },
        { e: "hand_ended", hand: number, next_ms: Date.now() + 2_500, hands: all.map(made) },
        ...["nice hand", "thanks", "wow", "🙏"].map((text) => ({ e: "chat", user: `u${winner}`, name: "Bo", bot: false, text })),
      ],
    ];
  }

  function happen(events) {
    fakeHouse.happen(events);
    if (events[0].e === "hand_started") fakeHouse.whisper({ hand: number, cards: scenes.hand(0, 2) });
  }

  function begin() {
    const state = scenes.table({ seats: SEATS });
    for (const seat of state.seats) seat.in_hand = false;
    fakeHouse.show({ state });
  }

  window.hands = {
    begin,
    /** In few frames: each is drawn. */
    play(count) {
      for (let hand = 0; hand < count; hand += 1) {
        const frames = next();
        for (const some of [frames.slice(0, 7), frames.slice(7, 20), frames.slice(20)]) happen(some.flat());
      }
      return number;
    },
    /** Each piece of news by itself, all of them in one go, so that nothing is drawn meanwhile: asks `look(events)` behind each, and answers how many there were. */
    each(count, look = () => {}) {
      const news = Array.from({ length: count }, next).flat();
      for (const events of news) {
        happen(events);
        look(events);
      }
      return news.length;
    },
    async pace(ms, everyMs) {
      let frames = [];
      const playing = setInterval(() => {
        if (frames.length === 0) frames = next();
        happen(frames.shift());
      }, everyMs);
      const told = await drawn(ms);
      clearInterval(playing);
      return told;
    },
  };
})();
