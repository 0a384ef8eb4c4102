/** The coach: offered in the lobby and at tables where somebody in the house answers questions in words. It comes behind the page, since nobody asks one in the first second. */
import { el, setAttribute } from "./dom.js";
import { jobsOf, Workers } from "./jobs-room.js";
import { say } from "./phrases/coach.js";
import { say as sayOfPage } from "./phrases/page.js";

const WORK = "coach";
/** Under which name a window keeps who has asked in it. */
const KEPT = "cardhouse.coach";

export class Coach {
  #parts;
  #user = null;
  #workers;
  #dialog = null;
  /** In this window, once: what he has asked is there, whether somebody answers or not. */
  #hasAsked = false;
  /** The lobby's, and each table's. */
  #buttons = new Map();

  /**
   * @param {object} parts
   * @param {Connection} parts.connection
   * @param {() => string} parts.me my user
   * @param {Lobby} parts.lobby
   * @param {Tables} parts.tables
   * @param {Elsewhere} parts.elsewhere
   * @param {Keep} parts.storage of this window
   * @param {Toasts} parts.toasts
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Something that holds the offer is shown, or the house has greeted. */
  async look() {
    const { connection, me } = this.#parts;
    if (this.#user !== me()) {
      this.#dialog?.leave();
      this.#dialog = null;
      this.#user = me();
      this.#hasAsked = this.#parts.storage.getItem(KEPT) === this.#user;
      this.#workers = new Workers(WORK, () => connection.question(jobsOf(me()), { about: "line" }), () => performance.now());
    }
    await this.#workers.look();
    this.show();
  }

  /** A table may have come or gone, or a hand begun or ended. */
  show() {
    const { lobby, tables } = this.#parts;
    const isOffered = this.#hasAsked || Boolean(this.#workers?.areThere);
    const places = new Map([[lobby, lobby.quick], ...tables.all.map((table) => [table, null])]);
    for (const page of this.#buttons.keys()) if (!places.has(page)) this.#buttons.delete(page);
    for (const [page, before] of places) {
      if (isOffered && !this.#buttons.has(page)) this.#add(page, before);
      const button = this.#buttons.get(page);
      if (button) setAttribute(button, "hidden", !isOffered);
    }
    this.#dialog?.show();
  }

  #add(page, before) {
    const button = el("button", { class: "button", type: "button", text: say.open, data: { testid: "coach-open" }, on: { click: () => this.#open() } });
    this.#buttons.set(page, button);
    if (before) before.before(button);
    else page.side.append(button);
  }

  async #open() {
    const { connection, storage, toasts } = this.#parts;
    try {
      if (!this.#dialog) {
        const { coachDialog } = await import("./coach-dialog.js");
        const asked = () => {
          this.#hasAsked = true;
          storage.setItem(KEPT, this.#user);
        };
        this.#dialog ??= await coachDialog({ work: WORK, room: jobsOf(this.#user), connection, toasts, asked, hasCards: () => this.#hasCards() });
      }
      this.#dialog.open();
    } catch (error) {
      console.warn("the coach's dialog has not come:", error);
      toasts.show(sayOfPage.notCome);
    }
  }

  /** In a hand that is being played, at any table and in any window. */
  #hasCards() {
    const { tables, elsewhere } = this.#parts;
    return [...tables.all.map(({ standing }) => standing), ...elsewhere.tablesOf(this.#user)].some((table) => table?.hasCards);
  }
}
