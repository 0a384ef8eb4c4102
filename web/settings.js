/** What a player has set for this browser, and the dialog to change it. */
import { el } from "./dom.js";
import { say } from "./phrases/page.js";
import { kept } from "./storage.js";

const KEY = "cardhouse.settings";
const DEFAULTS = { fourColours: true, sound: true, offerAlerts: true, askFold: true, autoTopUp: false, buyInBlinds: 100 };

export class Settings {
  #storage;
  #values;

  constructor(storage) {
    this.#storage = storage;
    this.#values = stored(storage);
    this.dialog = this.#build();
    this.#obey();
  }

  get sound() {
    return this.#values.sound;
  }

  /** Whether the player may be asked about notifications. */
  get offerAlerts() {
    return this.#values.offerAlerts;
  }

  alertsAnswered() {
    this.#set("offerAlerts", false);
  }

  /** Whether giving up a hand that costs nothing is worth a question. */
  get askFold() {
    return this.#values.askFold;
  }

  /** Whether chips are added up to the last buy-in between hands. */
  get autoTopUp() {
    return this.#values.autoTopUp;
  }

  /** What the player brought to a table last, in big blinds. */
  get buyInBlinds() {
    return this.#values.buyInBlinds;
  }

  set buyInBlinds(blinds) {
    this.#set("buyInBlinds", blinds);
  }

  open() {
    this.dialog.showModal();
  }

  #build() {
    const close = el("button", { class: "button primary", text: say.done });
    return el(
      "dialog",
      { class: "dialog", "aria-labelledby": "settings-title" },
      el(
        "form",
        { method: "dialog" },
        el("h2", { id: "settings-title", text: say.settings }),
        ...Object.keys(say.set).map((key) => this.#switch(key)),
        el("div", { class: "dialog-buttons" }, close),
      ),
    );
  }

  #switch(key) {
    const box = el("input", { type: "checkbox", on: { change: () => this.#set(key, box.checked) } });
    box.checked = this.#values[key];
    return el("label", { class: "switch" }, box, el("span", {}, el("b", { text: say.set[key] }), el("small", { text: say.setHelp[key] })));
  }

  #set(key, value) {
    this.#values[key] = value;
    this.#storage.setItem(KEY, JSON.stringify(this.#values));
    this.#obey();
  }

  #obey() {
    document.documentElement.dataset.deck = this.#values.fourColours ? "four" : "two";
  }
}

function stored(storage) {
  const values = kept(storage, KEY) ?? {};
  const isGood = ([key, usual]) => typeof values[key] === typeof usual;
  return Object.fromEntries(Object.entries(DEFAULTS).map((pair) => [pair[0], isGood(pair) ? values[pair[0]] : pair[1]]));
}
