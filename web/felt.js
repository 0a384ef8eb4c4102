/** The felt with all that lies on it: keeps the layout fitting the window, and lets chips fly. */
import { Board } from "./board.js";
import { el } from "./dom.js";
import { calm, flyChips } from "./flights.js";
import { layOut } from "./layout.js";
import { Seats } from "./seats.js";

export class Felt {
  #scene = null;
  /** How large it is; null when it is to be asked, which costs a layout of the page. */
  #room = null;
  /** What the layout was made for: it is made again when one of these is another. */
  #made = "";

  /**
   * @param {(seat: number) => void} sit asks for a free seat
   * @param {(player: object) => void} note asks for a note on a player
   * @param {(card: string) => void} show shows one of my cards to all
   */
  constructor(sit, note, show) {
    this.board = new Board();
    this.seats = new Seats(sit, note, show);
    this.rail = el("div", { class: "felt-rail", "aria-hidden": "true" }, el("div", { class: "felt-cloth" }));
    this.element = el(
      "div",
      { class: "felt" },
      this.rail,
      this.board.element,
      this.seats.bets,
      this.seats.element,
    );
    this.resizing = new ResizeObserver(() => {
      this.measure();
      this.#place();
    });
    this.resizing.observe(this.element);
  }

  /** What stands around it may have changed with all that is shown. When it has become larger or smaller by itself, it hears of that before it is drawn. */
  measure() {
    this.#room = null;
  }

  render(scene) {
    this.#scene = scene;
    this.seats.render(scene);
    this.board.render(scene);
    this.#place();
  }

  /** Chips that an event moves; called before the event is applied, while the view still says where they lie. */
  animate(event, view) {
    if (!["collected", "won"].includes(event.e) || !this.places || calm() || document.hidden) return;
    const felt = this.element.getBoundingClientRect();
    const pot = this.board.potBox(event.pot ?? 0);
    const at = { x: pot.x + pot.width / 2 - felt.x, y: pot.y + pot.height / 2 - felt.y };
    if (event.e === "won") flyChips(this.element, at, this.places[event.seat], event.amount);
    // From the bet's place, shown or not: a bet may come and go within one frame.
    else view.seats.forEach((seat, number) => seat?.bet && flyChips(this.element, this.places[number].bet, at, seat.bet));
  }

  stop() {
    this.resizing.disconnect();
  }

  #place() {
    if (!this.#scene) return undefined;
    this.#room ??= { width: this.element.clientWidth, height: this.element.clientHeight };
    const { width, height } = this.#room;
    if (width === 0 || height === 0) return this.measure();
    const { mine, view } = this.#scene;
    const room = { width, height, seats: view.seats.length, mine, holeCards: holeCards(view.config) };
    const wish = JSON.stringify(room);
    if (wish !== this.#made) this.#lay(layOut(room), width);
    this.#made = wish;
    this.board.fit(this.layout);
    return undefined;
  }

  #lay(layout, width) {
    this.layout = layout;
    this.places = layout.places;
    this.element.classList.toggle("compact", layout.design === "compact");
    this.element.style.setProperty("--u", String(layout.size));
    const { left, top, right, bottom } = layout.rail;
    Object.assign(this.rail.style, { left: px(left), top: px(top), width: px(right - left), height: px(bottom - top) });
    this.seats.move(layout, width);
  }
}

const HOLE_CARDS = { omaha4: 4, omaha5: 5, omaha6: 6 };

/** How many cards each player gets; room is kept for them before they come. */
function holeCards({ variant }) {
  return HOLE_CARDS[variant] ?? 2;
}

function px(length) {
  return `${length}px`;
}
