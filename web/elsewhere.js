/** The tables at which the player sits in other windows of this browser. Windows tell each other; each answers one that has come anew. */
export class Elsewhere {
  #channel;
  #id;
  #changed;
  #others = new Map();
  #said = null;

  /**
   * @param {BroadcastChannel|null} channel null where there is none
   * @param {string} id of this window
   * @param {() => void} changed
   */
  constructor(channel, id, changed) {
    this.#channel = channel;
    this.#id = id;
    this.#changed = changed;
    if (!channel) return;
    channel.onmessage = ({ data }) => this.#heard(data);
    channel.postMessage({ id, asks: true });
  }

  /** @param {string} user @param {{room: string, name: string, turn: number|null, hasCards: boolean}[]} tables this window's */
  say(user, tables) {
    const said = { id: this.#id, user, tables: tables.map(({ room, name, turn, hasCards }) => ({ room, name, turn, hasCards })) };
    if (JSON.stringify(said) === JSON.stringify(this.#said)) return;
    this.#said = said;
    this.#channel?.postMessage(said);
  }

  /** This window goes. */
  leave() {
    this.#channel?.postMessage({ id: this.#id, user: "", tables: [] });
    this.#said = null;
  }

  /** What other windows of this user have told. */
  tablesOf(user) {
    return [...this.#others.values()].filter((other) => other.user === user).flatMap(({ tables }) => tables);
  }

  #heard(data) {
    if (typeof data?.id !== "string" || data.id === this.#id) return;
    if (data.asks) {
      if (this.#said) this.#channel.postMessage(this.#said);
      return;
    }
    if (!Array.isArray(data.tables)) return;
    if (data.tables.length > 0) this.#others.set(data.id, data);
    else this.#others.delete(data.id);
    this.#changed();
  }
}
