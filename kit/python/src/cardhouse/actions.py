"""What an agent may say when it is its turn."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fold:
    """Gives the hand up."""


@dataclass(frozen=True)
class Check:
    """Stays in for nothing; only where there is nothing to call."""


@dataclass(frozen=True)
class Call:
    """Brings what is to be called, or the whole stack if that is less."""


@dataclass(frozen=True)
class RaiseTo:
    """Bets or raises, so that the player's bet of this street is `to` chips in total. All-in is `Hand.max_raise_to`."""

    to: int


Action = Fold | Check | Call | RaiseTo
