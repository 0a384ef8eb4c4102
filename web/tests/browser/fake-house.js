/**
 * A house made up inside the page, for tests of what is drawn: a browser test adds this script before any of the page's own.
 * The page then plays its real modules against it: sockets that answer `hello`, `watch` and `ping`, and reception.
 *
 * `fakeHouse.show({state, own, events})` puts a table in front of the player, whose user is `me`.
 */
(() => {
  const ME = { token: "token", user: "me", name: "Morgan", expires_ms: Date.now() + 86_400_000 };
  const ROOM = "t1";
  const seqs = new Map();
  const scenes = new Map();
  let socket = null;

  class FakeSocket {
    static OPEN = 1;
    readyState = 1;
    bufferedAmount = 0;
    constructor() {
      socket = this;
      setTimeout(() => this.onopen?.({}));
    }

    addEventListener(name, handler) {
      this[`on${name}`] = handler;
    }

    send(text) {
      hear(JSON.parse(text));
    }

    close() {
      this.readyState = 3;
    }
  }

  function tell(message) {
    socket?.onmessage?.({ data: JSON.stringify(message) });
  }

  function hear(message) {
    if (fakeHouse.isSilent) return;
    const now_ms = Date.now();
    if (message.t === "hello") {
      const { user, name, expires_ms } = ME;
      tell({ t: "welcome", user, name, session: "00c0ffee00c0ffee", now_ms, expires_ms, idle_ms: 30_000, near: false, counts: true });
      for (const room of Object.keys(message.resume ?? {})) watch(room);
    }
    if (message.t === "ping") tell({ t: "pong", at: message.at, now_ms });
    if (message.t === "lobby" && message.on) tell(fakeHouse.lobby);
    if (message.t === "watch") watch(message.room);
    if (message.t === "unwatch") tell({ t: "unwatched", room: message.room });
    if (message.t === "do") {
      fakeHouse.done.push(message.do);
      fakeHouse.doneIn.push(message.room);
      const answer = fakeHouse.answers.shift() ?? { t: "ack", epoch: 1, seq: seqOf(message.room) };
      tell({ n: message.n, room: message.room, ...answer });
    }
  }

  function watch(room) {
    if (scenes.has(room)) tellScene(room);
  }

  function seqOf(room, more = 0) {
    seqs.set(room, (seqs.get(room) ?? 1) + more);
    return seqs.get(room);
  }

  function tellScene(room) {
    const { state, own, events = [] } = scenes.get(room);
    const seq = seqOf(room, 2); // A position of which the page has not the one before: it takes it as a jump.
    tell({ t: "keyframe", room, epoch: 1, seq, state: structuredClone(state) });
    if (own) tell({ t: "private", room, epoch: 1, seq, private: own });
    if (events.length > 0) fakeHouse.happen(events, room);
  }

  const fakeHouse = {
    room: ROOM,
    /** The `do` of each command that has come. */
    done: [],
    /** The room of each. */
    doneIn: [],
    /** Whether it hears nothing, as a house at the other end of a broken line. */
    isSilent: false,
    /** What the lobby is told. */
    lobby: { t: "lobby", tables: [] },
    /** Answers to the next commands; an `ack` where there is none. */
    answers: [],
    /** @param {{state: object, own?: {hand, cards}, events?: object[]}} next the table from now on */
    show(next, room = ROOM) {
      scenes.set(room, next);
      tellScene(room);
    },
    /** A frame with these events. */
    happen(events, room = ROOM) {
      tell({ t: "frame", room, epoch: 1, seq: seqOf(room, 1), events });
    },
    /** What one player alone sees. */
    whisper(own, room = ROOM) {
      tell({ t: "private", room, epoch: 1, seq: seqOf(room), private: own });
    },
    tell,
  };
  window.fakeHouse = fakeHouse;
  window.WebSocket = FakeSocket;
  const fetch = window.fetch.bind(window);
  window.fetch = async (path, options) =>
    String(path).includes("/api/") ? new Response(JSON.stringify(ME), { status: 201, headers: { "content-type": "application/json" } }) : fetch(path, options);
})();
