/**
 * Commands on their way: each has a number that grows, and stays here until its answer has come. What has no answer when
 * a connection breaks is sent again in order with the same numbers, and the room applies it once.
 */
export class Commands {
  #last = 0;
  #unanswered = new Map();

  /** @returns {{message: object, answer: Promise<object>}} the message to send, and its `ack` or `refused` */
  add(room, what, at) {
    const n = ++this.#last;
    const message = { t: "do", n, room, do: what };
    const answer = new Promise((resolve) => this.#unanswered.set(n, { message, resolve, at }));
    return { message, answer };
  }

  /** When the oldest that has no answer was given; Infinity when all have. */
  get oldestAt() {
    const [oldest] = this.#unanswered.values();
    return oldest?.at ?? Infinity;
  }

  /** The largest number that was used. */
  get last() {
    return this.#last;
  }

  /** Takes an `ack` or `refused`; a repeat is ignored. */
  answered(answer) {
    const command = this.#unanswered.get(answer.n);
    this.#unanswered.delete(answer.n);
    command?.resolve(answer);
  }

  /** The messages to send again, oldest first. */
  unanswered() {
    return [...this.#unanswered.values()].map(({ message }) => message);
  }

  /**
   * The session is another one: numbers begin anew, and nobody can tell what became of the commands of the old one.
   * They must not be sent again, for they might be applied twice.
   */
  startOver() {
    const lost = [...this.#unanswered.values()];
    this.#unanswered.clear();
    this.#last = 0;
    for (const { message, resolve } of lost) {
      resolve({ t: "refused", n: message.n, room: message.room, code: "unknown" });
    }
  }
}
