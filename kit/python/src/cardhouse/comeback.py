"""What to do when a connection has ended, by its close code."""

import random
from dataclasses import dataclass

PAUSE_MIN_S, PAUSE_MAX_S = 0.25, 10.0
"""Pauses double from the one to the other."""

NEVER = frozenset({1002, 1003, 1007, 1009, 4001, 4004})
"""What was said is wrong and would be wrong again."""
NEW_TOKEN = frozenset({4002, 4003, 4009})
SOME_SECONDS = frozenset({1013, 4005})
RESTART = 1012
SESSION_TAKEN = 4008


@dataclass(frozen=True)
class Ended:
    """How a connection has ended."""

    code: int | None = None
    """The house's close code, if it gave one."""
    reason: str = ""
    planned: bool = False
    """Left for another one: there is nothing to wait for."""
    after_s: float | None = None
    """The house has said when to come back."""


def pause_s(ended: Ended, failures: int, rng: random.Random) -> float:
    """How long to wait, after so many failures in a row before this one."""
    if ended.planned:
        return 0.0
    if ended.after_s is not None:
        return min(60.0, ended.after_s)
    if ended.code == RESTART:
        return rng.uniform(0.0, 1.0)
    if ended.code in SOME_SECONDS:
        return rng.uniform(2.0, 5.0)
    # Anything between half of it and the whole: who lost one relay together does not come to the next one together.
    whole: float = min(PAUSE_MAX_S, PAUSE_MIN_S * 2.0 ** min(failures, 16))
    return whole * rng.uniform(0.5, 1.0)


def near(room: str | None, asked_near: bool, failures: int, rng: random.Random) -> str | None:
    """What the `failures + 1`st attempt in a row asks the edge to be near. A later one says another word, since the relay that the word of before leads
    to may be standing still: players of a table the same one, and who has none any."""
    if not asked_near:
        return None
    if room is None:
        return f"~{rng.randrange(65_536)}" if failures else None
    return f"{room}~{failures}" if failures else room
