/**
 * The card room in a browser. This file puts the parts together; what each is for stands at its head:
 *
 * - words on the wire: `connection.js` (with `commands.js`, `retry.js`, `server-clock.js`), `room.js`, `identity.js`
 * - the table's truth: `table-view.js`; what it says: `bet-model.js`, `story.js`, `words.js`, `lobby-list.js`, `format.js`
 * - pages: `lobby.js`; `table.js` with `felt.js`, `seats.js`, `board.js`, `actions.js`, `advance.js`, `seat-controls.js`, `log.js`, `chat.js`
 */
import { ConnectionBadge } from "./connection-badge.js";
import { Connection } from "./connection.js";
import { el } from "./dom.js";
import { tellGone } from "./gone-dialog.js";
import { icon } from "./icons.js";
import { Identity, postJson, whyNoSocket } from "./identity.js";
import { Lobby } from "./lobby.js";
import { askName } from "./name-dialog.js";
import { Settings } from "./settings.js";
import { Sound } from "./sound.js";
import { Keep } from "./storage.js";
import { Table } from "./table.js";
import { Toasts } from "./toast.js";

const local = new Keep(() => localStorage);
const session = new Keep(() => sessionStorage);
const settings = new Settings(local);
const sound = new Sound(settings);
const toasts = new Toasts();
const identity = new Identity(session, local, postJson);
/** Of this machine; setting its clock does not move it. */
const now = () => performance.timeOrigin + performance.now();
const badge = new ConnectionBadge(() => connection.reconnect(), now);
const name = el("bdi", { class: "me" });
let me = identity.guest?.user ?? null;
/** Whether this page has been let in before. */
let wasHere = false;

const connection = new Connection({
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`,
  identity,
  openSocket: (url, protocol) => new WebSocket(url, protocol),
  clock: {
    now,
    after: (ms, then) => setTimeout(then, ms),
    cancel: (timer) => clearTimeout(timer),
  },
  random: Math.random,
  whyNot: () => whyNoSocket("/ws"),
  on: {
    state: (state) => {
      badge.state(state);
      page?.line?.(state);
    },
    lag: (ms) => badge.lag(ms),
    welcome: (welcome) => welcomed(welcome),
    message: (message) => received(message),
  },
});

const lobby = new Lobby(connection, (room) => (location.hash = `#/table/${room}`), session);
let page = null;

function welcomed({ user, name: shownName }) {
  // Who comes back after a day knows that it was a long time.
  const isNews = wasHere || !identity.hadExpired;
  wasHere = true;
  if (me && me !== user && isNews) tellGone({ expired: identity.hadExpired, name: shownName, rooms: page.startOver?.(me) ?? [] });
  me = user;
  name.textContent = shownName;
}

function received(message) {
  const { t, room } = message;
  if (t === "lobby" || t === "lobby_delta") return lobby.receive(message);
  if (t === "unwatched") return room === page.room?.id && closed("This table has closed.");
  if (t === "error" && message.code === "no_such_room") return closed("There is no such table.");
  if (t === "error" && message.code === "unknown_message") return console.info(message.message); // An older house: we do without.
  if (t === "error" || t === "notice") {
    if (room && room === page.room?.id) return page.notice(message);
    return toasts.show(message.message);
  }
  return undefined; // A newer house may say more than this page knows.
}

function closed(text) {
  toasts.show(text);
  location.hash = "#/";
}

/** Shows the page that the address names. */
function route() {
  page?.leave();
  const [, room] = /^#\/table\/([\w.-]+)$/.exec(location.hash) ?? [];
  page = room ? new Table(room, { connection, me: () => me, toasts, sound }) : lobby;
  document.documentElement.dataset.page = room ? "table" : "lobby";
  document.title = "Cardhouse";
  place.replaceChildren(page.element);
  page.enter();
  page.element.focus();
}

const place = el("div", { class: "place" });
const panelButton = el(
  "button",
  {
    class: "icon-button only-table only-narrow",
    type: "button",
    "aria-label": "Hand log and chat",
    "aria-expanded": "false",
    on: { click: () => panelButton.setAttribute("aria-expanded", String(page.togglePanel())) },
  },
  icon("panel"),
);
const header = el(
  "header",
  { class: "top" },
  el("a", { class: "icon-button only-table", href: "#/", "aria-label": "Back to the lobby" }, icon("back")),
  el("a", { class: "brand", href: "#/", "aria-label": "Cardhouse, to the lobby" }, el("i", { class: "brand-mark", "aria-hidden": "true" }), el("span", { text: "Cardhouse" })),
  el("div", { class: "top-right" }, badge.badge, name, panelButton,
    el("button", { class: "icon-button", type: "button", "aria-label": "Settings", on: { click: () => settings.open() } }, icon("settings"))),
);

document.body.append(header, badge.banner, place, toasts.element, settings.dialog);
if (!identity.guest) await askName(identity);
addEventListener("hashchange", route);
addEventListener("online", () => connection.plugged(true));
addEventListener("offline", () => connection.plugged(false));
for (const woken of ["focus", "pageshow"]) addEventListener(woken, () => connection.check());
document.addEventListener("visibilitychange", () => document.hidden || connection.check());
route();
connection.connect();
