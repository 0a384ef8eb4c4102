/** What `alerts.js` does to this browser. */
import { say } from "./phrases/page.js";

const USUAL = document.querySelector("link[rel=icon]");
const USUAL_HREF = USUAL?.href;
const TURN_ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#12352a"/><circle cx="16" cy="16" r="10" fill="#e9b949"/></svg>',
)}`;

/** @param {Sound} sound @param {(room: string) => void} open @param {() => boolean} mayBuzz */
export function browserAlerts(sound, open, mayBuzz) {
  return {
    title: (text) => {
      if (document.title !== text) document.title = text;
    },
    icon: (isTurn) => {
      const href = isTurn ? TURN_ICON : USUAL_HREF;
      if (USUAL && USUAL.href !== href) USUAL.href = href;
    },
    sound: () => sound.play("turn"),
    // Without a gesture before it browsers refuse it, each time with a line in the console.
    buzz: (pattern) => mayBuzz() && navigator.userActivation?.hasBeenActive && navigator.vibrate?.(pattern),
    notify: (room, text) => (document.hidden ? notified(room, text, open) : null),
  };
}

function notified(room, text, open) {
  if (globalThis.Notification?.permission !== "granted") return null;
  try {
    // On a phone this throws: there only service workers may.
    const notification = new Notification(say.brand(), { body: text, tag: `cardhouse-${room}` });
    notification.onclick = () => {
      window.focus();
      open(room);
      notification.close();
    };
    return () => notification.close();
  } catch {
    return null;
  }
}
