/**
 * What happened in the hand on the table that the view does not keep: last actions, who won what and with what.
 * It is gathered from events, so one who has just come in has a shorter story, and only decoration depends on it.
 */
export class Story {
  constructor() {
    this.forget();
  }

  /** A keyframe came: what we knew may be of another hand. */
  forget() {
    /** Seat -> `{kind, amount}` of this street. */
    this.did = new Map();
    /** Seat -> chips won in this hand. */
    this.won = new Map();
    /** Seat -> the name of who won: some leave with what they have won. */
    this.winners = new Map();
    /** What each award was: `{seat, pot, run, amount}`. */
    this.awards = [];
    /** `seat-run` -> what a hand that is face up makes there: `{seat, run, class, ranks, cards}`. */
    this.hands = new Map();
    /** Seat -> the shown hand in words, of a house that does not tell `hands`. */
    this.ranks = new Map();
    /** Whether the running turn draws on the time bank. */
    this.banking = false;
  }

  /** Takes an event, and the table before it. */
  note(event, view) {
    switch (event.e) {
      case "hand_started":
        return this.forget();
      case "turn":
        this.banking = false;
        this.did.delete(event.seat);
        return undefined;
      case "bank":
        this.banking = true;
        return undefined;
      case "acted":
        return this.did.set(event.seat, event);
      case "posted":
        return this.did.set(event.seat, { kind: event.blind, amount: event.amount });
      case "collected":
        return this.did.forEach((did, seat) => did.kind !== "fold" && this.did.delete(seat));
      case "shown":
        if (event.rank) this.ranks.set(event.seat, event.rank);
        return this.#learn(event.hands);
      case "hand_ended":
        return this.#learn(event.hands);
      case "won":
        this.awards.push({ seat: event.seat, pot: event.pot, run: event.run ?? 0, amount: event.amount });
        this.winners.set(event.seat, view.seats[event.seat]?.name);
        return this.won.set(event.seat, (this.won.get(event.seat) ?? 0) + event.amount);
      default:
        return undefined;
    }
  }

  #learn(hands = []) {
    for (const hand of hands) this.hands.set(`${hand.seat}-${hand.run}`, hand);
  }

  /** What a seat's cards make on a board, or undefined. */
  hand(seat, run = 0) {
    return this.hands.get(`${seat}-${run}`);
  }

  /** The cards that have won on a board: those of all who have won something there. */
  winningCards(run) {
    const winners = this.awards.filter((award) => award.run === run).map(({ seat }) => this.hand(seat, run));
    return new Set(winners.flatMap((hand) => hand?.cards ?? []));
  }
}
