/**
 * Follows one room: keyframes replace the state, deltas are folded into it, everything else is noticed.
 *
 * The rule (docs/architecture.md, Positions): a delta must be my seq + 1; a keyframe of a later position replaces what I
 * have. A keyframe starts every epoch, so a delta of another epoch than mine also means that something was missed.
 */

/** What became of a message. */
export const Outcome = Object.freeze({
  Taken: "taken",
  /** Older than what we have: a repeat. */
  Stale: "stale",
  /** Something was missed: reconnect with `resume`. */
  Gap: "gap",
});

/** "I have nothing": asks for a keyframe. */
const NOTHING = Object.freeze([0, 0]);

/** What a room is whose keyframe does not say it. */
const USUAL_KIND = "table";

export class Room {
  #id;
  #fold;
  #on;
  #position = NOTHING;
  #state = null;
  #own = null;
  #told = null;
  #gapAt = null;
  #kind = USUAL_KIND;
  #shows;
  /** Events since the last keyframe that this page does not know; they may have changed what it does not see. */
  #skipped = 0;
  #misfitAt = null;
  /** The state is one of the past, and the next keyframe replaces it. */
  #adrift = false;
  #doubted = false;
  /** By how much the room is shown later than to its players, milliseconds. */
  #behindMs = 0;
  /** That has changed: a keyframe that comes next replaces the state, wherever it stands. */
  #beginsAnew = false;
  /** Frames for others do not come: the own parts are counted instead. */
  #sparse = false;
  /** How many own parts there were by the last one; null when a keyframe has come since. */
  #parts = null;

  /**
   * @param {string} id
   * @param {(state: object, event: object) => boolean} fold changes the state in place, and answers whether it knows the event;
   *   throws when the event does not fit
   * @param {object} on `event(event, stateBefore, position)` for each event, then `change(jumped)` once a message; `jumped` when the state
   *   is not what events have led to. What they throw is logged: the room is followed all the same
   * @param {string} shows the kind of room whose events `fold` knows; of any other only the positions are followed
   */
  constructor(id, fold, on, shows = USUAL_KIND) {
    this.#id = id;
    this.#fold = fold;
    this.#on = on;
    this.#shows = shows;
  }

  get id() {
    return this.#id;
  }

  /** `[epoch, seq]` of the last frame taken, for `resume`. */
  get position() {
    return this.#position;
  }

  /** The state, or null before the first keyframe. */
  get state() {
    return this.#state;
  }

  /** Whether the state is one of the past, because what has happened since does not fit it. */
  get isAdrift() {
    return this.#adrift;
  }

  /** By how much the room is shown later than to its players, milliseconds; 0: it is live. */
  get behindMs() {
    return this.#behindMs;
  }

  /** What the room is, as its last keyframe says. */
  get kind() {
    return this.#kind;
  }

  /** The last `private` part, or null. */
  get own() {
    return this.#own;
  }

  /** What was told last to those who watch and have no part in it, of whom we are; or null. */
  get told() {
    return this.#told;
  }

  /** Any keyframe will do from now on. */
  forget() {
    this.#position = NOTHING;
    this.#own = null;
    this.#told = null;
  }

  /** The next keyframe will do, wherever it stands: the house may have been started anew. */
  doubt() {
    this.#doubted = true;
  }

  /** A connection that has just begun shows it live, unless it says something else. */
  greeted() {
    this.#behindMs = 0;
  }

  /** Takes a `keyframe`, `frame`, `private`, `rail` or `behind` of this room. */
  receive(message) {
    switch (message.t) {
      case "rail":
        return this.#tells(message);
      case "behind":
        return this.#behind(message);
      case "keyframe":
        return this.#keyframe(message);
      case "frame":
        return this.#frame(message);
      default:
        return this.#part(message);
    }
  }

  /** It says nothing of positions: where the room is shown late it may come with one that is not shown yet. */
  #tells({ rail }) {
    this.#told = rail;
    this.#tell("change", false);
    return Outcome.Taken;
  }

  #behind({ by_ms: ms }) {
    this.#behindMs = ms;
    this.#told = null;
    this.#beginsAnew = true;
    this.#tell("change", false);
    return Outcome.Taken;
  }

  #part({ epoch, seq, private: part }) {
    if (this.#sparse) {
      const { k } = part;
      const isNew = later([epoch, seq], this.#position);
      if (isNew && epoch !== this.#position[0]) return this.#gap();
      if (this.#parts !== null && k !== this.#parts + 1 && (isNew || k !== this.#parts)) return isNew ? this.#gap() : Outcome.Stale;
      this.#parts = k;
      // Nothing was said to others, who did not get the frame.
      if (isNew) this.#moveTo(epoch, seq);
    }
    this.#own = part;
    this.#tell("change", false);
    return Outcome.Taken;
  }

  #keyframe({ epoch, seq, kind = USUAL_KIND, sparse = false, state }) {
    if (!this.#doubted && !this.#beginsAnew && !later([epoch, seq], this.#position)) return Outcome.Stale;
    const jumped = this.#state === null || this.#adrift || this.#skipped > 0 || seq !== this.#position[1] + 1;
    this.#state = state;
    this.#kind = kind;
    this.#sparse = sparse;
    this.#parts = null;
    this.#skipped = 0;
    this.#adrift = false;
    this.#moveTo(epoch, seq);
    this.#tell("change", jumped);
    return Outcome.Taken;
  }

  #frame({ epoch, seq, events }) {
    if (!later([epoch, seq], this.#position)) return Outcome.Stale;
    const [myEpoch, mySeq] = this.#position;
    if (epoch !== myEpoch || !(this.#sparse || seq === mySeq + 1)) return this.#gap();
    if (this.#kind === this.#shows && !this.#adrift) {
      try {
        events.forEach((event) => this.#apply(event, [epoch, seq]));
      } catch (misfit) {
        console.error(`${this.#id} ${epoch}-${seq}:`, misfit);
        if (!this.#drift(`${epoch}-${seq}`)) return Outcome.Gap;
      }
    }
    this.#moveTo(epoch, seq);
    this.#tell("change", false);
    return Outcome.Taken;
  }

  #apply(event, position) {
    this.#tell("event", event, this.#state, position);
    if (this.#fold(this.#state, event) === false) this.#skipped += 1;
  }

  /**
   * An event did not fit. Asking for a keyframe helps, unless the same events came behind it once more and would not fit again:
   * after an event that this page does not know, and at a place where it has asked before. Then the next keyframe is waited for.
   */
  #drift(here) {
    this.#adrift = this.#skipped > 0 || this.#misfitAt === here;
    this.#misfitAt = here;
    if (!this.#adrift) this.#position = NOTHING;
    return this.#adrift;
  }

  /** What the page does with it is no reason to lose the room. */
  #tell(what, ...about) {
    try {
      this.#on[what](...about);
    } catch (error) {
      console.error(`${this.#id}: ${what}:`, error);
    }
  }

  /** The second gap in the same place asks for a keyframe: resuming from there did not help. */
  #gap() {
    const here = this.#position.join("-");
    if (this.#gapAt === here) this.#position = NOTHING;
    this.#gapAt = here;
    return Outcome.Gap;
  }

  #moveTo(epoch, seq) {
    this.#position = [epoch, seq];
    this.#gapAt = null;
    this.#doubted = false;
    this.#beginsAnew = false;
  }
}

function later([epoch, seq], [thanEpoch, thanSeq]) {
  return epoch > thanEpoch || (epoch === thanEpoch && seq > thanSeq);
}
