"""What is said for an agent, and when: a seat, its actions, chips, and leaving. Without I/O; times are as in `client`."""

import logging
from dataclasses import dataclass
from typing import Literal

from .actions import Action, Call, Check, Fold, RaiseTo
from .client import (
    RESYNCS,
    Acked,
    Client,
    Heard,
    Moved,
    Noticed,
    RefusedCommand,
    Room,
    Rows,
    Unwatched,
    Welcome,
    Wrong,
    turn_of,
)
from .errors import Banished, CardhouseError, Declined, Mismatch, NoSeat, Refused
from .hand import Event, Hand, Refusal, Result
from .reading import Object
from .report import Report
from .table import Seat, Table, Turn

log = logging.getLogger("cardhouse")

Rebuy = Literal["never", "broke", "always"]
"""When chips are brought again: never, when there is less than a big blind, or after each hand up to the first buy-in."""

REST_S = 0.5
"""The pause after a refusal that names none,"""
REST_MAX_S = 30.0
"""and the longest, whatever the house says."""
TRIES = 6
"""Times that one turn is answered, whatever the table says to it; then it is the clock's."""
MARGIN_S = 0.5
"""An answer leaves so long before the clock acts, or a tenth of the time if that is less."""
LOOK_AGAIN_S = 5.0
"""When no table has a free seat, or the lobby has not answered, it is asked again after so long."""
AWAIT_CHIPS_S = 20.0
"""Where chips are somebody's, those that were asked for are waited for so long."""
TROUBLES = 8
"""Refusals in a row of what the agent cannot do without."""
AGAIN = ("too_fast", "busy", "unavailable", "forgotten", "stale_n")
"""After these the same may be said again with a new number."""


@dataclass(frozen=True)
class Wishes:
    """What the caller wants."""

    table: str | None = None
    """`None`: any from the lobby that has a free seat."""
    seat: int | None = None
    buy_in: int | None = None
    """`None`: a hundred big blinds, as near as the table allows."""
    hands: int | None = None
    """Leaves after so many; the next may have begun by then, and is folded."""
    rebuy: Rebuy = "broke"
    use_time_bank: bool = True


@dataclass
class Ask:
    """A question to the agent, until it is answered."""

    hand: Hand
    most: int | None = None
    """On how many boards at most, if that is the question; else it is its turn."""
    room: str = ""

    @property
    def key(self) -> tuple[int, int]:
        return (self.hand.number, self.hand.turn)


@dataclass
class Answering:
    """A turn of the agent's."""

    key: tuple[int, int]
    """Hand and turn."""
    margin_s: float
    """An answer leaves so long before the clock acts."""
    ask: Ask | None = None
    """What the agent thinks about."""
    n: int | None = None
    """The command on its way."""
    action: Action | None = None
    """What it says."""
    strikes: int = 0
    """Answers that were not legal."""
    tries: int = 0
    by_default: bool = False
    not_before: float = 0.0
    """The same is said again then."""
    given_up: bool = False


class Player:
    """See the module. `heard` for each message, then `poll`, and again at `deadline`; `answered` when the agent has."""

    def __init__(self, client_token: str, wishes: Wishes, now: float) -> None:
        self.wishes = wishes
        self.client = Client(client_token, self._observe, now)
        self.report = Report()
        self.results: list[Result] = []
        """Hands that have ended and were not told so far."""
        self.room: str | None = wishes.table
        self.failure: CardhouseError | None = None
        self.stopping = ""
        """Why it leaves, if it does."""
        self._last_hand = 0
        """The hand that is still played then."""
        self.done = False
        self._now = now
        self._turn: Answering | None = None
        self._acts: dict[int, bool] = {}
        """Actions without an answer, and whether they are what is done for who does not decide."""
        self._boards_asked: int | None = None
        self._asked: int | None = None
        self._rest_until = 0.0
        self._troubles = 0
        self._bring: int | None = None
        self._looking = False
        self._full: set[str] = set()
        self._seated = False
        self._awaits_seat = False
        """A seat was asked for, and perhaps waits for chips."""
        self._awaits_chips_until = 0.0
        """Chips were asked for, and are waited for until then; 0: none are."""
        self._topped_up_after = -1
        """After this hand chips were brought, or asked for."""
        self._events: list[Event] = []
        self._events_complete = False
        self._stack_before: int | None = None
        """At the beginning of the hand; `None`: it was not seen."""
        self._refusal: Refusal | None = None

    def begin_anew(self, token: str, now: float) -> None:
        """As another user: the house does not know the one of before any more, whose seat and chips are out of reach."""
        if self._seated:
            self.report.complete = False
        before, fresh = self, Player(token, self.wishes, now)
        fresh.report, fresh.results, fresh.stopping = before.report, before.results, before.stopping
        for name in ("repeated", "gaps", "unreadable", "sessions"):
            setattr(fresh.client, name, getattr(before.client, name))
        self.__dict__.update(vars(fresh))
        self.client.observe = self._observe

    # --- what came ---

    def heard(self, heard: Heard, now: float) -> None:
        self._now = now
        match heard:
            case Welcome():
                self._forget_lost()
                self._looking = False
            case Moved(room=name, jumped=jumped) if name == self.room:
                self._moved(self.client.rooms[name], jumped)
            case Acked(n=n, do=do):
                self._acked(n, do)
            case RefusedCommand():
                self._refused(heard)
            case Unwatched(room=name) if name == self.room:
                self._closed()
            case Wrong(code=code, message=message, room=name):
                self._wrong(code, message, name)
            case Noticed(code="taken_over", message=message, room=name) if name == self.room:
                self.fail(Banished(message))
            case Noticed(code=code, message=message):
                log.info("the house says: %s (%s)", message, code)
            case Rows(rows=rows) if self._looking:
                self._choose(rows)
            case _:
                pass

    def fail(self, why: CardhouseError) -> None:
        self.failure = self.failure or why

    def stop(self, why: str = "stopped") -> None:
        """Leaves when the hand that is on has ended; one that has begun by then is folded."""
        if not self.stopping:
            self.stopping = why
            room = self.client.rooms.get(self.room or "")
            self._last_hand = room.table.hand.hand if room and room.table and room.table.hand else 0
            self._rest_until = 0.0

    def _forget_lost(self) -> None:
        """After a new session: what was said in the old one will have no answer. What to do now follows from the table."""
        if self._asked is not None and self._asked not in self.client.pending:
            self._asked = None
        if self._turn and self._turn.n is not None and self._turn.n not in self.client.pending:
            self._turn.n = None
        self._acts = {n: by_default for n, by_default in self._acts.items() if n in self.client.pending}

    def _me(self, table: Table) -> Seat | None:
        at = None if self.client.user is None else table.seat_of(self.client.user)
        return None if at is None else table.seats[at]

    def _observe(self, name: str, table: Table, event: Object) -> None:
        """One event, with the table as it is behind it."""
        if name != self.room:
            return
        me = self._me(table)

        def mine() -> bool:
            return me is not None and table.seats[event["seat"]] is me

        match event["e"]:
            case "hand_started":
                self._events, self._events_complete = [], True
                self._stack_before = me.stack if me and me.in_hand else None
            case "posted":
                bet = table.taken(event["seat"]).bet
                self._events.append(Event("preflop", event["seat"], event["blind"], event["amount"], bet))
            case "acted":
                self._events.append(Event(table.dealt().street, event["seat"], event["kind"], event["amount"], event["to"]))
            case "hand_ended" if me and me.in_hand:
                self._hand_ended(name, table, me)
            case "seated" if mine():
                self.report.brought += event["stack"]
                self.report.seats += 1
                self._seated = True
            case "topped_up" if mine():
                self.report.brought += event["amount"]
                self._awaits_chips_until = 0.0
            case "top_up_promised" | "top_up_lapsed" if mine():
                self._awaits_chips_until = 0.0
            case "left" if self._seated and me is None:
                self.report.took += event["stack"]
                self._seated = False
            case "freed" if self._awaits_seat and not self._reserved(table):
                # The part that is this user's alone says why, right behind it.
                self._rest(2 * REST_S)
            case _:
                pass

    def _hand_ended(self, name: str, table: Table, me: Seat) -> None:
        hand = table.dealt()
        self.report.hands += 1
        shown = {at: tuple(seat.shown) for at, seat in enumerate(table.seats) if seat and seat.shown}
        net = None if self._stack_before is None else me.stack - self._stack_before
        boards = tuple(tuple(board) for board in hand.boards)
        seat, cards = table.seats.index(me), self.client.rooms[name].cards
        events = tuple(self._events)
        dealt_in = tuple(at for at, player in enumerate(table.seats) if player and player.in_hand)
        self.results.append(Result(name, hand.hand, seat, net, me.stack, cards, boards, shown, dealt_in, events, self._events_complete))
        self._stack_before = None
        if self.wishes.hands is not None and self.report.hands >= self.wishes.hands:
            self.stop("hands")

    def _moved(self, room: Room, jumped: bool) -> None:
        table = room.table
        if room.is_other:
            return self.fail(Mismatch(f"{self.room} is no table"))
        if table is None:
            return
        me = self._me(table)
        if jumped:
            # What has happened in the hand is not known, nor what was brought or taken.
            self._events, self._events_complete, self._stack_before = [], False, None
            if (me is not None) != self._seated:
                self._seated = me is not None
                self.report.complete = False
        declined = room.private.get("declined")
        if isinstance(declined, dict):
            self._declined(Declined(declined["amount"], declined["code"]), table, me)
        if me is not None:
            self._awaits_seat = False

    def _declined(self, why: Declined, table: Table, me: Seat | None) -> None:
        """Chips that were asked for do not come."""
        if me is None and self._awaits_seat and not self._reserved(table):
            self.fail(why)
        elif me is not None and self._awaits_chips_until:
            log.warning("%s", why)
            self._awaits_chips_until = 0.0
            self.stop("broke")

    def _reserved(self, table: Table) -> bool:
        return self.client.user in table.reserved.values()

    def _acked(self, n: int, do: Object) -> None:
        if n == self._asked:
            self._asked, self._troubles = None, 0
            if do["a"] == "sit":
                self._awaits_seat = True
        by_default = self._acts.pop(n, None)
        if by_default is not None:
            self.report.defaulted += by_default
            self.report.acted += not by_default
        # The frame that it stands in came before, and with it perhaps the next turn.
        if self._turn and n == self._turn.n:
            self._turn.n, self._turn.given_up = None, True

    def _closed(self) -> None:
        self._turn, self._asked = None, None
        if self.wishes.table is not None or self.stopping:
            self.stopping = self.stopping or "closed"
            self.done = True
        self.room = None

    def _wrong(self, code: str, message: str, name: str) -> None:
        if name == self.room and code == "no_such_room":
            self._elsewhere(NoSeat(message))
        elif code in ("bad_message", "already_greeted"):
            self.fail(Mismatch(message))
        else:
            log.info("the house says: %s (%s)", message, code)

    # --- refusals ---

    def _refused(self, why: RefusedCommand) -> None:
        refusals = self.report.refusals
        refusals[why.code] = refusals.get(why.code, 0) + 1
        if why.code == "other_session":
            self.fail(Banished(why.message))
        elif why.code == "bad_command":
            self.fail(Mismatch(why.message))
        elif why.n == self._asked:
            self._asked = None
            self._refused_wish(why)
        elif (by_default := self._acts.pop(why.n, None)) is not None:
            if why.code in ("late", "not_your_turn", "not_seated"):
                self.report.late += not by_default
            if self._turn and why.n == self._turn.n:
                self._refused_act(self._turn, why)

    def _refused_wish(self, why: RefusedCommand) -> None:
        self._rest(why.retry_after_s)
        self._troubles += 1
        does = why.do["a"]
        if why.code in AGAIN or why.code == "in_hand":
            self._awaits_chips_until = 0.0
            return
        if does == "sit":
            self._no_seat(why)
        elif why.code in ("unchanged", "not_seated", "already_seated"):
            return
        elif does == "leave":
            if self._troubles >= TROUBLES:
                self.fail(Refused(why.code, why.message))
        elif does == "top_up":
            self._awaits_chips_until = 0.0
            # There are no more chips to be had.
            if self._troubles >= TROUBLES or why.code in ("not_allowed", "play_time_used"):
                self.stop("broke")
        else:
            self.fail(Refused(why.code, why.message))

    def _no_seat(self, why: RefusedCommand) -> None:
        if why.code in ("no_seat", "seat_taken", "no_such_room"):
            return self._elsewhere(NoSeat(why.message))
        if why.code == "already_seated":
            return
        limits = (why.legal or {}).get("buy_in")
        if limits is not None and self._troubles < TROUBLES:
            self._bring = max(limits["min"], min(self._bring or 0, limits["max"]))
        else:
            self.fail(Refused(why.code, why.message))

    def _elsewhere(self, why: NoSeat) -> None:
        """The table has no place: another, if any will do."""
        if self.wishes.table is not None:
            return self.fail(why)
        if self.room is not None:
            self._full.add(self.room)
            self.client.unwatch(self.room, self._now)
        self.room, self._asked = None, None

    def _refused_act(self, turn: Answering, why: RefusedCommand) -> None:
        turn.n = None
        if why.code in ("late", "not_your_turn", "not_seated"):
            turn.given_up = True
        elif why.code in AGAIN:
            turn.not_before = self._now + min(REST_MAX_S, why.retry_after_s if why.retry_after_s is not None else REST_S)
        elif turn.by_default or turn.tries >= TRIES:
            turn.given_up = True
        else:
            # The table says what is legal; it is asked of the agent with that.
            room = self.client.rooms.get(self.room or "")
            legal = turn_of(why.legal)
            if legal is not None and room and room.table and room.table.hand and room.table.hand.turn:
                ours = room.table.hand.turn
                if (ours.turn, ours.seat) == (legal.turn, legal.seat):
                    ours.call, ours.raise_ = legal.call, legal.raise_
            self._strike(turn, why.code, why.message)

    def _strike(self, turn: Answering, code: str, message: str) -> None:
        """An answer was not legal: asked once more, then decided without the agent."""
        if code == "failed":
            self.report.failed += 1
        else:
            self.report.illegal += 1
        turn.strikes += 1
        turn.action = None
        turn.ask = None
        if turn.strikes == 1:
            self._refusal = Refusal(code, message)
        else:
            turn.by_default = True

    # --- what is due ---

    def poll(self, now: float) -> Ask | None:
        """Says what is due, and asks the agent if there is something to ask."""
        self._now = now
        self.client.keep_alive(now)
        if self.failure or self.done or not self.client.is_current:
            return None
        if self.room is None:
            if self.stopping:
                self.done = True
            else:
                self._look(now)
            return None
        self.client.watch(self.room, now)
        room = self.client.rooms[self.room]
        if room.resyncs > RESYNCS:
            self.fail(Mismatch(f"what {self.room} tells does not fit together, whatever is asked for"))
        if room.table is None:
            if self.stopping and not self._seated and self._asked is None:
                self.done = True
            return None
        me = self._me(room.table)
        if me is None:
            self._turn = None
            self._without_seat(room.table)
            return None
        ask = self._act(room, me) or self._choose_boards(room, me)
        if ask is None:
            self._mind_the_seat(room.table, me)
        return ask

    def deadline(self) -> float:
        """When `poll` has something to do, if nothing is heard before."""
        due = self.client.deadline()
        if self._rest_until > self._now:
            due = min(due, self._rest_until)
        turn = self._turn
        if turn and not turn.given_up and turn.n is None:
            if turn.ask:
                due = min(due, turn.ask.hand.due)
            elif turn.not_before > self._now:
                due = min(due, turn.not_before)
        return due

    def seat(self) -> Seat | None:
        """The agent's own, as far as is known."""
        room = self.client.rooms.get(self.room or "")
        return self._me(room.table) if room and room.table else None

    def near(self) -> str | None:
        """The table that the connection should be near."""
        return self.room if self._seated and self.client.near else None

    def _rest(self, pause_s: float | None) -> None:
        self._rest_until = self._now + min(REST_MAX_S, REST_S if pause_s is None else pause_s)

    def _may_ask(self) -> bool:
        return self._asked is None and self._now >= self._rest_until

    def _say(self, do: Object) -> None:
        assert self.room is not None, "one speaks to a table"
        self._asked = self.client.command(self.room, do, self._now)

    def _look(self, now: float) -> None:
        if not self._may_ask():
            return
        if self._looking:
            self.client.lobby(False, now)
            self._full.clear()
        self._looking = True
        self.client.lobby(True, now)
        self._rest(LOOK_AGAIN_S)

    def _choose(self, rows: list[Object]) -> None:
        for row in rows:
            if row["kind"] == "table" and row["taken"] < row["seats"] and row["room"] not in self._full:
                self.client.lobby(False, self._now)
                self.room, self._looking, self._rest_until = row["room"], False, 0.0
                return

    def _without_seat(self, table: Table) -> None:
        if self._reserved(table):
            self._awaits_seat = True
            if self.stopping and self._may_ask():
                self._say({"a": "leave"})
            return
        if self.stopping:
            self.done = self._asked is None
            return
        if not self._may_ask():
            return
        low, high, blind = (table.config[name] for name in ("buy_in_min", "buy_in_max", "big_blind"))
        if self._bring is None:
            self._bring = self.wishes.buy_in if self.wishes.buy_in is not None else max(low, min(100 * blind, high))
        self._say({"a": "sit", "seat": self.wishes.seat, "buy_in": self._bring, "wait_for_big_blind": False})

    def _mind_the_seat(self, table: Table, me: Seat) -> None:
        if not self._may_ask():
            return
        playing = me.in_hand and table.hand is not None and not table.hand.ended
        if self.stopping:
            number = table.hand.hand if table.hand else 0
            if me.status != "leaving" and not (playing and not me.folded and number <= self._last_hand):
                self._say({"a": "leave"})
            return
        if playing or me.status == "leaving" or self._now < self._awaits_chips_until:
            return
        number = table.hand.hand if table.hand else 0
        blind: int = table.config["big_blind"]
        full = min(self._bring or table.config["buy_in_min"], table.config["buy_in_max"])
        missing = full - me.stack - me.top_up
        if me.stack + me.top_up < blind and missing > 0:
            if self.wishes.rebuy == "never":
                self.stop("broke")
                self._say({"a": "leave"})
            else:
                self._top_up(missing)
        elif self.wishes.rebuy == "always" and missing > 0 and self._topped_up_after != number:
            self._topped_up_after = number
            self._top_up(missing)
        elif me.status == "sitting_out" and me.stack >= 1:
            self._say({"a": "come_back", "wait_for_big_blind": False})

    def _top_up(self, amount: int) -> None:
        self._awaits_chips_until = self._now + AWAIT_CHIPS_S
        self._say({"a": "top_up", "amount": amount})

    def _leaves(self, me: Seat) -> bool:
        """Whether it has said that it leaves: what begins after that is folded by the table."""
        said = self.client.pending.get(self._asked) if self._asked is not None else None
        return me.status == "leaving" or (said is not None and said.do["a"] == "leave")

    # --- a turn ---

    def _act(self, room: Room, me: Seat) -> Ask | None:
        table = room.table
        hand = table.hand if table else None
        if table is None or hand is None or hand.turn is None or table.seats[hand.turn.seat] is not me:
            self._end_turn()
            return None
        key = (hand.hand, hand.turn.turn)
        if self._turn is None or self._turn.key != key:
            self._end_turn()
            left = max(0.0, self._until(hand.turn, me) - self._now)
            self._turn, self._refusal = Answering(key, min(MARGIN_S, left / 10)), None
        turn = self._turn
        if turn.given_up or turn.n is not None or not room.cards or self._leaves(me):
            return None
        if self.stopping and hand.hand > self._last_hand:
            return None
        due = self._until(hand.turn, me) - turn.margin_s
        if turn.ask:
            turn.ask.hand = _with_due(turn.ask.hand, due)
            if self._now < due:
                return None
            # Too late to ask anybody.
            self.report.late += 1
            turn.ask, turn.by_default = None, True
        if turn.by_default and turn.action is None:
            turn.action = Check() if hand.turn.call is None else Fold()
        if turn.action is not None:
            if self._now >= turn.not_before:
                self._say_action(turn, hand.turn, turn.action)
            return None
        if self._now >= due:
            # One of the past, or there is no time: a table that is being caught up with shows turns that are over.
            return None
        turn.ask = Ask(self._hand(room, table, hand.turn, table.seats.index(me), due), room=self.room or "")
        return turn.ask

    def _end_turn(self) -> None:
        """The turn is over; an agent that still thinks about it was too slow, or somebody has acted for it."""
        if self._turn and self._turn.ask:
            self.report.late += 1
        self._turn = None

    def _say_action(self, turn: Answering, legal: Turn, action: Action) -> None:
        turn.tries += 1
        if turn.tries > TRIES:
            turn.given_up = True
            return
        kind, to = _told(action, legal)
        do: Object = {"a": "act", "hand": turn.key[0], "turn": turn.key[1], "kind": kind, "to": to}
        assert self.room is not None, "there is a turn"
        turn.n = self.client.command(self.room, do, self._now)
        self._acts[turn.n] = turn.by_default

    def _until(self, turn: Turn, me: Seat) -> float:
        """When the clock acts."""
        until = turn.deadline_ms
        if self.wishes.use_time_bank and not turn.extended:
            until += me.bank_ms
        return self.client.local(until)

    def _hand(self, room: Room, table: Table, turn: Turn, seat: int, due: float) -> Hand:
        hand = table.hand
        assert hand is not None and self.room is not None, "there is a turn"
        return Hand(
            table=self.room,
            config=table.config,
            number=hand.hand,
            turn=turn.turn,
            seat=seat,
            button=hand.button,
            seats=tuple(_copy(seat) for seat in table.seats),
            street=hand.street,
            cards=room.cards,
            boards=tuple(tuple(board) for board in hand.boards),
            pots=tuple(hand.pots),
            events=tuple(self._events),
            events_complete=self._events_complete,
            call=turn.call,
            limits=turn.raise_,
            due=due,
            refusal=self._refusal,
        )

    def waits_for(self, ask: Ask) -> bool:
        """Whether an answer would be of use."""
        return ask.most is not None or (self._turn is not None and self._turn.ask is ask)

    def answered(self, ask: Ask, answer: object, now: float) -> None:
        """The agent has answered: an action, a number of boards, or the exception that it was."""
        self._now = now
        if ask.most is not None:
            boards = answer if type(answer) is int and 1 <= answer <= ask.most else 1
            if self.room == ask.room:
                self.client.command(ask.room, {"a": "runs", "hand": ask.hand.number, "boards": boards}, now)
            return
        turn = self._turn
        if turn is None or turn.ask is not ask:
            # The turn is over, and was counted as late.
            return
        turn.ask = None
        if isinstance(answer, BaseException):
            self._strike(turn, "failed", f"{type(answer).__name__}: {answer}")
            return
        why_not = ask.hand.why_not(answer)
        if why_not is not None:
            self._strike(turn, "illegal", why_not)
        else:
            assert isinstance(answer, Fold | Check | Call | RaiseTo), "it was found legal"
            turn.action = answer

    def _choose_boards(self, room: Room, me: Seat) -> Ask | None:
        table = room.table
        hand = table.hand if table else None
        if table is None or hand is None or hand.runs is None or table.seats.index(me) not in hand.runs.seats:
            return None
        if self._boards_asked == hand.hand:
            return None
        self._boards_asked = hand.hand
        due = self.client.local(hand.runs.deadline_ms)
        seat = table.seats.index(me)
        nothing = Turn(0, seat, hand.runs.deadline_ms, None, None)
        return Ask(self._hand(room, table, nothing, seat, due), most=hand.runs.max, room=self.room or "")


def _told(action: Action, legal: Turn) -> tuple[str, int | None]:
    """An action in the protocol's words."""
    match action:
        case RaiseTo(to=to):
            return ("bet" if legal.raise_ and legal.raise_.bet else "raise", to)
        case Fold():
            return ("fold", None)
        case Check():
            return ("check", None)
        case Call():
            return ("call", None)


def _copy(seat: Seat | None) -> Seat | None:
    return None if seat is None else Seat(**{**vars(seat), "shown": list(seat.shown)})


def _with_due(hand: Hand, due: float) -> Hand:
    # What the agent holds says the new time, too: `seconds_left` is asked while it thinks.
    object.__setattr__(hand, "due", due)
    return hand
