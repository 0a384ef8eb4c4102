import { el } from "./dom.js";
import { say } from "./phrases/page.js";

/**
 * The question whether a notification may call the player. It is asked when they have a seat, and browsers want a click.
 * @param {() => boolean} wanted whether it may be asked at all
 * @param {() => void} answered it is not asked again
 */
export class AlertOffer {
  #wanted;

  constructor(wanted, answered) {
    this.#wanted = wanted;
    const answer = async (isYes) => {
      answered();
      this.element.hidden = true;
      if (isYes) await Notification.requestPermission();
    };
    this.element = el(
      "div",
      { class: "alert-offer", hidden: true, data: { testid: "alert-offer" } },
      el("span", { text: say.offerAlerts }),
      el("button", { class: "button primary", type: "button", text: say.yes, data: { testid: "alert-yes" }, on: { click: () => answer(true) } }),
      el("button", { class: "button", type: "button", text: say.no, data: { testid: "alert-no" }, on: { click: () => answer(false) } }),
    );
  }

  /** @param {boolean} isSeated whether the player sits anywhere @param {boolean} isAway whether another page than the table's is shown */
  show(isSeated, isAway) {
    this.element.hidden = !(isSeated && isAway && this.#wanted() && globalThis.Notification?.permission === "default");
  }
}
