/**
 * A hand that is over, as its table told it, to be followed once more at any pace, forwards and backwards. Pure.
 *
 * What is told of it stands in steps: the first is the keyframe before the hand, each other one a frame. A `Room` follows them as it follows
 * its table. One that goes back is told the keyframe once more, and then all that happened up to there in one frame.
 */

/** Nobody waits longer for what took its time, or sees less of what went fast, milliseconds. */
const PAUSE_MIN_MS = 700;
const PAUSE_MAX_MS = 2_500;

/** The only epoch of a tape. */
const EPOCH = 1;

export class Tape {
  #room;
  #keyframe;
  #steps;
  #own;
  #seq = 0;
  #at = 0;

  /**
   * @param {{at_ms: number, messages: object[]}[]} steps
   * @param {Room} room what follows it
   */
  constructor(steps, room) {
    const [[keyframe], ...frames] = steps.map(({ messages }) => messages);
    const all = frames.flat();
    this.#room = room;
    this.#keyframe = keyframe;
    this.#own = all.find(({ t }) => t === "private") ?? null;
    this.#steps = frames.map((messages, at) => ({ at_ms: steps[at + 1].at_ms, events: messages.flatMap(({ t, events }) => (t === "frame" ? events : [])) }));
  }

  /** How many steps there are; before the first the table stands as it was before the hand. */
  get length() {
    return this.#steps.length;
  }

  /** How many of them have been told. */
  get at() {
    return this.#at;
  }

  /** Where streets begin: the step after which their cards lie there, by their names; `showdown` is where the chips begin to move. */
  get streets() {
    const first = (is) => this.#steps.findIndex(({ events }) => events.some(is)) + 1;
    const streets = [["preflop", 1], ...["flop", "turn", "river"].map((name) => [name, first(({ e, street }) => e === "street" && street === name)])];
    const paid = first(({ e }) => e === "won" || e === "raked");
    return new Map([...streets, ["showdown", paid]].filter(([, at]) => at > 0));
  }

  /** How long to wait for the next step, milliseconds; null when there is none. */
  pause(speed) {
    if (this.#at === this.length) return null;
    const since = this.#steps[this.#at].at_ms - (this.#steps[this.#at - 1]?.at_ms ?? 0);
    return Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, since)) / speed;
  }

  /** Tells what follows, or everything anew, up to this step. @returns {boolean} whether it went on by a single step */
  goTo(wanted) {
    const at = Math.min(this.length, Math.max(0, wanted));
    const isNext = at === this.#at + 1 && this.#seq > 0;
    if (!isNext) this.#rewind();
    const from = isNext ? this.#at : 0;
    this.#at = at;
    const events = this.#steps.slice(from, at).flatMap((step) => step.events);
    if (events.length > 0) this.#tell({ t: "frame", events: structuredClone(events) });
    return isNext;
  }

  /** The table before the hand: a jump, whatever the room has. */
  #rewind() {
    this.#seq += 1;
    this.#room.doubt();
    this.#tell({ ...this.#keyframe, state: structuredClone(this.#keyframe.state) });
    // Cards of a hand are shown when it has begun.
    if (this.#own) this.#room.receive({ ...this.#own, epoch: EPOCH, seq: this.#seq });
  }

  #tell(message) {
    this.#seq += 1;
    this.#room.receive({ ...message, epoch: EPOCH, seq: this.#seq });
  }
}

/** What a table page asks of a connection, where all is over: nothing is sent, and nobody is heard. */
export function silence() {
  const nothing = () => {};
  return {
    state: { name: "online" },
    serverClock: { now: () => 0 },
    follow: nothing,
    unfollow: nothing,
    seatedIn: nothing,
    inTurn: nothing,
    watchAgain: nothing,
    question: async () => null,
    command: async () => ({ t: "ack" }),
  };
}
