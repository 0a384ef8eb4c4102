/** Shows how the connection is: a small sign with the lag while all is well, a banner when it is not. */
import { el, setText } from "./dom.js";

/** A short break is not worth a banner that flashes. */
const BANNER_AFTER_MS = 600;

export class ConnectionBadge {
  #timer = null;
  #lag = null;
  #wasOnline = false;

  /** @param {() => void} retry connects again when the user asks for it */
  constructor(retry) {
    this.text = el("span", { class: "badge-text" });
    this.badge = el(
      "div",
      { class: "connection", data: { testid: "connection", state: "connecting" } },
      el("i", { "aria-hidden": "true" }),
      this.text,
    );
    this.why = el("span");
    this.again = el("button", { class: "button", type: "button", text: "Connect", on: { click: retry } });
    this.banner = el("div", { class: "banner", role: "alert", hidden: true }, this.why, this.again);
    this.state({ name: "connecting", why: "" });
  }

  state({ name, why }) {
    this.badge.dataset.state = name;
    clearTimeout(this.#timer);
    if (name === "online") {
      this.#wasOnline = true;
      this.banner.hidden = true;
      return this.lag(this.#lag);
    }
    setText(this.text, name === "offline" ? "Offline" : "Connecting");
    const showBanner = () => {
      setText(this.why, why || "Connection lost. Reconnecting.");
      this.again.hidden = name !== "offline";
      this.banner.hidden = false;
    };
    if (name === "offline") showBanner();
    // Nothing is lost before there was something: the page waits for a name.
    else if (this.#wasOnline || why) this.#timer = setTimeout(showBanner, BANNER_AFTER_MS);
    return undefined;
  }

  /** @param {number|null} ms the last round trip */
  lag(ms) {
    this.#lag = ms;
    if (this.badge.dataset.state === "online") setText(this.text, ms === null ? "Online" : `${Math.round(ms)} ms`);
  }
}
