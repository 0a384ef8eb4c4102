/** Shows how the connection is: a small sign with the lag while all is well, a banner that counts the seconds when it is not. */
import { el, setText } from "./dom.js";
import { secondsLeft } from "./format.js";
import { say } from "./phrases/page.js";

/** A short break is not worth a banner that flashes. */
const BANNER_AFTER_MS = 600;
/** How often the seconds are looked at. */
const TICK_MS = 200;

export class ConnectionBadge {
  #now;
  #state = null;
  #timer = null;
  #ticking = null;
  #lag = null;
  #wasOnline = false;

  /**
   * @param {() => void} retry connects again when the user asks for it
   * @param {() => number} now the connection's clock
   */
  constructor(retry, now) {
    this.#now = now;
    this.text = el("span", { class: "badge-text" });
    this.badge = el(
      "div",
      { class: "connection", data: { testid: "connection", state: "connecting" } },
      el("i", { "aria-hidden": "true" }),
      this.text,
    );
    this.why = el("span", { role: "alert" });
    // Spoken each second it would drown everything else.
    this.times = el("span", { class: "banner-times", "aria-hidden": "true" });
    this.again = el("button", { class: "button", type: "button", data: { testid: "try-now" }, on: { click: retry } });
    this.banner = el("div", { class: "banner", hidden: true, data: { testid: "connection-banner" } }, el("p", {}, this.why, this.times), this.again);
    this.state({ name: "connecting", why: "", since: null, retryAt: null, unplugged: false });
  }

  /** Takes a state of the connection. */
  state(state) {
    this.#state = state;
    const { name, why, unplugged } = state;
    this.badge.dataset.state = name;
    if (name === "online") {
      this.#wasOnline = true;
      this.#hide();
      return this.lag(this.#lag);
    }
    setText(this.text, say.line[name]);
    setText(this.why, why || (unplugged ? say.unplugged : name === "silent" ? say.noAnswer : say.lineLost));
    setText(this.again, name === "offline" ? say.connect : say.tryNow);
    this.#tick();
    // Nothing is lost before there was something: the page waits for a name.
    if (name === "offline" || (name === "silent" && !unplugged)) this.#show();
    else if (this.#wasOnline || why) this.#timer ??= setTimeout(() => this.#show(), BANNER_AFTER_MS);
    return undefined;
  }

  /** @param {number|null} ms the last round trip */
  lag(ms) {
    this.#lag = ms;
    if (this.badge.dataset.state === "online") setText(this.text, ms === null ? say.line.online : () => say.lag(Math.round(ms)));
  }

  #show() {
    this.banner.hidden = false;
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS);
  }

  #hide() {
    clearTimeout(this.#timer);
    clearInterval(this.#ticking);
    this.#timer = this.#ticking = null;
    this.banner.hidden = true;
  }

  #tick() {
    setText(this.times, () => silence(this.#state, this.#now()));
  }
}

/** ` No answer for 3 s. Next try in 2 s.` */
export function silence({ name, since, retryAt }, now) {
  if (name === "online" || name === "offline") return "";
  const parts = [];
  if (since !== null) parts.push(say.silentFor(Math.max(1, Math.round((now - since) / 1000))));
  if (name === "connecting") parts.push(retryAt === null ? say.triesNow() : say.triesIn(secondsLeft(retryAt, now)));
  return parts.map((part) => ` ${part}`).join("");
}
