/** Asking the coach: what one has asked, and what comes of it, as the house tells it. It comes when it is asked for. */
import { el, setAttribute, setText } from "./dom.js";
import { endedSince, faultOf, isOpen, keyOf, stepOf } from "./jobs-room.js";
import { icon } from "./icons.js";
import { say } from "./phrases/coach.js";
import { say as sayOfPage } from "./phrases/page.js";
import { byCode } from "./phrases/phrases.js";
import { say as sayOfRefusals } from "./phrases/refusals.js";
import { Room } from "./room.js";
import { withSheet } from "./sheet.js";
import { holdMarks, Tail } from "./tail.js";

const SHEET = import.meta.resolve("./style/coach.css");
const KIND = "jobs";

/** @param {object} parts see `CoachDialog` */
export async function coachDialog(parts) {
  await withSheet(SHEET);
  return new CoachDialog(parts);
}

class CoachDialog {
  #parts;
  #room;
  #tail;
  #rows = new Map();
  /** As they were told last. */
  #jobs = null;
  #isAsking = false;

  /**
   * @param {object} parts
   * @param {string} parts.work what is asked for
   * @param {string} parts.room where one's questions wait
   * @param {Connection} parts.connection
   * @param {Toasts} parts.toasts
   * @param {() => void} parts.asked told when something was asked
   * @param {() => boolean} parts.hasCards whether one has cards in a hand that is being played
   */
  constructor(parts) {
    this.#parts = parts;
    this.element = this.#build();
    this.#room = new Room(parts.room, () => true, { event() {}, change: () => this.#told() }, KIND);
    parts.connection.follow(this.#room);
    document.body.append(this.element);
  }

  open() {
    this.#render();
    if (!this.element.open) this.element.showModal();
    this.#tail.goTo();
    this.text.focus();
  }

  /** The end of it: somebody else plays here. */
  leave() {
    this.#parts.connection.unfollow(this.#room);
    this.element.remove();
  }

  /** A hand may have begun or ended. */
  show() {
    if (this.element.open) this.#showForm();
  }

  #build() {
    this.list = el("ol", { class: "coach-list", "aria-label": say.questions, tabindex: 0, data: { testid: "coach-list" } });
    this.#tail = new Tail(this.list);
    this.empty = el("p", { class: "hint", text: say.empty });
    this.heard = el("p", { class: "for-ears", role: "status", data: { testid: "coach-heard" } });
    this.error = el("p", { class: "field-error", role: "alert", data: { testid: "coach-error" } });
    this.inHand = el("p", { class: "coach-in-hand", role: "status", data: { testid: "coach-in-hand" } });
    this.text = el("textarea", { rows: 3, placeholder: say.placeholder, "aria-label": say.question, enterkeyhint: "send", data: { testid: "coach-text" }, on: { keydown: (event) => this.#key(event), input: () => setText(this.error, "") } });
    this.ask = el("button", { class: "button primary", type: "submit", text: say.ask, data: { testid: "coach-ask" } });
    const close = el("button", { class: "icon-button", type: "button", "aria-label": sayOfPage.close, data: { testid: "coach-close" }, on: { click: () => this.element.close() } }, icon("close"));
    return el(
      "dialog",
      { class: "dialog coach-dialog", "aria-labelledby": "coach-title", data: { testid: "coach" } },
      el("div", { class: "coach-head" }, el("h2", { id: "coach-title", text: say.open }), close),
      el("p", { class: "hint", text: say.machine }),
      this.empty,
      this.list,
      this.heard,
      this.inHand,
      this.error,
      el("form", { class: "coach-form", on: { submit: (event) => this.#submit(event) } }, this.text, this.ask),
    );
  }

  /** Whoever writes Korean ends a syllable with the same key. */
  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.ask.form.requestSubmit();
  }

  async #submit(event) {
    event.preventDefault();
    const text = this.text.value.trim();
    const fault = faultOf(text);
    if (fault === "long") setText(this.error, say.long);
    if (fault || this.#isAsking || this.#parts.hasCards()) return;
    const { work, asked } = this.#parts;
    this.#isAsking = true;
    this.#showForm();
    const isDone = await this.#command({ a: "put", work, text });
    this.#isAsking = false;
    this.#showForm();
    if (!isDone) return;
    asked();
    if (this.text.value.trim() === text) this.text.value = "";
    this.#tail.goTo();
  }

  /** Sends a command and says why if it was refused. */
  async #command(what) {
    setText(this.error, "");
    const { code, message, retry_after_ms, t } = await this.#parts.connection.command(this.#room.id, what);
    if (t === "ack") return true;
    const words = Object.hasOwn(say.refused, code) ? say.refused[code] : byCode(sayOfRefusals.refused, code, message, { retry_after_ms });
    setText(this.error, words);
    return false;
  }

  #told() {
    const jobs = (this.#room.own?.jobs ?? []).filter(({ work }) => work === this.#parts.work);
    const ended = endedSince(this.#jobs ?? [], jobs);
    this.#jobs = jobs;
    this.#render();
    // What was told piece by piece is heard once, when it is whole.
    for (const { stage, answer, why } of ended) {
      const words = stage === "done" ? () => say.heard(answer) : () => say.failed(why ?? "");
      if (this.element.open) setText(this.heard, words);
      else this.#parts.toasts.show(stage === "done" ? say.answered : words);
    }
  }

  #render() {
    const jobs = this.#jobs ?? [];
    const rows = new Map(jobs.map((job) => [keyOf(job), this.#rows.get(keyOf(job)) ?? new Row(job, (of) => this.#drop(of))]));
    for (const [key, row] of this.#rows) if (!rows.has(key)) this.#remove(row);
    this.#rows = rows;
    for (const job of jobs) {
      const row = rows.get(keyOf(job));
      row.show(job);
      if (!row.element.isConnected) this.list.append(row.element);
    }
    setAttribute(this.empty, "hidden", this.#jobs === null || jobs.length > 0);
    setAttribute(this.list, "hidden", jobs.length === 0);
    this.#tail.follow();
    this.#showForm();
  }

  /** The focus is not lost with it. */
  #remove(row) {
    const hadFocus = row.element.contains(document.activeElement);
    row.element.remove();
    if (hadFocus) this.text.focus();
  }

  #showForm() {
    const hasCards = this.#parts.hasCards();
    setText(this.inHand, hasCards ? say.inHand : "");
    setAttribute(this.ask, "disabled", hasCards || this.#isAsking);
  }

  /** The button stays as it is, or whoever has pressed it by the keyboard would be nowhere. */
  async #drop(row) {
    if (row.isGoing) return;
    row.isGoing = true;
    row.isGoing = await this.#command({ a: "drop", job: row.job });
  }
}

/** A question, and what comes of it. */
class Row {
  #answer = new Text();
  /** It is being dropped. */
  isGoing = false;

  constructor({ job, text }, drop) {
    this.job = job;
    this.question = el("p", { class: "coach-question", dir: "auto", text });
    holdMarks(this.question);
    this.mark = el("span", { class: "bot-mark", text: say.mark });
    this.answer = el("p", { class: "coach-answer", dir: "auto", data: { testid: "coach-answer" } }, this.#answer);
    this.step = el("span", { class: "coach-step", data: { testid: "coach-step" } });
    this.drop = el("button", { class: "button", type: "button", data: { testid: "coach-drop" }, on: { click: () => drop(this) } });
    this.element = el("li", { data: { testid: "coach-job" } }, this.question, this.answer, el("div", { class: "coach-foot" }, this.step, this.mark, this.drop));
  }

  show(job) {
    this.#tell(job.answer);
    const step = stepOf(job);
    setAttribute(this.element, "data-step", step);
    setText(this.step, step === "failed" ? () => say.failed(job.why ?? "") : say.step[step]);
    setAttribute(this.mark, "hidden", !job.answer && step !== "failed");
    setAttribute(this.answer, "hidden", !job.answer);
    setText(this.drop, isOpen(job) ? say.stop : say.forget);
  }

  /** A piece that comes is put behind the others: what somebody has marked to copy stays so. */
  #tell(answer) {
    const before = this.#answer.data;
    if (answer === before) return;
    if (answer.startsWith(before)) this.#answer.appendData(answer.slice(before.length));
    else this.#answer.data = answer;
    holdMarks(this.answer);
  }
}
