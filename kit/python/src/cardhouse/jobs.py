"""Rooms in which work waits for whoever does it, as the protocol tells of them: without I/O."""

from dataclasses import dataclass
from typing import Literal

from .errors import Refused
from .reading import Object, Unreadable, an_object, items, maybe_text, text, whole

TEXT_BYTES_MAX, ANSWER_BYTES_MAX, WHY_BYTES_MAX = 2_000, 8_000, 200
"""Of what somebody wants, of the whole answer, and of a reason."""

ROOMS = tuple(f"jobs-{number}" for number in range(4))

Name = tuple[int, int]
"""Of a job: the position of the frame that took it in."""

Stage = Literal["waiting", "taken", "done", "failed"]


def room_of(user: str) -> str:
    """Where a user's jobs wait: by FNV-1a in 64 bits."""
    spread = 0xCBF29CE484222325
    for byte in user.encode():
        spread = (spread ^ byte) * 0x100000001B3 % 2**64
    return ROOMS[spread % len(ROOMS)]


@dataclass(frozen=True)
class Lease:
    """A job that one has taken."""

    name: Name
    attempt: int
    """Whoever speaks of the job names this, too."""
    work: str
    text: str
    user: str
    until_ms: int


@dataclass(frozen=True)
class OwnJob:
    """A job that one wants done."""

    name: Name
    stage: Stage
    answer: str
    """What was told of it so far."""
    why: str
    """Of one that has failed."""


def leases(private: Object) -> list[Lease]:
    """Those that a room's private part tells."""
    return [
        Lease(_name(lease), whole(lease, "attempt"), text(lease, "work"), text(lease, "text"), text(lease, "user"), whole(lease, "until_ms"))
        for lease in _parts(private, "leases")
    ]


def own_jobs(private: Object) -> list[OwnJob]:
    """The same of the jobs that one wants done."""
    return [OwnJob(_name(job), _stage(job), text(job, "answer"), maybe_text(job, "why")) for job in _parts(private, "jobs")]


def fits(said: str, most: int, what: str) -> str:
    """The same text, unless the house would not take it. Also what UTF-8 cannot write is refused here: one message that cannot be read would end the connection."""
    try:
        length = len(said.encode())
    except UnicodeEncodeError:
        raise Refused("bad_text", f"{what} has what is no text") from None
    if length > most:
        raise Refused("bad_text", f"{what} has {length} bytes, and {most} are taken at most")
    return said


def reason(why: str) -> str:
    """As much of it as a house takes."""
    return why.encode(errors="replace")[:WHY_BYTES_MAX].decode(errors="ignore").strip() or "no reason was given"


def _parts(private: Object, name: str) -> list[Object]:
    return [an_object(part, name) for part in items(private, name)] if name in private else []


def _name(of: Object) -> Name:
    match items(of, "job"):
        case [int(epoch), int(seq)]:
            return (epoch, seq)
    raise Unreadable("job is no position")


def _stage(of: Object) -> Stage:
    match text(of, "stage"):
        case ("waiting" | "taken" | "done" | "failed") as stage:
            return stage
    raise Unreadable("stage is none that there is")
