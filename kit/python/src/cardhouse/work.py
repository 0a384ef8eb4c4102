"""A job that an agent has taken."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Protocol

from .errors import LeaseLost, Refused, Unsure
from .jobs import ANSWER_BYTES_MAX, Lease, fits, reason
from .reading import Object

EXTENSIONS = 3
"""A lease is extended so often in its time."""


class Says(Protocol):
    """Says a command until it is answered."""

    def __call__(self, room: str, do: Object, *, is_safe: bool) -> Awaitable[object]: ...


class Job:
    """What somebody wants done. It is said of it what there is so far (`tell`), and in the end one of `done`, `nack` and `reject`.

    As `async with job:` it is given back where the program fails or says none of them, and the end of its lease ends the block and nothing else."""

    def __init__(self, room: str, lease: Lease, says: Says, heard: Callable[[], None], now: Callable[[], float], lease_s: float) -> None:
        self.work = lease.work
        self.text = lease.text
        """What is wanted, in words."""
        self.user = lease.user
        """By whom."""
        self.attempt = lease.attempt
        """So many have taken it, this time included."""
        self.lost = asyncio.Event()
        """The lease is over: whoever wanted it has taken it back, or somebody else does it. Nothing that is said of the job counts any more."""
        self.is_ended = False
        """It was done, given back or refused."""
        self.is_ending = False
        self._room, self._lease, self._says, self._heard, self._now = room, lease, says, heard, now
        self.alive_at = now()
        """When the program has done something for it."""
        self._extend_at = now() + lease_s / EXTENSIONS
        self._extending: asyncio.Future[object] | None = None

    @property
    def is_over(self) -> bool:
        """There is nothing to do for it."""
        return self.is_ended or self.lost.is_set()

    async def tell(self, text: str) -> None:
        """Tells what comes behind what was told before. Whoever wanted it sees it at once.

        Raises `LeaseLost`; and `Refused` where the answer gets too long."""
        fits(text, ANSWER_BYTES_MAX, "an answer")
        await self._say({"a": "tell", "text": text}, is_safe=False)

    async def done(self, text: str = "") -> None:
        """This is the end of the answer. Raises as `tell` does."""
        fits(text, ANSWER_BYTES_MAX, "an answer")
        await self._end({"a": "done", "text": text})

    async def nack(self, why: str, retry_ms: int = 0) -> None:
        """It cannot be done now: another agent may, or this one, after so long. `why` is for who runs the house. Raises `LeaseLost`."""
        await self._end({"a": "nack", "why": reason(why), "retry_ms": retry_ms})

    async def reject(self, why: str) -> None:
        """Nobody is to try it again. Whoever wanted it reads `why`. Raises `LeaseLost`."""
        await self._end({"a": "reject", "why": reason(why)})

    async def __aenter__(self) -> "Job":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, why: BaseException | None, _: TracebackType | None) -> bool:
        if isinstance(why, LeaseLost):
            return True
        if not self.is_over and not self.is_ending:
            try:
                await self.nack(f"{type(why).__name__}: {why}" if why is not None else "nothing has come of it")
            except LeaseLost:
                pass
        return False

    def extend(self, now: float, is_alive: bool, lease_s: float) -> float:
        """Has the lease last where that is due. Answers when it is due again."""
        if not is_alive or self.is_over or self.is_ending:
            return float("inf")
        if now >= self._extend_at:
            self._extend_at = now + lease_s / EXTENSIONS
            if self._extending is None or self._extending.done():
                self._extending = self._soon({"a": "tell", "text": ""})
        return self._extend_at

    def lose(self) -> None:
        self.lost.set()
        self._heard()

    async def _end(self, do: Object) -> None:
        if self.is_ending:
            raise LeaseLost("something else was said to end it")
        self.is_ending = not self.is_over
        try:
            await self._say(do, is_safe=True)
            self.is_ended = True
        finally:
            self.is_ending = False
            self._heard()

    async def _say(self, do: Object, *, is_safe: bool) -> None:
        if self.is_over:
            raise LeaseLost("the lease of this job is over")
        self.alive_at = self._now()
        try:
            await self._says(self._room, self._named(do), is_safe=is_safe)
        except Refused as why:
            if why.code != "lease_lost":
                raise
            self.lose()
            raise LeaseLost(str(why)) from None
        except Unsure as why:
            # Told twice it would stand there twice: somebody begins it anew.
            self._soon({"a": "nack", "why": reason(str(why)), "retry_ms": 0})
            self.lose()
            raise LeaseLost(str(why)) from None
        self.alive_at = self._now()

    def _soon(self, do: Object) -> asyncio.Future[object]:
        """Says it, and leaves it at that."""
        saying = asyncio.ensure_future(self._says(self._room, self._named(do), is_safe=False))
        saying.add_done_callback(lambda said: said.cancelled() or said.exception())
        return saying

    def _named(self, do: Object) -> Object:
        return do | {"job": list(self._lease.name), "attempt": self._lease.attempt}


class Works:
    """What an agent does at a house: what it has taken, and what of that its program has got."""

    def __init__(self, works: list[str], most: int, keep_s: float) -> None:
        self.works = works
        self.most = most
        self._keep_s = keep_s
        self.is_ready = False
        """The house knows of it."""
        self.held: dict[tuple[str, Lease], Job] = {}
        """By their rooms, and by leases without their ends."""
        self._waiting: deque[Job] = deque()
        self._given: list[Job] = []
        self._lease_s = 0.5
        """The longest that was seen."""
        self._alive_at = 0.0

    def take(self, room: str, told: list[Lease], make: Callable[[Lease, float], Job], left_s: Callable[[int], float]) -> None:
        """These leases are all that there are in a room."""
        here = {(room, _whose(lease)): lease for lease in told}
        for key, job in list(self.held.items()):
            if key[0] == room and key not in here and not job.is_ending:
                del self.held[key]
                if not job.is_ended:
                    job.lose()
        for key, lease in here.items():
            if key not in self.held:
                self._lease_s = max(self._lease_s, left_s(lease.until_ms))
                self.held[key] = job = make(lease, max(0.0, min(self._lease_s, left_s(lease.until_ms))))
                self._waiting.append(job)

    def next(self, now: float) -> Job | None:
        """Another job, where the program has not got enough of them."""
        self._waiting = deque(job for job in self._waiting if not job.is_over)
        self._given = [job for job in self._given if not job.is_over]
        if not self._waiting or len(self._given) >= self.most:
            return None
        job = self._waiting.popleft()
        self._given.append(job)
        job.alive_at = self._alive_at = now
        return job

    def extend(self, now: float) -> float:
        """Has leases last while the program is alive. Answers when there is something to do again."""
        self._alive_at = max([self._alive_at, *(job.alive_at for job in self._given)])
        due = float("inf")
        for job in self.held.values():
            alive_at = self._alive_at if job in self._waiting else job.alive_at
            due = min(due, job.extend(now, now - alive_at < self._keep_s, self._lease_s))
        return due

    def lose_all(self) -> None:
        for job in self.held.values():
            if not job.is_ended:
                job.lose()
        self.held.clear()


def _whose(lease: Lease) -> Lease:
    """With whatever its end: it is extended."""
    return Lease(lease.name, lease.attempt, lease.work, lease.text, lease.user, 0)
