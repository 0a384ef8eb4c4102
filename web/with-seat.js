/** What comes with the first seat: the screen that stays on, and the question whether the player may be called. */
import { AlertOffer } from "./alert-offer.js";
import { Awake, pageToKeepAwake } from "./awake.js";

/** @param {Settings} settings */
export function withSeat(settings) {
  const offer = new AlertOffer(() => settings.offerAlerts, () => (settings.offerAlerts = false));
  const awake = new Awake(pageToKeepAwake());
  return {
    offer,
    awake,
    /** @param {boolean} isSeated anywhere @param {boolean} isAway whether another page than a table's is shown @param {boolean} isHere whether the page shows a table of the player's */
    show(isSeated, isAway, isHere) {
      offer.show(isSeated, isAway);
      awake.want(settings.stayAwake && isHere);
    },
  };
}
