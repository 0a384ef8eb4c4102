/** What a player has set for this browser: `settings.sound` and so on, one for each line of the schema. */
import { SCHEMA, settingsFrom } from "./settings-schema.js";
import { kept } from "./storage.js";

const KEY = "cardhouse.settings";

export class Settings {
  #storage;
  #values;
  #listeners = new Set();

  constructor(storage) {
    this.#storage = storage;
    this.reload();
    for (const name of Object.keys(SCHEMA)) {
      Object.defineProperty(this, name, { get: () => this.#values[name], set: (value) => this.#set(name, value) });
    }
  }

  /** Takes what another window may have set. */
  reload() {
    this.#values = settingsFrom(kept(this.#storage, KEY));
    this.#tell();
  }

  /** @param {() => void} then told of each change @returns {() => void} ends that */
  onChange(then) {
    this.#listeners.add(then);
    return () => this.#listeners.delete(then);
  }

  #set(name, value) {
    this.#values = { ...this.#values, [name]: value };
    // What a newer page in another window keeps there stays.
    this.#storage.setItem(KEY, JSON.stringify({ ...kept(this.#storage, KEY), ...this.#values }));
    this.#tell();
  }

  #tell() {
    this.#listeners.forEach((then) => then());
  }
}
