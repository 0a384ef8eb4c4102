/** The bar of the tables at which the player sits or waits for a seat, with the time of each turn or call: on every page but that of the only one. */
import { el, setAttribute, setText } from "./dom.js";
import { secondsLeft } from "./format.js";
import { say } from "./phrases/page.js";

const TICK_MS = 200;

export class YourTables {
  #now;
  #timer = null;
  #entries = [];
  #links = new Map();
  #sure = true;

  /** @param {() => number} now the house's clock */
  constructor(now) {
    this.#now = now;
    this.list = el("ul", {});
    this.element = el(
      "nav",
      { class: "your-tables", "aria-label": say.yourTables, hidden: true, data: { testid: "your-tables" } },
      el("span", { class: "your-tables-title", text: say.yourTables }),
      this.list,
    );
  }

  /** @param {{room, name, turn: number|null, isHere: boolean, where?: () => string, words?: object}[]} entries @param {string|null} shown the room of this page */
  show(entries, shown) {
    this.#entries = entries;
    this.element.hidden = entries.length === 0 || (entries.length === 1 && entries[0].room === shown);
    const links = new Map(entries.map(({ room }) => [room, this.#links.get(room) ?? new Link(room)]));
    for (const [room, link] of this.#links) if (!links.has(room)) link.element.remove();
    this.#links = links;
    for (const entry of entries) links.get(entry.room).show(entry, entry.room === shown);
    const order = entries.map(({ room }) => links.get(room).element);
    if (order.some((element, at) => this.list.children[at] !== element)) this.list.replaceChildren(...order);
    clearInterval(this.#timer);
    if (!this.element.hidden && entries.some(({ turn }) => turn !== null)) this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  /** Takes a state of the connection. */
  line({ name }) {
    this.#sure = name === "online";
    this.#tick();
  }

  #tick() {
    const now = this.#now();
    for (const { room, turn, words = say.turn } of this.#entries) {
      const seconds = this.#sure && turn !== null ? secondsLeft(turn, now) : "?";
      this.#links.get(room).time(turn === null ? "" : () => words.in(seconds));
    }
  }
}

class Link {
  constructor(room) {
    this.name = el("bdi");
    this.where = el("small");
    this.turn = el("b", { "aria-hidden": "true" });
    this.link = el("a", { href: `#/table/${room}`, data: { testid: "my-table", room } }, this.name, this.where, this.turn);
    this.element = el("li", {}, this.link);
  }

  show({ name, turn, isHere, where = "", words = say.turn }, isShown) {
    setText(this.name, name);
    setText(this.where, isHere ? where : say.otherWindow);
    setAttribute(this.link, "aria-current", isShown ? "page" : null);
    setAttribute(this.link, "aria-label", turn === null ? null : () => words.at(name));
    this.element.classList.toggle("turn", turn !== null);
  }

  time(text) {
    setText(this.turn, text);
  }
}
