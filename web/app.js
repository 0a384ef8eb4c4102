/**
 * The card room in a browser. This file puts the parts together; what each is for stands at its head:
 *
 * - words on the wire: `connection.js` (with `commands.js`, `retry.js`, `server-clock.js`), `room.js`, `identity.js`
 * - the table's truth: `table-view.js`; what it says: `bet-model.js`, `story.js`, `words.js`, `lobby-list.js`, `format.js`, in the words of `phrases/`
 * - the player's seats, whatever page is shown: `tables.js`, `tiles.js`, `elsewhere.js`, `your-tables.js`, `alerts.js`
 * - who answers questions in words, where somebody does: `coach.js`, `coach-dialog.js`, `jobs-room.js`
 * - what the player owns, in a house where chips are somebody's: `purse.js`, `purse-page.js`
 * - pages: `lobby.js` with `lobby-tabs.js` and `play-now.js`; `tournaments.js`, `tournament-page.js`; `hands.js`, `hands-page.js`, `replayer.js`; `table.js` with `felt.js`, `seats.js`, `board.js`, `actions.js`, `advance.js`, `seat-controls.js`, `waiting.js`, `log.js`, `chat.js`, `talk-room.js`
 */
import { ConnectionBadge } from "./connection-badge.js";
import { Connection } from "./connection.js";
import { DoorCodes, ofLink } from "./door-codes.js";
import { onLearn } from "./currencies.js";
import { el, retell, setAttribute } from "./dom.js";
import { Elsewhere } from "./elsewhere.js";
import { icon } from "./icons.js";
import { Identity, postJson, whyNoSocket } from "./identity.js";
import { languageSwitch } from "./language-switch.js";
import { Lobby } from "./lobby.js";
import { dress, onDevice } from "./look.js";
import { askName } from "./name-dialog.js";
import { newsWords } from "./phrases/house.js";
import { firstOf, onLanguage, speak } from "./phrases/language.js";
import { say } from "./phrases/page.js";
import { Settings } from "./settings.js";
import { Sound } from "./sound.js";
import { BACK_KEY, Keep } from "./storage.js";
import { Tables } from "./tables.js";
import { Toasts } from "./toast.js";
import { YourTables } from "./your-tables.js";

const local = new Keep(() => localStorage);
const session = new Keep(() => sessionStorage);
const codes = new DoorCodes(local);
const settings = new Settings(local);
settings.onChange(() => {
  obey();
  showSeats();
});
obey();
const sound = new Sound(settings);
const toasts = new Toasts();
const identity = new Identity(session, local, postJson);
/** Of this machine; setting its clock does not move it. */
const now = () => performance.timeOrigin + performance.now();
const badge = new ConnectionBadge(() => (identity.isGone ? startAgain() : connection.reconnect()), now);
const name = el("bdi");
const who = el("button", { class: "me", type: "button", title: say.who, data: { testid: "me" }, on: { click: () => askWhoIAm() } }, name);
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
      tables.all.forEach((table) => table.line(state));
      bar.line(state);
    },
    lag: (ms) => badge.lag(ms),
    welcome: (welcome) => welcomed(welcome),
    message: (message) => received(message),
  },
});

/** What the player owns: it comes in a house that keeps it. */
let purse = null;
let purseComes = null;

const tables = new Tables({
  make: (room, changed) => new Table(room, { connection, me: () => me, purse: () => purse, toasts, sound, settings, storage: local, identity, codes, askKeys: () => set("keys"), turnTo, goTo: (hash) => (location.hash = hash), takesKeys: () => beside.length === 0 || tiles.takesKeys(room), changed }),
  storage: session,
  changed: () => showSeats(),
  after: (ms, then) => setTimeout(then, ms),
});
/** What lays tables beside each other: it comes when that is wanted. */
let tiles = null;
let tilesCome = null;
/** The rooms of the tables that stand beside each other; none where one page alone is shown. */
let beside = [];
/** A screen on which that is of use. */
const wide = matchMedia("(min-width: 1280px) and (min-height: 760px)");
const bar = new YourTables(() => connection.serverClock.now());
const open = (room) => (location.hash = `#/table/${room}`);
/** Done when the house has said whether the player may open tables, or is not waited for any more. */
let ownTables = null;
/** Who answers questions in words, where the house has somebody; it comes behind the greeting. */
let coach = null;
/** What comes with the first seat, once it has been asked for. */
let seated = null;
const elsewhere = new Elsewhere(channel("cardhouse.tables"), crypto.randomUUID?.() ?? String(Math.random()), () => showSeats());
/** The page goes because the player wants to be somebody else. */
let isLeaving = false;

const lobby = new Lobby(connection, open, session, playNow);
let page = null;
/** How the table page comes: it is large, so the lobby is drawn without it. */
let Table = null;
/** The pages of tournaments, and of what is nowhere: they come when they are asked for. */
let contests = null;
let routes = 0;
/** How long after a failure the table page is asked for again. */
const LOAD_AGAIN_MS = 2_000;

function obey() {
  dress(settings);
  const spoken = settings.language || firstOf(navigator.languages ?? []);
  document.documentElement.lang = spoken;
  speak(spoken);
}

/** Says everything again, what is not shown at the moment too. */
function sayAgain() {
  [document.body, lobby.element].forEach(retell);
  tables.all.forEach((table) => table.retell());
  showSeats();
}

// What was told before anybody knew in what.
onLearn(sayAgain);

function welcomed({ user, name: shownName }) {
  // Who comes back after a day knows that it was a long time.
  const isNews = wasHere || !identity.hadExpired;
  wasHere = true;
  if (me && me !== user && isNews) goneWith({ expired: identity.hadExpired, name: shownName, rooms: tables.all.flatMap((table) => table.startOver(me)) });
  me = user;
  name.textContent = shownName;
  showSeats();
  lobby.hands.hidden = !identity.keepsHands;
  withPurse();
  ownTables = withOwnTables();
  withCoach();
}

/** Takes a seat at one of the tables that the lobby finds, or opens one: what does that comes when it is asked for. */
async function playNow(find, offered) {
  await later(async () => {
    const [{ playNow }] = await Promise.all([import("./play-now.js"), withTables()]);
    // Whoever is quicker than the house's answer is not told that there are none.
    const opens = async () => {
      await ownTables;
      return offered();
    };
    const mine = new Set([...tables.standings, ...tables.waits].map(({ room }) => room));
    // The table is looked at before it is asked: what it tells is not told again.
    const ask = (room, what) => {
      tables.look(room);
      return connection.command(room, what);
    };
    const queues = async () => (await find(false, "queue")).filter(({ kind }) => kind === "queue");
    await playNow({ ask, find, queues, connection, settings, mine, open, opens, tell: (text) => toasts.show(text) });
  }, sayNotCome);
}

/** Tells what was lost, in a dialog that has come by then: see the end of this file. */
async function goneWith(lost) {
  const { tellGone } = await import("./gone-dialog.js");
  tellGone(lost);
}

/** Has what the player owns, in a house that keeps it; what has not come is asked for with the next greeting. */
async function withPurse() {
  if (!identity.hasPurse) return;
  purseComes ??= import("./purse.js").then(({ openPurse }) => openPurse(identity, who, (room, q) => connection.question(room, q)));
  purse = await purseComes.catch(console.warn);
  if (!purse) purseComes = null;
  showSeats();
}

/** Offers tables of the player's own where the house lets players open some; what has not come is asked for with the next greeting. */
function withOwnTables() {
  return later(async () => {
    const { offerOwn } = await import("./own-tables.js");
    await offerOwn({ connection, me, codes, lobby, open, toasts });
  });
}

/** Offers the coach. The house may be asked a few questions a second, and in its first seconds each more than once: one after the other. */
function withCoach() {
  return later(async () => {
    await ownTables;
    const { Coach } = await import("./coach.js");
    coach ??= new Coach({ connection, me: () => me, lobby, tables, elsewhere, storage: session, toasts });
    await coach.look();
  });
}

/** Whoever comes by the link to a table goes there. */
function follow() {
  const link = ofLink(location.hash);
  if (!link) return;
  if (link.code) codes.keep(link.room, link.code);
  history.replaceState(null, "", `#/table/${link.room}`);
}

function received(message) {
  const { t, room } = message;
  if (t === "lobby" || t === "lobby_delta") return (page?.receive ? page : lobby).receive(message);
  const talk = tables.all.find((table) => table.talk.room?.id === room)?.talk;
  if (talk) return t === "unwatched" || message.code === "no_such_room" ? talk.leave() : undefined;
  if (t === "unwatched") return closed(room, say.tableClosed);
  if (t === "error" && message.code === "no_such_room") return closed(room, say.noTable);
  if (t === "error" && message.code === "rail_full") return turnedAway(room);
  if (t === "error" && message.code === "unknown_message") return console.info(message.message); // An older house: we do without.
  if (t === "error" || t === "notice") {
    if (room && tables.get(room)) return tables.get(room).notice(message);
    return toasts.show(newsWords(message));
  }
  return undefined; // A newer house may say more than this page knows.
}

/** As many watch a table as may. */
function turnedAway(room) {
  const isShown = Boolean(page?.room) && page === tables.get(room);
  closed(room, null);
  if (!isShown) return undefined;
  return later(async () => {
    const { turnedAway } = await import("./rail-full.js");
    await turnedAway({ room, connection, settings, open, tell: (text) => toasts.show(text) });
  }, () => toasts.show(newsWords({ t: "error", code: "rail_full" })));
}

function closed(room, text) {
  if (!tables.get(room)) return contests?.close(room);
  const isShown = page === tables.get(room);
  const { contest } = tables.get(room);
  tables.close(room);
  // A tournament says itself how it has ended.
  if (isShown) location.hash = contest ? `#/tournament/${contest}` : "#/";
  if (isShown && !contest && text) toasts.show(text);
  return undefined;
}

/** Shows another of the player's tables in this window. */
function turnTo(step) {
  const rooms = tables.standings.map(({ room }) => room);
  if (rooms.length === 0) return;
  const at = rooms.indexOf(page?.room?.id);
  const next = rooms[(at + step + rooms.length) % rooms.length];
  if (next !== page?.room?.id) open(next);
}

/** Puts into its place what is to be shown. */
function lay() {
  const isOffered = wide.matches && Boolean(page.room) && tables.standings.length > 0;
  if (isOffered && settings.tiles) tilesCome ??= withTiles();
  beside = isOffered && settings.tiles && tiles ? tiles.lay(tables, page.room.id) : [];
  if (beside.length === 0) tiles?.clear();
  document.documentElement.toggleAttribute("data-tiles", beside.length > 0);
  tilesButton.hidden = !isOffered || tables.standings.length < 2;
  setAttribute(tilesButton, "aria-pressed", String(settings.tiles));
  const { element } = beside.length > 0 ? tiles : page;
  if (place.firstChild !== element) place.replaceChildren(element);
  tables.showBeside(beside);
  lookAtTiles();
}

/** Of one table, or of the one that takes keys: the side panel, which covers the felt on a phone. */
function showPanel(toggles) {
  if (toggles) coach?.look();
  const { classList } = (tables.get(tiles?.keys) ?? page).element;
  setAttribute(panelButton, "aria-expanded", String(toggles ? classList.toggle("panel-open") : classList.contains("panel-open")));
}

/** Which of them takes keys. */
function lookAtTiles() {
  if (beside.length > 0) tiles.look(beside.map((id) => tables.get(id).standing ?? { room: id, name: id, turn: null }));
  if (page) showPanel();
}

function withTiles() {
  return later(async () => {
    const { tilesPage } = await import("./tiles.js");
    tiles = await tilesPage();
    lay();
  }, () => (tilesCome = null)); // It is asked for again with the next news.
}

/** Where the player sits, and where it is their turn. */
function showSeats() {
  if (page) lay();
  const mine = tables.standings;
  const others = elsewhere.tablesOf(me).filter(({ room }) => !mine.some((table) => table.room === room));
  elsewhere.say(me, mine);
  const waits = tables.waits;
  const all = [...mine, ...waits, ...others.map((table) => ({ ...table, isHere: false }))];
  bar.show(all.filter(({ room }) => !beside.includes(room)), page?.room?.id ?? null);
  if (mine.length + waits.length > 0) seated ??= withSeat();
  showSeated();
  const title = page?.name ?? say.brand();
  if (seated?.alerts) seated.alerts.show([...mine, ...waits], title);
  else document.title = title;
  purse?.show(page?.currency ?? null);
  coach?.show();
}

/** What only those need who have a seat: the screen stays on, and the player may be called. */
function withSeat() {
  return later(async () => {
    const { withSeat } = await import("./with-seat.js");
    seated = withSeat(settings, sound, open);
    place.before(seated.offer.element);
    showSeats();
  }, () => (seated = null)); // It is asked for again with the next news.
}

function showSeated() {
  const seats = [...tables.standings, ...tables.waits];
  seated?.show?.(seats.length > 0, !page?.room, Boolean(page?.room) && seats.some(({ room }) => room === page.room.id));
}

function channel(name) {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null; // Where cookies are blocked windows know nothing of each other.
  }
}

function askWhoIAm() {
  return later(async () => {
    const { askWho } = await import("./who-dialog.js");
    const choice = await askWho(identity, name.textContent);
    if (choice === "account") return seeTo("account");
    if (choice === "back") identity.forgetOther();
    const other = { enter: (wish) => identity.enterAsOther(wish), title: say.otherTitle, canCancel: true };
    if (!choice || (choice === "other" && !(await askName(identity, other)))) return;
    startAgain();
  }, sayNotCome);
}

/**
 * @param {"account"|"in"|"link"|"back"} what is seen to, in dialogs that come when they are asked for: one's account, signing in, a password
 *   that is set by the link with which somebody has come, or what came of signing in elsewhere. The same person goes on with a new token, anybody else begins anew.
 */
function seeTo(what, link = null) {
  return later(async () => {
    const { account } = await import("./account.js");
    const outcome = await account(what, identity, { seats: tables.standings.length, link });
    if (outcome === "same") connection.reconnect();
    else if (outcome) startAgain();
  }, sayNotCome);
}

/** Loads the page anew, as whoever plays here now. */
function startAgain() {
  isLeaving = true;
  session.removeItem("cardhouse.here");
  location.reload();
}

/** Has the table page's code, however long that takes. */
async function withTables() {
  while (!Table) {
    try {
      ({ Table } = await import("./table.js"));
    } catch (error) {
      console.warn("the table page has not come:", error);
      await new Promise((resolve) => setTimeout(resolve, LOAD_AGAIN_MS));
    }
  }
}

/** @param {"settings"|"keys"} what is set, in a dialog that comes when it is asked for */
function set(what) {
  return later(async () => {
    const { setThings } = await import("./set-things.js");
    await setThings(what, settings);
  }, sayNotCome);
}

/** Does what needs code that comes when it is wanted. What did not come, or failed, is in the browser's log, and `instead` is done. */
async function later(what, instead = () => {}) {
  try {
    await what();
  } catch (error) {
    console.warn("has not come:", error);
    instead(error);
  }
}

function sayNotCome(error) {
  toasts.show(error.tell ?? say.notCome);
}

function isLobby(hash) {
  return ["", "#", "#/"].includes(hash);
}

/** Shows the page that the address names. */
async function route() {
  const wanted = ++routes;
  follow();
  const { hash } = location;
  const [, room] = /^#\/table\/([\w.-]+)$/.exec(hash) ?? [];
  if (room && !Table) await withTables();
  let other = isLobby(hash) ? lobby : hash === "#/chips" && (await withPurse(), purse?.page);
  if (!room && !other) {
    await later(async () => {
      if (hash.startsWith("#/hand")) other = await (await import("./hands.js")).pageOf(hash, { toasts, sound, settings, storage: local, identity, codes });
      else contests ??= await (await import("./tournaments.js")).tournaments({ connection, identity, me: () => me, purse: () => purse, toasts, seat: open });
    }, sayNotCome);
    other ||= contests?.pageOf(hash) ?? lobby;
  }
  if (wanted !== routes) return; // Somewhere else meanwhile.
  if (page?.room) tables.hide();
  else page?.leave();
  page = room ? tables.show(room) : other;
  document.documentElement.dataset.page = room ? "table" : (page.shape ?? "lobby");
  lay();
  if (!room) page.enter();
  page.element.focus();
  showSeats();
  coach?.look();
}

const place = el("div", { class: "place" });
const panelButton = el(
  "button",
  {
    class: "icon-button only-table only-narrow",
    type: "button",
    "aria-label": say.panel,
    "aria-expanded": "false",
    on: { click: () => showPanel(true) },
  },
  icon("panel"),
);
const tilesButton = el(
  "button",
  { class: "icon-button only-table", type: "button", hidden: true, "aria-label": say.tiles, title: say.tiles, data: { testid: "tiles-switch" }, on: { click: () => (settings.tiles = !settings.tiles) } },
  icon("tiles"),
);
const header = el(
  "header",
  { class: "top" },
  el("a", { class: "icon-button only-table", href: "#/", "aria-label": say.toLobby }, icon("back")),
  el("a", { class: "brand", href: "#/", "aria-label": say.brandToLobby }, el("i", { class: "brand-mark", "aria-hidden": "true" }), el("span", { text: say.brand })),
  el("div", { class: "top-right" }, languageSwitch(settings, "only-lobby"), badge.badge, who, tilesButton, panelButton,
    el("button", { class: "icon-button", type: "button", "aria-label": say.settings, data: { testid: "settings-open" }, on: { click: () => set("settings") } }, icon("settings"))),
);

document.body.append(header, badge.banner, bar.element, place, toasts.element);
onLanguage(sayAgain);
const [, link] = /^#password=(.+)$/.exec(location.hash) ?? [];
if (link) {
  history.replaceState(null, "", "#/");
  await seeTo("link", link);
}
const [, come] = /^#oidc=(\w{1,40})$/.exec(location.hash) ?? [];
if (come) {
  history.replaceState(null, "", session.getItem(BACK_KEY) || "#/");
  session.removeItem(BACK_KEY);
  await seeTo("back", come);
}
if (!identity.guest) await askName(identity, { languages: languageSwitch(settings), signIn: () => seeTo("in") });
addEventListener("hashchange", route);
addEventListener("online", () => connection.plugged(true));
addEventListener("offline", () => connection.plugged(false));
for (const woken of ["focus", "pageshow"]) addEventListener(woken, () => connection.check());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) connection.check();
  seated?.awake?.look();
});
addEventListener("beforeunload", (event) => {
  if (!isLeaving && tables.standings.some(({ plays }) => plays)) event.preventDefault();
});
addEventListener("storage", () => {
  settings.reload();
  if (identity.isAnotherNow) startAgain();
});
onDevice(() => dress(settings));
addEventListener("resize", () => page && lay());
document.addEventListener("focusin", () => lookAtTiles());
addEventListener("pagehide", () => elsewhere.leave());
addEventListener("pageshow", () => showSeats());
connection.connect();
if (tables.wasHeld) await withTables();
tables.restore();
await route();
await withTables();
// When something is lost, the house may be another one, which has it under another name.
import("./gone-dialog.js").catch(console.warn);
// Where a browser lets none, it says by itself that nobody answers.
navigator.serviceWorker?.register("sw.js").catch((error) => console.info("no service worker:", error));
