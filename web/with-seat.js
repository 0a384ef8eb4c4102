/** What comes with the first seat, or the first place in line: what calls the player, the question whether it may, and the screen that stays on. */
import { AlertOffer } from "./alert-offer.js";
import { Alerts } from "./alerts.js";
import { Awake, pageToKeepAwake } from "./awake.js";
import { browserAlerts } from "./browser-alerts.js";

/** @param {Settings} settings @param {Sound} sound @param {(room: string) => void} open shows a table */
export function withSeat(settings, sound, open) {
  const offer = new AlertOffer(() => settings.offerAlerts, () => (settings.offerAlerts = false));
  const awake = new Awake(pageToKeepAwake());
  const alerts = new Alerts(browserAlerts(sound, open, () => settings.vibrate));
  return {
    alerts,
    offer,
    awake,
    /** @param {boolean} isSeated anywhere @param {boolean} isAway whether another page than a table's is shown @param {boolean} isHere whether the page shows a table of the player's */
    show(isSeated, isAway, isHere) {
      offer.show(isSeated, isAway);
      awake.want(settings.stayAwake && isHere);
    },
  };
}
