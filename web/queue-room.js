/** Waiting in a queue for a seat at any table: what stands there meanwhile, and what follows when the queue has sent one to a table. It comes when one waits. */
import { el, setText } from "./dom.js";
import { say } from "./phrases/playing.js";
import { Room } from "./room.js";
import { withSheet } from "./sheet.js";

const SHEET = import.meta.resolve("./style/queue.css");

/** The queues in which this page waits, by room. */
const waiting = new Map();

/**
 * Follows a queue that one has joined, until it has sent one somewhere or one wants no more.
 * @param {object} parts
 * @param {string} parts.queue its room
 * @param {Connection} parts.connection
 * @param {(room: string) => void} parts.sent takes the seat at the table to which one is sent
 */
export async function waitInQueue(parts) {
  await withSheet(SHEET);
  if (!waiting.has(parts.queue)) waiting.set(parts.queue, new Seeking(parts));
}

export class Seeking {
  #parts;
  #room;
  /** How many parts there were when one joined is not known: what holds is what comes with a place, or after it. */
  #hasWaited = false;

  constructor(parts) {
    this.#parts = parts;
    const { queue, connection } = parts;
    this.text = el("p", { class: "queue-text", role: "status", text: say.seeking });
    const leave = () => connection.command(queue, { a: "leave" }).then(() => this.#end());
    this.stop = el("button", { class: "button", type: "button", text: say.stopSeeking, data: { testid: "stop-seeking" }, on: { click: leave } });
    this.element = el("section", { class: "queue-bar", "aria-label": say.queue, data: { testid: "queue-bar" } }, this.text, this.stop);
    document.body.append(this.element);
    this.#room = new Room(queue, () => true, { event() {}, change: () => this.#told() }, "queue");
    connection.follow(this.#room);
  }

  #told() {
    const own = this.#room.own;
    if (!own) return;
    if (own.place) {
      this.#hasWaited = true;
      setText(this.text, () => say.place(own.place));
    } else if (own.room) {
      this.#end();
      this.#parts.sent(own.room);
    } else if (this.#hasWaited) this.#end();
  }

  #end() {
    this.#parts.connection.unfollow(this.#room);
    waiting.delete(this.#parts.queue);
    this.element.remove();
  }
}
