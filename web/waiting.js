/** What stands at a table that is full: the waiting list, one's place on it, and the call to a seat. It comes when it is first needed. */
import { callTo, placeOf } from "./door.js";
import { el, setAttribute, setText } from "./dom.js";
import { secondsLeft } from "./format.js";
import { say } from "./phrases/waiting.js";
import { withSheet } from "./sheet.js";

const TICK_MS = 200;
const SHEET = import.meta.resolve("./style/waiting.css");

/** @param {object} parts see `WaitingBar` */
export async function waitingBar(parts) {
  await withSheet(SHEET);
  return new WaitingBar(parts);
}

class WaitingBar {
  #parts;
  #timer = null;
  #call = null;

  /**
   * @param {object} parts
   * @param {() => string} parts.me my user
   * @param {(what: object) => Promise<boolean>} parts.ask sends a command and says why if it was refused
   * @param {(seat: number) => void} parts.sit asks for a buy-in and takes the seat
   * @param {() => number} parts.now the house's clock
   */
  constructor(parts) {
    this.#parts = parts;
    const { ask } = parts;
    this.text = el("p", { class: "waiting-text", role: "status" });
    this.left = el("b", { class: "waiting-left", role: "timer", data: { testid: "call-left" } });
    this.sit = this.#button(say.sit, "call-sit", () => parts.sit(this.#call.seat), "primary");
    this.join = this.#button(say.join, "wait", () => ask({ a: "wait" }), "primary");
    this.stop = this.#button(say.stop, "stop-waiting", () => ask({ a: "stop_waiting" }));
    this.element = el(
      "section",
      { class: "waiting-bar", "aria-label": say.label, data: { testid: "waiting-bar" } },
      el("div", { class: "waiting-words" }, this.text, this.left),
      el("div", { class: "seat-buttons" }, this.sit, this.join, this.stop),
    );
  }

  #button(text, testid, click, kind = "") {
    return el("button", { class: `button ${kind}`, type: "button", text, data: { testid }, on: { click } });
  }

  /** @param {object} view the table @param {boolean} isOffered whether there is a place to be had on the list @returns {boolean} whether it says something */
  render(view, isOffered) {
    const me = this.#parts.me();
    const [place, call] = [placeOf(view, me), callTo(view, me)];
    const others = view.waiting_list?.waiting.length ?? 0;
    setAttribute(this.element, "hidden", !isOffered && place === null && !call);
    this.element.classList.toggle("called", call !== null);
    setAttribute(this.sit, "hidden", call === null);
    setAttribute(this.join, "hidden", call !== null || place !== null);
    setAttribute(this.stop, "hidden", call === null && place === null);
    setText(this.stop, call ? say.pass : say.stop);
    if (call) setText(this.text, () => say.called(call.seat + 1));
    else if (place !== null) setText(this.text, () => say.place(place, others));
    else setText(this.text, others > 0 ? () => say.full(others) : "");
    this.#call = call;
    clearInterval(this.#timer);
    this.#timer = call ? setInterval(() => this.#tick(), TICK_MS) : null;
    this.#tick();
    return call !== null || place !== null || (isOffered && others > 0);
  }

  /** What the player should know while another page is shown: see `Table.standing`. */
  standing(view) {
    const me = this.#parts.me();
    const [place, call] = [placeOf(view, me), callTo(view, me)];
    if (call) return { turn: call.until_ms, turnId: `call-${call.seat}`, words: say.turn };
    return { where: () => say.inLine(place) };
  }

  close() {
    clearInterval(this.#timer);
  }

  #tick() {
    const call = this.#call;
    setText(this.left, call ? () => say.left(secondsLeft(call.until_ms, this.#parts.now())) : "");
  }
}
