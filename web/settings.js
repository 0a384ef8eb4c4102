/** What a player has set for this browser, and the dialog to change it. */
import { el } from "./dom.js";
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
    const close = el("button", { class: "button primary", text: "Done" });
    return el(
      "dialog",
      { class: "dialog", "aria-labelledby": "settings-title" },
      el(
        "form",
        { method: "dialog" },
        el("h2", { id: "settings-title", text: "Settings" }),
        this.#switch("fourColours", "Four-colour deck", "Clubs green and diamonds blue, so that suits are easier to tell apart."),
        this.#switch("sound", "Sound", "A soft tone when it is your turn and when chips move."),
        this.#switch("askFold", "Ask before a needless fold", "When checking is free, Fold asks once more."),
        this.#switch("autoTopUp", "Top up by itself", "Between hands, adds chips up to what you brought last."),
        el("div", { class: "dialog-buttons" }, close),
      ),
    );
  }

  #switch(key, title, help) {
    const box = el("input", { type: "checkbox", on: { change: () => this.#set(key, box.checked) } });
    box.checked = this.#values[key];
    return el("label", { class: "switch" }, box, el("span", {}, el("b", { text: title }), el("small", { text: help })));
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
