"""What an agent sees when it is asked, and when a hand is over."""

import time
from dataclasses import dataclass, field

from .actions import Action, Call, Check, Fold, RaiseTo
from .reading import Object
from .table import Pot, Raise, Seat


@dataclass(frozen=True)
class Event:
    """Something that somebody has put in or done in the hand, in its order."""

    street: str
    """`preflop`, `flop`, `turn` or `river`."""
    seat: int
    kind: str
    """`fold`, `check`, `call`, `bet`, `raise`; or what was posted: `ante`, `dead`, `small`, `big`, `straddle`, `live`."""
    amount: int
    """Chips that it took from the stack."""
    to: int
    """The seat's bet of this street after it."""


@dataclass(frozen=True)
class Refusal:
    """Why an answer was not taken. What is legal stands in the hand that it comes with."""

    code: str
    """`illegal`, `failed` (it was an exception), or the table's code."""
    message: str


@dataclass(frozen=True)
class Hand:
    """A hand at the agent's turn: a copy, that nothing changes later. Cards are two characters, as in `As`, `Td`."""

    table: str
    """The table's room."""
    config: Object
    """The table's settings, as the protocol's document shows them."""
    number: int
    turn: int
    seat: int
    """The agent's own."""
    button: int
    """May be an empty seat."""
    seats: tuple[Seat | None, ...]
    """All of the table; of the hand are those with `in_hand`, still in it those that have not `folded`."""
    street: str
    cards: tuple[str, ...]
    """The agent's hole cards."""
    boards: tuple[tuple[str, ...], ...]
    pots: tuple[Pot, ...]
    """Without the bets of this street."""
    events: tuple[Event, ...]
    """What has happened in the hand."""
    events_complete: bool
    """Whether `events` tell it from the beginning: not so in a hand that was on when the agent came, or of which a part was missed."""
    call: int | None
    """Chips that a call takes; `None`: there is nothing to call."""
    limits: Raise | None
    """Of a bet or raise; `None`: neither is possible."""
    due: float = field(compare=False, default=float("inf"))
    """When the answer must be there, by `time.monotonic()`."""
    refusal: Refusal | None = None
    """Why the answer before was not taken; `None` at first."""

    @property
    def board(self) -> tuple[str, ...]:
        """The board, or the first of several."""
        return self.boards[0] if self.boards else ()

    @property
    def me(self) -> Seat:
        """The agent's own seat."""
        me = self.seats[self.seat]
        assert me is not None, "an agent is asked in a seat of its own"
        return me

    @property
    def stack(self) -> int:
        """The agent's chips behind."""
        return self.me.stack

    @property
    def to_call(self) -> int:
        """Chips that a call takes; 0 where checking is free."""
        return self.call or 0

    @property
    def can_check(self) -> bool:
        return self.call is None

    @property
    def can_raise(self) -> bool:
        """Whether a bet or raise is possible."""
        return self.limits is not None

    @property
    def min_raise_to(self) -> int | None:
        return self.limits.min if self.limits else None

    @property
    def max_raise_to(self) -> int | None:
        """All-in, or the pot in pot-limit."""
        return self.limits.max if self.limits else None

    @property
    def pot(self) -> int:
        """All chips that were put in: pots, and bets of this street."""
        return sum(pot.amount for pot in self.pots) + sum(seat.bet for seat in self.seats if seat)

    @property
    def opponents(self) -> tuple[int, ...]:
        """The other seats that are still in the hand."""
        return tuple(at for at, seat in enumerate(self.seats) if seat and seat.in_hand and not seat.folded and at != self.seat)

    def raise_to(self, to: int) -> Action:
        """A bet or raise as near to `to` as is legal; a call or check where none is possible."""
        if self.limits is None:
            return self.passive()
        return RaiseTo(max(self.limits.min, min(to, self.limits.max)))

    def all_in(self) -> Action:
        """As much as is legal."""
        return self.raise_to(self.limits.max if self.limits else 0)

    def passive(self) -> Action:
        """Checks if that is free and calls if not."""
        return Check() if self.can_check else Call()

    def cheapest(self) -> Action:
        """Checks if that is free and folds if not: what is done for who does not answer."""
        return Check() if self.can_check else Fold()

    def seconds_left(self) -> float:
        """For how long an answer is waited for, with the time bank."""
        return max(0.0, self.due - time.monotonic())

    def why_not(self, action: object) -> str | None:
        """What is wrong with an answer; `None`: it is legal."""
        match action:
            case Fold():
                return None
            case Check():
                return None if self.can_check else f"there are {self.call} to call"
            case Call():
                return "there is nothing to call" if self.can_check else None
            case RaiseTo(to=to):
                if self.limits is None:
                    return "neither a bet nor a raise is possible"
                if type(to) is not int:
                    return f"{to!r} is no whole number of chips"
                if not self.limits.min <= to <= self.limits.max:
                    return f"to {to} is not within {self.limits.min} to {self.limits.max}"
                return None
            case _:
                return f"{action!r} is no action"


@dataclass(frozen=True)
class Result:
    """A hand that is over."""

    table: str
    number: int
    seat: int
    """The agent's own."""
    net: int | None
    """What the agent won, or lost if it is negative; `None` when its beginning was not seen."""
    stack: int
    cards: tuple[str, ...]
    """The agent's hole cards."""
    boards: tuple[tuple[str, ...], ...]
    shown: dict[int, tuple[str, ...]]
    """Hole cards that are face up, by seat."""
    dealt_in: tuple[int, ...]
    """Seats that had cards."""
    events: tuple[Event, ...]
    events_complete: bool
