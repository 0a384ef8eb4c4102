"""A table as everybody sees it: the state of a keyframe, and what events do to it.

Each event does what the table of events in the protocol's document says. Events that are not known are passed over; one that does not fit raises
`Unreadable`, and the state is then to be replaced by a keyframe."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .reading import Object, Unreadable, an_object, cards, flag, items, maybe_part, maybe_whole, part, text, whole, wholes


@dataclass(frozen=True)
class Raise:
    """The limits of a bet or raise: totals of the street, chips."""

    min: int
    max: int
    """All-in, or the pot in pot-limit."""
    bet: bool
    """It would be the street's first bet."""


@dataclass
class Turn:
    """Whose turn it is, and what he may do beside folding."""

    turn: int
    seat: int
    deadline_ms: int
    """On the house's clock."""
    call: int | None
    """`None`: checking is free."""
    raise_: Raise | None
    extended: bool = False
    """The time bank runs."""

    @staticmethod
    def read(of: Object) -> "Turn":
        limits = maybe_part(of, "raise")
        raise_ = None if limits is None else Raise(whole(limits, "min"), whole(limits, "max"), flag(limits, "bet"))
        return Turn(whole(of, "turn"), whole(of, "seat"), whole(of, "deadline_ms"), maybe_whole(of, "call"), raise_)


@dataclass
class Seat:
    """A taken seat."""

    user: str
    name: str
    bot: bool
    """One of the house's own bots."""
    stack: int
    """Chips behind."""
    bet: int
    """Chips bet on this street."""
    top_up: int
    """Chips promised for when the hand has ended."""
    status: str
    """`playing`, `waiting`, `sitting_out` or `leaving`."""
    away: bool
    bank_ms: int
    in_hand: bool
    """Dealt into the hand shown."""
    folded: bool
    shown: list[str]
    """Hole cards, once they are face up."""

    @staticmethod
    def read(of: Object) -> "Seat":
        return Seat(
            text(of, "user"),
            text(of, "name"),
            flag(of, "bot"),
            whole(of, "stack"),
            whole(of, "bet"),
            whole(of, "top_up"),
            text(of, "status"),
            flag(of, "away"),
            whole(of, "bank_ms"),
            flag(of, "in_hand"),
            flag(of, "folded"),
            cards(of, "shown"),
        )


@dataclass
class Pot:
    amount: int
    seats: list[int]
    """Who can win it."""

    @staticmethod
    def read(of: Object) -> "Pot":
        return Pot(whole(of, "amount"), wholes(of, "seats"))


@dataclass
class Runs:
    """The question on how many boards the rest of the hand shall be dealt."""

    max: int
    seats: list[int]
    """Whose answer is awaited."""
    deadline_ms: int

    @staticmethod
    def read(of: Object) -> "Runs":
        return Runs(whole(of, "max"), wholes(of, "seats"), whole(of, "deadline_ms"))


@dataclass
class Dealt:
    """The hand being played, or the last one until the next begins."""

    hand: int
    button: int
    street: str
    hole_cards: int
    boards: list[list[str]]
    """One board, or several when it is run more than once."""
    pots: list[Pot]
    """Main pot first; without the bets of this street."""
    turn: Turn | None
    ended: bool
    runs: Runs | None

    @staticmethod
    def read(of: Object) -> "Dealt":
        turn, runs = maybe_part(of, "turn"), maybe_part(of, "runs")
        return Dealt(
            whole(of, "hand"),
            whole(of, "button"),
            text(of, "street"),
            whole(of, "hole_cards"),
            [cards({"board": board}, "board") for board in items(of, "boards")],
            [Pot.read(an_object(pot, "a pot")) for pot in items(of, "pots")],
            None if turn is None else Turn.read(turn),
            flag(of, "ended"),
            None if runs is None else Runs.read(runs),
        )


@dataclass
class Chips:
    """What has come in and gone out: with what lies on the table it adds up at every moment."""

    bought: int
    cashed: int
    raked: int


@dataclass
class Table:
    """See the module."""

    config: Object
    """The settings, as the house tells them."""
    seats: list[Seat | None]
    hand: Dealt | None
    next_ms: int | None
    chips: Chips
    reserved: dict[int, str] = field(default_factory=dict)
    """Seats that wait for chips, and whose they are."""
    hosted: Object | None = None
    """What the host of a player's table has decided."""
    waiting_list: Object | None = None
    """Who waits for a seat, and who is called to one; `None` where nobody does."""

    @staticmethod
    def read(of: Object) -> "Table":
        """Reads the state of a keyframe."""
        config, chips, hand = part(of, "config"), part(of, "chips"), maybe_part(of, "hand")
        # What a player of ours looks at.
        for name in ("small_blind", "big_blind", "buy_in_min", "buy_in_max"):
            whole(config, name)
        reserved = [an_object(seat, "a reserved seat") for seat in items(of, "reserved")] if of.get("reserved") is not None else []
        return Table(
            config,
            [None if seat is None else Seat.read(an_object(seat, "a seat")) for seat in items(of, "seats")],
            None if hand is None else Dealt.read(hand),
            maybe_whole(of, "next_ms"),
            Chips(whole(chips, "bought"), whole(chips, "cashed"), whole(chips, "raked")),
            {whole(seat, "seat"): text(seat, "user") for seat in reserved},
            maybe_part(of, "hosted"),
            maybe_part(of, "waiting_list"),
        )

    def seat_of(self, user: str) -> int | None:
        """Where a user sits."""
        return next((at for at, seat in enumerate(self.seats) if seat is not None and seat.user == user), None)

    def on_table(self) -> int:
        """Chips that lie on the table: stacks, bets and pots."""
        pots = sum(pot.amount for pot in self.hand.pots) if self.hand else 0
        return pots + sum(seat.stack + seat.bet for seat in self.seats if seat)

    def conserves_chips(self) -> bool:
        """Whether the chips add up; not to be held against a house that tells events which are not known here."""
        return self.chips.bought == self.on_table() + self.chips.cashed + self.chips.raked

    def goes_on_from(self, before: "Table") -> bool:
        """Whether nothing has happened between the two: the same players, chips, hand, cards and turn. Of clocks it says nothing."""

        def story(of: Table) -> object:
            seats = [seat and (seat.user, seat.stack, seat.bet, seat.top_up, seat.in_hand, seat.folded) for seat in of.seats]
            hand = of.hand
            if hand is None:
                return (seats, of.chips)
            turn = hand.turn and (hand.turn.turn, hand.turn.seat)
            return (seats, of.chips, hand.hand, hand.street, hand.boards, hand.pots, turn, hand.ended)

        if story(self) != story(before):
            return False
        if self.hand and self.hand.turn and before.hand and before.hand.turn:
            self.hand.turn.extended = before.hand.turn.extended
        return True

    def apply(self, event: Object) -> bool:
        """Does what an event says; false for one that is not known."""
        does = _EVENTS.get(text(event, "e"))
        if does is not None:
            does(self, event)
        return does is not None

    def taken(self, at: int) -> Seat:
        """The seat, which must be taken."""
        seat = self.seats[at] if at < len(self.seats) else None
        if seat is None:
            raise Unreadable(f"nobody sits at {at}")
        return seat

    def dealt(self) -> Dealt:
        """The hand, of which there must be one."""
        if self.hand is None:
            raise Unreadable("there is no hand")
        return self.hand

    # --- events, one each ---

    def _seated(self, event: Object) -> None:
        at = whole(event, "seat")
        if at >= len(self.seats) or self.seats[at] is not None:
            raise Unreadable(f"seat {at} is taken or is none")
        told = {"bet": 0, "top_up": 0, "away": False, "in_hand": False, "folded": False, "shown": []}
        self.seats[at] = seat = Seat.read({**event, **told})
        self.chips.bought += seat.stack
        self.reserved.pop(at, None)

    def _reserved(self, event: Object) -> None:
        self.reserved[whole(event, "seat")] = text(event, "user")

    def _freed(self, event: Object) -> None:
        self.reserved.pop(whole(event, "seat"), None)

    def _hosted(self, event: Object) -> None:
        self.hosted = part(event, "hosted")

    def _waiting_list(self, event: Object) -> None:
        self.waiting_list = part(event, "waiting_list")

    def _left(self, event: Object) -> None:
        at, stack = whole(event, "seat"), whole(event, "stack")
        seat = self.taken(at)
        if (seat.stack, seat.bet) != (stack, 0):
            raise Unreadable("left with other chips than those of the seat")
        self.seats[at] = None
        self.chips.cashed += stack

    def _top_up_promised(self, event: Object) -> None:
        self.taken(whole(event, "seat")).top_up += whole(event, "amount")

    def _topped_up(self, event: Object) -> None:
        seat, amount = self.taken(whole(event, "seat")), whole(event, "amount")
        seat.stack += amount
        seat.top_up = 0
        self.chips.bought += amount

    def _top_up_lapsed(self, event: Object) -> None:
        self.taken(whole(event, "seat")).top_up = 0

    def _status(self, event: Object) -> None:
        self.taken(whole(event, "seat")).status = text(event, "status")

    def _away(self, event: Object) -> None:
        self.taken(whole(event, "seat")).away = flag(event, "away")

    def _configured(self, event: Object) -> None:
        config = part(event, "config")
        if whole(config, "seats") != len(self.seats):
            raise Unreadable("settings for another number of seats")
        for name in ("small_blind", "big_blind", "buy_in_min", "buy_in_max"):
            whole(config, name)
        self.config = config

    def _hand_started(self, event: Object) -> None:
        dealt_in = wholes(event, "seats")
        for at, seat in enumerate(self.seats):
            if seat is None:
                continue
            if seat.bet:
                raise Unreadable("a bet is left from the last hand")
            seat.in_hand = at in dealt_in
            seat.folded = False
            seat.shown = []
        self.hand = Dealt(whole(event, "hand"), whole(event, "button"), "preflop", 0, [[]], [], None, False, None)
        self.next_ms = None

    def _posted(self, event: Object) -> None:
        seat, amount, blind = self.taken(whole(event, "seat")), whole(event, "amount"), text(event, "blind")
        if amount > seat.stack:
            raise Unreadable("posted more than the stack")
        if blind in ("ante", "dead"):
            pots = self.dealt().pots
            if not pots:
                pots.append(Pot(0, []))
            pots[0].amount += amount
        elif blind in ("small", "big", "straddle", "live"):
            seat.bet += amount
        else:
            raise Unreadable(f"a blind of a kind that is not known: {blind}")
        seat.stack -= amount

    def _dealt(self, event: Object) -> None:
        self.dealt().hole_cards = whole(event, "cards")

    def _turn(self, event: Object) -> None:
        turn = Turn.read(event)
        self.taken(turn.seat)
        self.dealt().turn = turn

    def _bank(self, event: Object) -> None:
        turn = self.dealt().turn
        if turn is None or turn.seat != whole(event, "seat"):
            raise Unreadable("the time bank of a player whose turn it is not")
        turn.deadline_ms = whole(event, "deadline_ms")
        turn.extended = True

    def _acted(self, event: Object) -> None:
        self.dealt().turn = None
        seat, amount, kind = self.taken(whole(event, "seat")), whole(event, "amount"), text(event, "kind")
        if amount > seat.stack:
            raise Unreadable("bet more than the stack")
        seat.stack -= amount
        seat.bet += amount
        seat.folded = seat.folded or kind == "fold"
        if seat.bet != whole(event, "to"):
            raise Unreadable("an action that does not add up")

    def _returned(self, event: Object) -> None:
        seat, amount = self.taken(whole(event, "seat")), whole(event, "amount")
        if amount > seat.bet:
            raise Unreadable("returned more than was bet")
        seat.bet -= amount
        seat.stack += amount

    def _collected(self, event: Object) -> None:
        pots = [Pot.read(an_object(pot, "a pot")) for pot in items(event, "pots")]
        for seat in self.seats:
            if seat is not None:
                seat.bet = 0
        self.dealt().pots = pots

    def _runs_offered(self, event: Object) -> None:
        self.dealt().runs = Runs.read(event)

    def _runs_voted(self, event: Object) -> None:
        runs, at = self.dealt().runs, whole(event, "seat")
        if runs is None:
            raise Unreadable("an answer to what was not asked")
        runs.seats = [seat for seat in runs.seats if seat != at]

    def _runs_agreed(self, event: Object) -> None:
        hand, boards = self.dealt(), whole(event, "boards")
        if not hand.boards or not 1 <= boards <= 255:
            raise Unreadable("a hand without a board")
        hand.runs = None
        hand.boards = [list(hand.boards[0]) for _ in range(boards)]

    def _street(self, event: Object) -> None:
        hand, run = self.dealt(), whole(event, "run")
        if run > len(hand.boards):
            raise Unreadable("a board before its predecessor")
        dealt = cards(event, "cards")
        if run == len(hand.boards):
            hand.boards.append([])
        hand.boards[run] += dealt
        hand.street = text(event, "street")

    def _shown(self, event: Object) -> None:
        self.taken(whole(event, "seat")).shown = cards(event, "cards")

    def _mucked(self, event: Object) -> None:
        self.taken(whole(event, "seat")).folded = True

    def _take(self, event: Object) -> int:
        hand, at, amount = self.dealt(), whole(event, "pot"), whole(event, "amount")
        if at >= len(hand.pots) or amount > hand.pots[at].amount:
            raise Unreadable("more than the pot holds")
        hand.pots[at].amount -= amount
        return amount

    def _raked(self, event: Object) -> None:
        self.chips.raked += self._take(event)

    def _won(self, event: Object) -> None:
        seat = self.taken(whole(event, "seat"))
        seat.stack += self._take(event)

    def _hand_ended(self, event: Object) -> None:
        hand = self.dealt()
        if hand.hand != whole(event, "hand"):
            raise Unreadable("another hand ended")
        hand.ended = True
        hand.street = "showdown"
        hand.turn = None
        hand.pots = [pot for pot in hand.pots if pot.amount]
        self.next_ms = whole(event, "next_ms")

    def _bank_left(self, event: Object) -> None:
        self.taken(whole(event, "seat")).bank_ms = whole(event, "bank_ms")

    def _nothing(self, event: Object) -> None:
        pass


_EVENTS: dict[str, Callable[[Table, Object], None]] = {
    "seated": Table._seated,
    "reserved": Table._reserved,
    "freed": Table._freed,
    "moved": Table._nothing,
    "busted": Table._nothing,
    "hosted": Table._hosted,
    "waiting_list": Table._waiting_list,
    "left": Table._left,
    "top_up_promised": Table._top_up_promised,
    "topped_up": Table._topped_up,
    "top_up_lapsed": Table._top_up_lapsed,
    "status": Table._status,
    "away": Table._away,
    "configured": Table._configured,
    "hand_started": Table._hand_started,
    "posted": Table._posted,
    "dealt": Table._dealt,
    "turn": Table._turn,
    "bank": Table._bank,
    "acted": Table._acted,
    "returned": Table._returned,
    "collected": Table._collected,
    "runs_offered": Table._runs_offered,
    "runs_voted": Table._runs_voted,
    "runs_agreed": Table._runs_agreed,
    "street": Table._street,
    "shown": Table._shown,
    "mucked": Table._mucked,
    "raked": Table._raked,
    "won": Table._won,
    "hand_ended": Table._hand_ended,
    "bank_left": Table._bank_left,
    "chat": Table._nothing,
    "history_lost": Table._nothing,
}
