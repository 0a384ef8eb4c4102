import assert from "node:assert/strict";
import { test } from "node:test";
import { Alerts } from "../alerts.js";
import { Elsewhere } from "../elsewhere.js";
import { Identity } from "../identity.js";
import { Tables } from "../tables.js";

const storage = (items = {}) => {
  const map = new Map(Object.entries(items));
  return { getItem: (key) => map.get(key) ?? null, setItem: (key, value) => void map.set(key, value), removeItem: (key) => void map.delete(key) };
};

function setUp(kept = storage()) {
  const pages = new Map();
  const later = [];
  const make = (room, changed) => {
    const page = {
      room,
      standing: null,
      did: [],
      seat: (isSeated, isHere = true) => {
        page.standing = { room, name: room, isSeated, isHere, plays: isSeated, turn: null, turnId: null };
        changed();
      },
    };
    for (const what of ["enter", "leave", "follow", "close"]) page[what] = () => page.did.push(what);
    pages.set(room, page);
    return page;
  };
  let changes = 0;
  const tables = new Tables({ make, storage: kept, changed: () => (changes += 1), after: (_, then) => later.push(then) });
  return { tables, pages, kept, changes: () => changes, timePasses: () => later.splice(0).forEach((then) => then()) };
}

test("a table at which the player sits is held while another page is shown, any other is let go", () => {
  const { tables, pages } = setUp();
  tables.show("t1");
  pages.get("t1").seat(true);
  tables.hide();
  assert.deepEqual(pages.get("t1").did, ["enter", "leave"]);
  assert.equal(tables.show("t1"), pages.get("t1"), "it is the same page again, with its log");
  tables.hide();
  tables.show("t2");
  pages.get("t2").seat(false);
  tables.hide();
  assert.deepEqual(pages.get("t2").did, ["enter", "leave", "close"]);
  assert.deepEqual(tables.standings.map(({ room }) => room), ["t1"]);
});

test("several tables are held at once, and one whose seat is gone while it is not shown is let go", () => {
  const { tables, pages, timePasses } = setUp();
  for (const room of ["t1", "t2", "t3"]) {
    tables.show(room);
    pages.get(room).seat(true);
    tables.hide();
  }
  assert.equal(tables.standings.length, 3);
  pages.get("t2").seat(false);
  timePasses();
  assert.deepEqual([...tables.standings.map(({ room }) => room)], ["t1", "t3"]);
  assert.equal(pages.get("t2").did.at(-1), "close");
  pages.get("t3").seat(true, false);
  timePasses();
  assert.equal(pages.get("t3").did.at(-1), "close", "another window plays it");
});

test("a window that is loaded anew holds its tables again, once their seats are known", () => {
  const first = setUp();
  first.tables.show("t1");
  first.pages.get("t1").seat(true);
  const again = setUp(first.kept);
  assert.equal(again.tables.wasHeld, true);
  again.tables.restore();
  assert.deepEqual(again.pages.get("t1").did, ["follow"]);
  const thirdTime = setUp(first.kept);
  thirdTime.tables.restore();
  assert.ok(thirdTime.pages.has("t1"), "it is not forgotten before its state has come");
  again.pages.get("t1").seat(false);
  assert.ok(again.tables.get("t1"), "a keyframe may show the past");
  again.pages.get("t1").seat(true);
  again.timePasses();
  assert.equal(again.tables.standings.length, 1);
});

test("a table that is held again is not let go before its state has come, however slow the line", () => {
  const first = setUp();
  first.tables.show("t1");
  first.pages.get("t1").seat(true);
  const again = setUp(first.kept);
  again.tables.restore();
  again.timePasses();
  assert.deepEqual(again.pages.get("t1").did, ["follow"]);
  again.pages.get("t1").seat(true);
  again.timePasses();
  assert.equal(again.tables.standings.length, 1, "the seat is told in the bar");
  again.pages.get("t1").seat(false);
  again.timePasses();
  assert.equal(again.tables.get("t1"), undefined, "it is let go once it is known that the seat is gone");
});

test("whatever stands in storage, no other room than one is followed", () => {
  for (const text of ["{}", "[]", "7", '{"rooms":7}', '{"rooms":[null,7,"../x","a b",""]}']) {
    const { tables, pages } = setUp(storage({ "cardhouse.here": text }));
    tables.restore();
    assert.equal(pages.size, 0, text);
  }
});

test("windows tell each other where the player sits, and answer one that has come anew", () => {
  const windows = [];
  const open = (id) => {
    const channel = { postMessage: (data) => windows.filter((other) => other !== channel).forEach((other) => other.onmessage?.({ data: structuredClone(data) })) };
    windows.push(channel);
    let changes = 0;
    return { window: new Elsewhere(channel, id, () => (changes += 1)), changes: () => changes };
  };
  const a = open("a");
  a.window.say("ann", [{ room: "t1", name: "Aspen", turn: 7, hasCards: true, isHere: true }]);
  const b = open("b");
  assert.deepEqual(b.window.tablesOf("ann"), [{ room: "t1", name: "Aspen", turn: 7, hasCards: true }]);
  assert.deepEqual(b.window.tablesOf("bob"), [], "somebody else's are nobody's business");
  const before = b.changes();
  a.window.say("ann", [{ room: "t1", name: "Aspen", turn: 7, hasCards: true, isHere: true }]);
  assert.equal(b.changes(), before, "what is known is not told again");
  a.window.leave();
  assert.deepEqual(b.window.tablesOf("ann"), []);
  new Elsewhere(null, "c", () => {}).say("ann", []);
});

test("each turn calls once, wherever the player looks, and its notification goes with it", () => {
  const did = [];
  const page = {
    title: (text) => did.push(text),
    icon: (isTurn) => did.push(isTurn),
    sound: () => did.push("sound"),
    buzz: () => did.push("buzz"),
    notify: (room) => {
      did.push(`notify ${room}`);
      return () => did.push(`end ${room}`);
    },
  };
  const alerts = new Alerts(page);
  const since = (standings) => {
    did.length = 0;
    alerts.show(standings, "Cardhouse");
    return did.join(", ");
  };
  const at = (room, turnId) => ({ room, name: room.toUpperCase(), turn: turnId && 5, turnId });
  assert.equal(since([at("t1", null)]), "Cardhouse, false");
  assert.equal(since([at("t1", "1-1")]), "Your turn · T1, true, sound, buzz, notify t1");
  assert.equal(since([at("t1", "1-1")]), "Your turn · T1, true");
  assert.equal(since([at("t1", "1-1"), at("t2", "9-3")]), "Your turn · T1, true, sound, buzz, notify t2");
  assert.equal(since([at("t1", "1-3"), at("t2", "9-3")]), "Your turn · T1, true, end t1, sound, buzz, notify t1");
  assert.equal(since([]), "Cardhouse, false, end t2, end t1");
});

const guest = (user, expires_ms = 9e15) => ({ token: `token-${user}`, user, name: user, expires_ms });
const stored = (who) => storage({ "cardhouse.guest": JSON.stringify(who) });
const refused = () => Object.assign(new Error("no"), { refused: true });

test("all windows of a browser are one person, but for one that wants to be somebody else", async () => {
  const local = storage();
  const post = async (path, { name }) => guest(name);
  const first = new Identity(storage(), local, post);
  assert.equal(first.guest, null);
  await first.enter("Ann");
  assert.equal(new Identity(storage(), local, post).user, "Ann");
  const session = storage();
  const other = new Identity(session, local, post);
  await other.enterAsOther("Bob");
  const loaded = new Identity(session, local, post);
  assert.deepEqual([loaded.user, loaded.isOther], ["Bob", true]);
  assert.equal(new Identity(storage(), local, post).user, "Ann", "the others stay who they are");
  loaded.forgetOther();
  assert.deepEqual([new Identity(session, local, post).user, new Identity(session, local, post).isOther], ["Ann", false]);
});

test("when the house has forgotten a guest all windows become the same new one", async () => {
  const local = stored(guest("old"));
  let made = 0;
  const post = async (path, { name }) => {
    if (path === "/api/refresh") throw refused();
    return guest(`${name}-${(made += 1)}`);
  };
  const [a, b] = [new Identity(storage(), local, post), new Identity(storage(), local, post)];
  await a.renew();
  await b.renew();
  assert.deepEqual([a.user, b.user, made], ["old-1", "old-1", 1]);
  const other = new Identity(stored(guest("bob")), local, post);
  await other.renew();
  assert.equal(other.user, "bob-2", "who is somebody else stays apart");
  assert.equal(JSON.parse(local.getItem("cardhouse.guest")).user, "old-1");
});

test("a table at which the player waits for a seat is held, too, and a call to the seat is told in its own words", () => {
  const { tables, pages } = setUp();
  tables.show("t1");
  pages.get("t1").seat(false);
  pages.get("t1").standing.isWaiting = true;
  tables.hide();
  assert.deepEqual(pages.get("t1").did, ["enter", "leave"]);
  assert.deepEqual([tables.standings.length, tables.waits.length], [0, 1]);
  const did = [];
  const alerts = new Alerts({ title: (text) => did.push(text), icon() {}, sound: () => did.push("sound"), buzz() {}, notify: (_, text) => void did.push(text) });
  const words = { title: (name) => `seat at ${name}`, call: (name) => `come to ${name}` };
  alerts.show([{ room: "t1", name: "T1", turn: 5, turnId: "call-0", words }], "Cardhouse");
  assert.deepEqual(did, ["seat at T1", "sound", "come to T1"]);
});
