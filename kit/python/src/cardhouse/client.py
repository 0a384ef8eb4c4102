"""One session with a house, by the protocol's document and without I/O: what is said and what was heard, positions, commands and their answers,
and whether the house is still there.

Times are seconds of one clock that the caller reads (`time.monotonic()`)."""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .reading import (
    Object,
    Unreadable,
    a_card,
    an_object,
    items,
    maybe_part,
    maybe_text,
    maybe_whole,
    message,
    part,
    plain,
    text,
    whole,
)
from .table import Table, Turn

ASK_AFTER_S = 5.0
"""A house that has said nothing for so long is asked whether it is there."""
SILENT_AFTER_S = 10.0
"""One that says nothing for so long is not, whatever the connection says."""
HURRIED_S = 2.0
"""While somebody waits it is asked after so long, and has so long to answer."""
IDLE_MIN_S = 1.0
"""The house wants to hear from us this often at most, whatever it says."""
RESYNCS = 8
"""Keyframes asked for in a row, with nothing that fits between them, before a room counts as one that cannot be read."""


# --- what a message meant ---


@dataclass(frozen=True)
class Welcome:
    """The connection is up."""

    resumed: bool
    """The session of before goes on. If not, commands without an answer will never have one."""


@dataclass(frozen=True)
class Moved:
    """A frame, keyframe or private part of a room was taken."""

    room: str
    jumped: bool = False
    """It was a keyframe in the place of frames that have not come, or the first one."""


@dataclass(frozen=True)
class Acked:
    """A command was applied."""

    n: int
    room: str
    do: Object
    at: tuple[int, int] = field(default=(0, 0), compare=False)
    """The position of the frame in which it was: its `epoch` and `seq`."""


@dataclass(frozen=True)
class RefusedCommand:
    """A command was not applied and will never be."""

    n: int
    room: str
    do: Object
    code: str
    message: str
    retry_after_s: float | None
    legal: Object | None


@dataclass(frozen=True)
class Unwatched:
    """A room's frames end."""

    room: str


@dataclass(frozen=True)
class Wrong:
    """The house says that a message which was no command is wrong."""

    code: str
    message: str
    room: str


@dataclass(frozen=True)
class Noticed:
    code: str
    message: str
    room: str


@dataclass(frozen=True)
class Leaving:
    """The relay is leaving: connect again after so long."""

    after_s: float


@dataclass(frozen=True)
class Rows:
    """Tables of the lobby, as it tells them."""

    rows: list[Object]


@dataclass(frozen=True)
class Nothing:
    """Nothing to act on."""


Heard = Welcome | Moved | Acked | RefusedCommand | Unwatched | Wrong | Noticed | Leaving | Rows | Nothing


@dataclass
class Room:
    """A room that is watched."""

    epoch: int = 0
    seq: int = 0
    """The position: that of the last frame or keyframe taken."""
    table: Table | None = None
    """`None` until a keyframe has come."""
    private: Object = field(default_factory=dict)
    """What this user alone was told last."""
    is_other: bool = False
    """It is no table: its positions are followed, and of it `private` alone is kept."""
    sparse: bool = False
    parts: int | None = None
    """In a sparse room, how many private parts this user has got; `None` where the next one says it."""
    replace_next: bool = False
    """The next keyframe counts wherever it stands."""
    resyncs: int = 0
    """Keyframes asked for since something fitted."""

    @property
    def cards(self) -> tuple[str, ...]:
        """The own hole cards in the hand that is on."""
        hand = self.table.hand if self.table else None
        if hand is None or self.private.get("hand") != hand.hand:
            return ()
        return tuple(self.private["cards"])


@dataclass(frozen=True)
class Command:
    """A command without an answer."""

    n: int
    room: str
    do: Object
    text: str
    """As it was sent: a repeat is the same word for word."""


class Client:
    """See the module."""

    def __init__(self, token: str, observe: Callable[[str, Table, Object], None], now: float) -> None:
        """`observe` is told of each event of a frame, with the table as it is behind it."""
        self.token = token
        self.observe = observe
        self.user: str | None = None
        self.name = ""
        self.session: str | None = None
        self.online = False
        self.near = False
        """The house asks those who have a seat to connect near it."""
        self.views = False
        """It understands views of the lobby."""
        self.rooms: dict[str, Room] = {}
        self.pending: dict[int, Command] = {}
        """Commands without an answer, by their number."""
        self.outgoing: deque[str] = deque()
        self.wants_reconnect = False
        """Something was missed, so that only another connection puts it right."""
        self.expires_at: float | None = None
        """When the token ends."""
        self.repeated = self.gaps = self.unreadable = self.sessions = 0
        self._n = 0
        self._clock_ms: float = 0.0
        self._idle_s = 30.0
        self._sent_at = self._heard_at = now
        self._pinged_at: float | None = None
        self._current_from: int | None = None
        """With the answer to a ping that says this, or a later one, what is known is of now."""
        self._connected = False

    @property
    def is_current(self) -> bool:
        """What is known is of now: what the house had kept for this connection, or behind a keyframe, has come. Until then a turn may be over."""
        return self.online and self._current_from is None

    # --- saying ---

    def connected(self, now: float) -> None:
        """A connection is there: says hello on it, with what there is to go on with."""
        self.outgoing.clear()
        self.online, self.wants_reconnect, self._connected = False, False, True
        self._heard_at, self._pinged_at, self._current_from = now, None, None
        hello: Object = {"t": "hello", "token": self.token}
        if self.session is not None:
            hello["session"] = self.session
            hello["resume"] = {name: [room.epoch, room.seq] for name, room in self.rooms.items()}
        self._say(hello, now)

    def disconnected(self) -> None:
        self.online, self._connected = False, False
        self.outgoing.clear()

    def watch(self, room: str, now: float) -> None:
        if room not in self.rooms:
            self.rooms[room] = Room()
            if self.online:
                self._say({"t": "watch", "room": room}, now)

    def unwatch(self, room: str, now: float) -> None:
        if self.rooms.pop(room, None) is not None and self.online:
            self._say({"t": "unwatch", "room": room}, now)

    def lobby(self, on: bool, now: float) -> None:
        """Asks for tables with a free seat, or has enough of them."""
        look: Object = {"t": "lobby", "on": on}
        if on and self.views:
            look |= {"v": 1, "view": {"kind": "table", "free": 1, "count": 100}}
        self._say(look, now)

    def command(self, room: str, do: Object, now: float) -> int:
        """Says a command, now or when there is a connection, and again on each later one until it is answered."""
        self._n += 1
        told = json.dumps({"t": "do", "n": self._n, "room": room, "do": do})
        self.pending[self._n] = Command(self._n, room, do, told)
        if self.online:
            self._send(told, now)
        return self._n

    def renew(self, token: str, now: float) -> None:
        """Uses a new token: at once on a live connection, else with the next hello."""
        self.token, self.expires_at = token, None
        if self.online:
            self._say({"t": "refresh", "token": token}, now)

    def _say(self, told: Object, now: float) -> None:
        self._send(json.dumps(told), now)

    def _send(self, told: str, now: float) -> None:
        self.outgoing.append(told)
        self._sent_at = now

    # --- whether the house is there ---

    def keep_alive(self, now: float) -> None:
        """Asks the house whether it is there when it is time to."""
        quiet = now - self._sent_at >= self._idle_s / 2
        asks = self._pinged_at is None and now - self._heard_at >= self._ask_after()
        if self.online and (quiet or asks):
            if self._pinged_at is None:
                self._pinged_at = now
            self._ping(now)

    def _ping(self, now: float) -> int:
        """Asks for an answer, and says by what it is known."""
        at = round(now * 1000)
        self._say({"t": "ping", "at": at}, now)
        return at

    def _catch_up(self, now: float) -> None:
        """What the house has kept comes first, and the answer to this behind it."""
        self._current_from = self._ping(now)

    def is_silent(self, now: float) -> bool:
        """Whether the house has not even answered that: only another connection helps."""
        return self._connected and now >= self._silent_at()

    def deadline(self) -> float:
        """When one of the two has something to say, if nothing is heard before."""
        if not self._connected:
            return float("inf")
        due = self._silent_at()
        if self.online:
            due = min(due, self._sent_at + self._idle_s / 2)
            if self._pinged_at is None:
                due = min(due, self._heard_at + self._ask_after())
        return due

    def local(self, ms: int) -> float:
        """A time of the house's clock on ours."""
        return (ms - self._clock_ms) / 1000

    def _waits(self) -> bool:
        return bool(self.pending) or any(room.cards for room in self.rooms.values())

    def _ask_after(self) -> float:
        return HURRIED_S if self._waits() else ASK_AFTER_S

    def _silent_at(self) -> float:
        late = self._heard_at + SILENT_AFTER_S
        if self.online and self._pinged_at is not None and self._waits():
            return min(late, self._pinged_at + HURRIED_S)
        return late

    # --- hearing ---

    def receive(self, told: str, now: float) -> Heard:
        """Takes a message. What cannot be read is counted, and if it may have told something of a room, that is asked for again."""
        self._heard_at, self._pinged_at = now, None
        try:
            read = message(told)
            kind = text(read, "t")
            hears = _MESSAGES.get(kind)
            return Nothing() if hears is None else hears(self, read, now)
        except Unreadable:
            self.unreadable += 1
            # Whatever it was: each room is followed on from what is known of it.
            self.wants_reconnect = True
            return Nothing()

    def _welcome(self, read: Object, now: float) -> Heard:
        user, session = text(read, "user"), text(read, "session")
        now_ms, expires_ms, idle_ms = whole(read, "now_ms"), whole(read, "expires_ms"), whole(read, "idle_ms")
        if self.user not in (None, user) or self.online:
            raise Unreadable("welcomed as somebody else, or twice")
        self.user, self.name, self.online = user, text(read, "name"), True
        self._clock_ms = now_ms - now * 1000
        self._idle_s = max(IDLE_MIN_S, idle_ms / 1000)
        self._expires(expires_ms, now_ms, now)
        self.near, self.views = read.get("near") is True, read.get("views") is True
        resumed = session == self.session
        if resumed:
            if read.get("counts") is True:
                self._say({"t": "count", "n": self._n}, now)
            for command in self.pending.values():
                self._send(command.text, now)
                self.repeated += 1
        else:
            if self.session is not None:
                self.pending.clear()
            self.session = session
            self.sessions += 1
            # Said before there was any session.
            for command in self.pending.values():
                self._send(command.text, now)
            for name, room in self.rooms.items():
                if room.table is None:
                    self._say({"t": "watch", "room": name}, now)
        if any(room.table is not None for room in self.rooms.values()):
            self._catch_up(now)
        return Welcome(resumed)

    def _expires(self, expires_ms: int, now_ms: int, now: float) -> None:
        self.expires_at = now + (expires_ms - now_ms) / 1000

    def _refreshed(self, read: Object, now: float) -> Heard:
        self.expires_at = self.local(whole(read, "expires_ms"))
        return Nothing()

    def _pong(self, read: Object, now: float) -> Heard:
        self._clock_ms = whole(read, "now_ms") - now * 1000
        if self._current_from is not None and whole(read, "at") >= self._current_from:
            self._current_from = None
        return Nothing()

    def _keyframe(self, read: Object, now: float) -> Heard:
        name, epoch, seq = text(read, "room"), whole(read, "epoch"), whole(read, "seq")
        kind = maybe_text(read, "kind") or "table"
        room = self.rooms.get(name)
        if room is None:
            return Nothing()
        later = epoch > room.epoch or (epoch == room.epoch and seq > room.seq)
        if not (later or room.replace_next or (room.table is None and not room.is_other)):
            return Nothing()
        state = part(read, "state")
        before = room.table
        try:
            room.table = Table.read(state) if kind == "table" else None
        except Unreadable:
            return self._resync(room)
        # Who had all frames finds it equal to his own.
        jumped = before is None or room.table is None or not room.table.goes_on_from(before)
        room.is_other = kind != "table"
        room.sparse = read.get("sparse") is True
        room.parts, room.replace_next = None, False
        room.epoch, room.seq = epoch, seq
        if jumped:
            self._catch_up(now)
        return Moved(name, jumped)

    def _frame(self, read: Object, now: float) -> Heard:
        name, epoch, seq = text(read, "room"), whole(read, "epoch"), whole(read, "seq")
        room = self.rooms.get(name)
        if room is None or epoch < room.epoch or (epoch == room.epoch and seq <= room.seq):
            return Nothing()
        if seq != room.seq + 1 and not (room.sparse and epoch == room.epoch):
            return self._missed()
        if room.table is not None:
            try:
                for event in items(read, "events"):
                    event = an_object(event, "an event")
                    if room.table.apply(event):
                        self.observe(name, room.table, event)
            except Unreadable:
                return self._resync(room)
            room.resyncs = 0
        elif not room.is_other:
            return self._missed()
        room.epoch, room.seq = epoch, seq
        return Moved(name)

    def _private(self, read: Object, now: float) -> Heard:
        name, epoch, seq = text(read, "room"), whole(read, "epoch"), whole(read, "seq")
        room = self.rooms.get(name)
        if room is None:
            return Nothing()
        told = part(read, "private")
        if room.sparse:
            k = maybe_whole(told, "k")
            if k is not None and room.parts is not None and k not in (room.parts, room.parts + 1):
                return self._missed()
            room.parts = k
            if epoch == room.epoch:
                room.seq = max(room.seq, seq)
        if not room.is_other:
            whole(told, "hand")
            for card in items(told, "cards"):
                a_card(card, "cards")
            declined = maybe_part(told, "declined")
            if declined is not None:
                whole(declined, "amount"), text(declined, "code")
        room.private = told
        return Moved(name)

    def _ack(self, read: Object, now: float) -> Heard:
        n, epoch, seq = whole(read, "n"), whole(read, "epoch"), whole(read, "seq")
        command = self.pending.get(n)
        if command is None or command.room != text(read, "room"):
            return Nothing()
        del self.pending[n]
        room = self.rooms.get(command.room)
        if room is not None and not room.sparse and (epoch, seq) > (room.epoch, room.seq):
            # The frame that it stands in was to come before.
            self._missed()
        return Acked(n, command.room, command.do, (epoch, seq))

    def _refused(self, read: Object, now: float) -> Heard:
        n, code, why = whole(read, "n"), text(read, "code"), plain(read, "message")
        retry_ms, legal = maybe_whole(read, "retry_after_ms"), maybe_part(read, "legal")
        turn_of(legal)
        buy_in = None if legal is None else maybe_part(legal, "buy_in")
        if buy_in is not None:
            whole(buy_in, "min"), whole(buy_in, "max")
        command = self.pending.get(n)
        if command is None or command.room != text(read, "room"):
            return Nothing()
        del self.pending[n]
        return RefusedCommand(n, command.room, command.do, code, why, None if retry_ms is None else retry_ms / 1000, legal)

    def _unwatched(self, read: Object, now: float) -> Heard:
        name = text(read, "room")
        if self.rooms.pop(name, None) is None:
            return Nothing()
        return Unwatched(name)

    def _error(self, read: Object, now: float) -> Heard:
        return Wrong(text(read, "code"), plain(read, "message"), maybe_text(read, "room"))

    def _notice(self, read: Object, now: float) -> Heard:
        notice = Noticed(text(read, "code"), plain(read, "message"), maybe_text(read, "room"))
        if notice.code == "history_lost" and notice.room in self.rooms:
            self.rooms[notice.room].replace_next = True
        return notice

    def _reconnect(self, read: Object, now: float) -> Heard:
        return Leaving(whole(read, "after_ms") / 1000)

    def _lobby(self, read: Object, now: float) -> Heard:
        rows = [an_object(row, "a row") for row in items(read, "rows" if "rows" in read else "tables")]
        for row in rows:
            text(row, "room"), text(row, "kind"), whole(row, "seats"), whole(row, "taken")
        return Rows(rows)

    def _missed(self) -> Heard:
        """Something was missed: the next connection goes on from what is there."""
        self.gaps += 1
        self.wants_reconnect = True
        return Nothing()

    def _resync(self, room: Room) -> Heard:
        """A room's story does not fit what is known of it: the next connection begins with its keyframe."""
        room.table, room.is_other = None, False
        room.epoch = room.seq = 0
        room.resyncs += 1
        return self._missed()


def turn_of(legal: Object | None) -> Turn | None:
    """The turn that a refusal says is on."""
    turn = None if legal is None else maybe_part(legal, "turn")
    return None if turn is None else Turn.read(turn)


_MESSAGES: dict[str, Callable[[Client, Object, float], Heard]] = {
    "welcome": Client._welcome,
    "refreshed": Client._refreshed,
    "pong": Client._pong,
    "keyframe": Client._keyframe,
    "frame": Client._frame,
    "private": Client._private,
    "ack": Client._ack,
    "refused": Client._refused,
    "unwatched": Client._unwatched,
    "error": Client._error,
    "notice": Client._notice,
    "reconnect": Client._reconnect,
    "lobby": Client._lobby,
}
