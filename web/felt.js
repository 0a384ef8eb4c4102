/** The felt with all that lies on it: keeps the layout fitting the window, and lets chips fly. */
import { Board } from "./board.js";
import { el } from "./dom.js";
import { flyChips } from "./flights.js";
import { places } from "./layout.js";
import { Seats } from "./seats.js";

/** Below this width seats are drawn small (class `compact`). */
const COMPACT_WIDTH = 640;
/** Boxes in pixels as style/table.css draws them; `above` and `below` are measured from a seat's centre. */
const LARGE = { seat: { width: 168, above: 86, aboveHero: 104, below: 42 }, bet: { width: 84, height: 34 }, middle: { width: 430, height: 190 } };
const SMALL = { seat: { width: 92, above: 58, aboveHero: 78, below: 32 }, bet: { width: 58, height: 26 }, middle: { width: 218, height: 128 } };

export class Felt {
  #scene = null;

  /** @param {(seat: number) => void} sit asks for a free seat */
  constructor(sit) {
    this.board = new Board();
    this.seats = new Seats(sit);
    this.element = el(
      "div",
      { class: "felt" },
      el("div", { class: "felt-rail", "aria-hidden": "true" }, el("div", { class: "felt-cloth" })),
      this.board.element,
      this.seats.bets,
      this.seats.element,
    );
    this.resizing = new ResizeObserver(() => this.#place());
    this.resizing.observe(this.element);
  }

  render(scene) {
    const moved = this.#scene?.view.seats.length !== scene.view.seats.length || this.#scene?.mine !== scene.mine;
    this.#scene = scene;
    this.seats.render(scene);
    this.board.render(scene.view, scene.story);
    if (moved) this.#place();
  }

  /** Chips that an event moves; called before the event is applied, while the view still says where they lie. */
  animate(event, view) {
    if (event.e === "collected") {
      view.seats.forEach((seat, at) => seat?.bet && this.#fly(this.#betBox(at), this.board.potBox(0), seat.bet));
    }
    if (event.e === "won") this.#fly(this.board.potBox(event.pot), this.#seatBox(event.seat), event.amount);
  }

  stop() {
    this.resizing.disconnect();
  }

  #fly(from, to, amount) {
    flyChips(this.element, from, to, amount);
  }

  /** A point at the bet's place, shown or not: a bet may come and go within one frame. */
  #betBox(at) {
    const felt = this.element.getBoundingClientRect();
    const { x, y } = this.places[at].bet;
    return new DOMRect(felt.x + x, felt.y + y, 0, 0);
  }

  #seatBox(at) {
    const felt = this.element.getBoundingClientRect();
    const { x, y } = this.places[at];
    return new DOMRect(felt.x + x, felt.y + y, 0, 0);
  }

  #place() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!this.#scene || width === 0 || height === 0) return;
    const compact = width < COMPACT_WIDTH;
    this.element.classList.toggle("compact", compact);
    const { seat, bet, middle } = compact ? SMALL : LARGE;
    const { mine, view } = this.#scene;
    const y = (height + seat.above - seat.below) / 2;
    this.board.element.style.top = `${y}px`;
    this.places = places({ seats: view.seats.length, hero: mine, width, height, seat, bet, middle: { ...middle, y } });
    this.seats.move(this.places, width);
  }
}
