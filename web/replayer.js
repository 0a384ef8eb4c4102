/**
 * A hand that is over, to be seen once more: the table page, told by a tape what its table told, and a bar that moves the tape. What is shown at
 * any step follows from the fold alone, as at a table, so going back is beginning anew and going on to there.
 */
import { learn } from "./currencies.js";
import { el, retell, setAttribute, svg } from "./dom.js";
import { moment } from "./format.js";
import { change } from "./money.js";
import { say } from "./phrases/history.js";
import { askShare } from "./share-dialog.js";
import { silence, Tape } from "./tape.js";

const SPEEDS = [0.5, 1, 2, 4];
/** What keys do, beside the numbers of streets and space. */
const KEYS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

/** The keys of the buttons. */
const KEY_OF = { first: "Home", previous: "ArrowLeft", play: "Space", next: "ArrowRight", last: "End" };

const PATHS = {
  first: "M6 5v14M18 5l-9 7 9 7z",
  previous: "M14.500 6l-6 6 6 6",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  next: "M9.500 6l6 6-6 6",
  last: "M18 5v14M6 5l9 7-9 7z",
};

export class Replayer {
  /** How it is framed: as a table. */
  shape = "table";
  #told;
  #tape;
  #table;
  #timer = null;

  /**
   * @param {typeof Table} Table the table page
   * @param {object} told the hand, as reception tells it: `{id, room, table, you, net, digits, ended_ms, void, viewer, steps}`
   * @param {object} parts `toasts`, `sound`, `settings`, `storage`, `identity`, `codes`
   */
  constructor(Table, told, parts) {
    this.#told = told;
    learn([told]);
    // What its chips are the hand tells, not the table.
    const [[table]] = told.steps.map(({ messages }) => messages);
    if (table?.state) table.state.currency ??= told.currency;
    const nothing = () => {};
    const over = { connection: silence(), me: () => told.viewer, purse: () => null, askKeys: nothing, turnTo: nothing, goTo: nothing, takesKeys: () => false, changed: nothing, isOver: true };
    this.#table = new Table(told.room, { ...parts, ...over });
    this.#tape = new Tape(told.steps, this.#table.room);
    this.#table.foot.replaceChildren(this.#build());
    this.#table.head.append(el("a", { class: "replay-back", href: "#/hands", text: say.allHands }));
    this.element = this.#table.element;
    this.element.classList.add("replay");
    this.element.dataset.testid = "replay";
    this.onkey = (event) => this.#key(event);
  }

  /** For the window's title. */
  get name() {
    return say.handTitle(this.#told.number, this.#told.table);
  }

  enter() {
    document.addEventListener("keydown", this.onkey);
    this.#table.enter();
    this.#goTo(1);
  }

  leave() {
    this.#stop();
    document.removeEventListener("keydown", this.onkey);
    this.#table.close();
  }

  #build() {
    const { length, streets } = this.#tape;
    const street = ([name, at], number) => el("button", { class: "button", type: "button", text: say.streets[name], "aria-keyshortcuts": String(number + 1), data: { testid: `replay-${name}` }, on: { click: () => this.#jump(at) } });
    this.streets = [...streets].map(street);
    this.range = el("input", { type: "range", min: 0, max: length, "aria-label": say.step, data: { testid: "replay-range" }, on: { input: () => this.#jump(Number(this.range.value)) } });
    this.back = [this.#button("first", say.first, () => this.#jump(0)), this.#button("previous", say.previous, () => this.#jump(this.#tape.at - 1))];
    this.play = this.#button("play", say.play, () => this.#toggle());
    this.on = [this.#button("next", say.next, () => this.#jump(this.#tape.at + 1)), this.#button("last", say.last, () => this.#jump(length))];
    this.speed = el("select", { "aria-label": say.speed, data: { testid: "replay-speed" }, on: { change: () => this.#timer && this.#run() } }, ...SPEEDS.map((speed) => el("option", { value: speed, selected: speed === 1, text: () => say.times(speed) })));
    const { net, digits, ended_ms: ended, void: isVoid } = this.#told;
    const result = el("span", { class: net < 0 ? "went" : "came", text: net === null ? "" : () => change(net, { digits }), data: { testid: "replay-net" } });
    const share = el("button", { class: "button", type: "button", text: say.share, data: { testid: "replay-share" }, on: { click: () => askShare(this.#told.link ?? this.#told.id) } });
    return el(
      "section",
      { class: "replay-bar", "aria-label": say.controls },
      el("div", { class: "replay-about" }, el("a", { href: "#/hands", text: say.allHands }), el("span", { text: () => moment(ended) }), result, isVoid ? el("b", { text: say.isVoid }) : null),
      el("div", { class: "replay-streets", role: "group", "aria-label": say.toStreet }, ...this.streets),
      this.range,
      el("div", { class: "replay-transport" }, ...this.back, this.play, ...this.on),
      el("div", { class: "replay-more" }, this.#beside("previous"), el("label", { class: "field" }, this.speed), share, this.#beside("next")),
    );
  }

  /** The hand before or behind it in my list, where there is one. */
  #beside(name) {
    const id = this.#told[name];
    if (!id) return null;
    return el("a", { class: "button", href: `#/hand/${id}`, text: name === "next" ? say.nextHand : say.previousHand, "aria-keyshortcuts": name === "next" ? "n" : "p", data: { testid: `replay-${name}-hand` } });
  }

  #button(name, label, click) {
    return el("button", { class: "button icon-button", type: "button", "aria-label": label, title: label, "aria-keyshortcuts": KEY_OF[name], data: { testid: `replay-${name}` }, on: { click } }, drawn(name));
  }

  /** Whoever goes somewhere wants to look at it. */
  #jump(at) {
    this.#stop();
    this.#goTo(at);
  }

  #goTo(at) {
    if (at !== this.#tape.at + 1) this.#table.log.clear();
    this.#tape.goTo(at);
    this.#show();
  }

  #toggle() {
    if (this.#timer !== null) return this.#stop();
    if (this.#tape.at === this.#tape.length) this.#goTo(0);
    return this.#run();
  }

  #run() {
    clearTimeout(this.#timer);
    const pause = this.#tape.pause(Number(this.speed.value));
    if (pause === null) return this.#stop();
    this.#timer = setTimeout(() => {
      this.#goTo(this.#tape.at + 1);
      this.#run();
    }, pause);
    return this.#show();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#show();
  }

  #show() {
    const { at, length, streets } = this.#tape;
    if (Number(this.range.value) !== at) this.range.value = at;
    setAttribute(this.range, "aria-valuetext", () => say.stepOf(at, length));
    // A button that is disabled under the finger would lose the focus.
    for (const button of this.back) setAttribute(button, "aria-disabled", String(at === 0));
    for (const button of this.on) setAttribute(button, "aria-disabled", String(at === length));
    const isOn = this.#timer !== null;
    this.play.replaceChildren(drawn(isOn ? "pause" : "play"));
    for (const name of ["aria-label", "title"]) setAttribute(this.play, name, isOn ? say.pause : say.play);
    setAttribute(this.play, "data-on", String(isOn));
    const here = [...streets].findLast(([, from]) => from <= at)?.[0];
    [...streets.keys()].forEach((name, number) => setAttribute(this.streets[number], "aria-current", name === here ? "step" : null));
  }

  #key(event) {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey || document.querySelector("dialog[open]") || target.matches("select")) return;
    // A range moves by itself, and a button that has the focus is what space means.
    if (target === this.range && key in KEYS) return;
    if (key === " " && target.matches("button, a, summary")) return;
    const street = [...this.#tape.streets.values()][Number(key) - 1];
    const hand = this.#told[{ p: "previous", n: "next" }[key]];
    if (hand) location.hash = `#/hand/${hand}`;
    else if (key === " ") this.#toggle();
    else if (key in KEYS) this.#jump(this.#tape.at + KEYS[key]);
    else if (street !== undefined) this.#jump(street);
    else return;
    event.preventDefault();
  }

  /** Another language is spoken. */
  retell() {
    retell(this.element);
    this.#table.retell();
  }
}

function drawn(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}
