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

export class Room {
  #id;
  #fold;
  #on;
  #position = NOTHING;
  #state = null;
  #own = null;
  #gapAt = null;

  /**
   * @param {string} id
   * @param {(state: object, event: object) => void} fold changes the state in place; throws when the event does not fit
   * @param {object} on `event(event, stateBefore)` for each event, then `change(jumped)` once a message; `jumped` when the state
   *   is not what events have led to
   */
  constructor(id, fold, on) {
    this.#id = id;
    this.#fold = fold;
    this.#on = on;
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

  /** The last `private` part, or null. */
  get own() {
    return this.#own;
  }

  /** Any keyframe will do from now on. */
  forget() {
    this.#position = NOTHING;
    this.#own = null;
  }

  /** Takes a `keyframe`, `frame` or `private` of this room. */
  receive(message) {
    switch (message.t) {
      case "keyframe":
        return this.#keyframe(message);
      case "frame":
        return this.#frame(message);
      default:
        this.#own = message.private;
        this.#on.change(false);
        return Outcome.Taken;
    }
  }

  #keyframe({ epoch, seq, state }) {
    if (!later([epoch, seq], this.#position)) return Outcome.Stale;
    const jumped = this.#state === null || seq !== this.#position[1] + 1;
    this.#state = state;
    this.#moveTo(epoch, seq);
    this.#on.change(jumped);
    return Outcome.Taken;
  }

  #frame({ epoch, seq, events }) {
    if (!later([epoch, seq], this.#position)) return Outcome.Stale;
    const [myEpoch, mySeq] = this.#position;
    if (epoch !== myEpoch || seq !== mySeq + 1) return this.#gap();
    for (const event of events) {
      this.#on.event(event, this.#state);
      try {
        this.#fold(this.#state, event);
      } catch (misfit) {
        console.error(`${this.#id} ${epoch}-${seq}:`, misfit);
        this.#position = NOTHING;
        return Outcome.Gap;
      }
    }
    this.#moveTo(epoch, seq);
    this.#on.change(false);
    return Outcome.Taken;
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
  }
}

function later([epoch, seq], [thanEpoch, thanSeq]) {
  return epoch > thanEpoch || (epoch === thanEpoch && seq > thanSeq);
}
