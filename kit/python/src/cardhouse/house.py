"""A house from whom somebody wants something done, or for whom a program does something: jobs that wait in its rooms, over connections that break."""

import asyncio
import contextlib
import logging
import random
import ssl as tls
import time
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from types import TracebackType
from typing import Any

from websockets.asyncio.client import ClientConnection

from .client import Acked, Client, Heard, Leaving, Moved, RefusedCommand, Unwatched, Welcome, Wrong
from .comeback import NEVER, NEW_TOKEN, SESSION_TAKEN, Ended, near, pause_s
from .errors import Banished, CardhouseError, HouseAway, JobFailed, Mismatch, ReceptionRefused, Refused, Unsure
from .jobs import ROOMS, TEXT_BYTES_MAX, Lease, Name, OwnJob, fits, leases, own_jobs, room_of
from .link import AT_ONCE_MAX, GOOD_AFTER_S, SEND_S, WAIT_MIN_S, Inbox, dialled
from .reading import Object, Unreadable
from .reception import Address, Reception, Token
from .renewal import Renewal
from .work import Job, Works

log = logging.getLogger("cardhouse")

FAREWELL_S = 2.0
"""What is still to be said at the end is waited for so long."""
REST_S, REST_MAX_S = 0.5, 30.0
"""The pause before something is said again, where the house names none, and the longest."""
AGAIN = ("too_fast", "busy", "unavailable")
"""Refused without having been done: after these the same is said again."""
FORGOTTEN = ("forgotten", "stale_n")
"""Nobody knows whether it was done."""


class House:
    """A house, as one user sees it: a guest of this `name`, or whoever has this `handle` and `password`, or this `token`.

    `async with House(url) as house:` connects, and ends what is left when the block ends. `patience_s`: for how long a house that is away is waited for.
    Whatever waits raises a `CardhouseError` when it cannot go on."""

    def __init__(
        self,
        url: str,
        *,
        name: str = "Guest",
        handle: str | None = None,
        password: str | None = None,
        token: str | None = None,
        patience_s: float = 600.0,
        ssl: tls.SSLContext | None = None,
    ) -> None:
        if (handle is None) != (password is None):
            raise ValueError("a handle and its password come together")
        self._address, self._ssl = Address.read(url), ssl
        self._reception = Reception(self._address, ssl)
        self._name, self._login = name, (handle, password) if handle is not None and password is not None else None
        self._renewal = Renewal(self._reception, Token(token or "", token or "", ""))
        self._has_token = token is not None
        self._patience_s, self._rng = patience_s, random.Random()
        self._answers: dict[int, asyncio.Future[Acked | RefusedCommand]] = {}
        self._own: dict[Name, OwnJob] = {}
        self._told = 0
        """How often own jobs were told."""
        self._seen: dict[str, Object] = {}
        """The last private part of each room that was read."""
        self._works: Works | None = None
        self._failure: Exception | None = None
        self._failures, self._good_at = 0, time.monotonic()
        self._is_closing = False
        self._news, self._wake = asyncio.Event(), asyncio.Event()

    async def __aenter__(self) -> "House":
        self._good_at = time.monotonic()
        if not self._has_token:
            self._renewal.token = await self._patiently(self._first_token)
        self._client = Client(self._renewal.token.token, lambda *_: None, time.monotonic())
        self._running = asyncio.create_task(self._run())
        try:
            await self._until(lambda: self._client.user is not None)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, why: BaseException | None, _: TracebackType | None) -> None:
        if self._works is not None:
            self._rest_from_work()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._until(lambda: not (self._client.online and self._client.pending)), FAREWELL_S)
        await self._end()

    @property
    def user(self) -> str:
        """Who one is."""
        return self._client.user or ""

    # --- who wants something ---

    def ask(self, work: str, text: str) -> "Answer":
        """Wants something done: `await` it for the answer, or go through it with `async for` for what there is of it, each time from its beginning.

        Raises `JobFailed` when it has none, and `Refused` (as `too_many` when too much of yours waits). Whoever goes on before it is there takes it back."""
        return Answer(self, work, text)

    async def _put(self, work: str, text: str) -> Name:
        fits(text, TEXT_BYTES_MAX, "what is to be done")
        room = room_of(self.user)
        self._watch(room)
        acked = await self._command(room, {"a": "put", "work": work, "text": text}, is_safe=False)
        return acked.at

    def _drop(self, name: Name) -> None:
        """It is on nobody's list any more."""
        self._own.pop(name, None)
        self._soon(room_of(self.user), {"a": "drop", "job": list(name)})

    # --- who does something ---

    async def jobs(self, works: Sequence[str], *, most: int = 1, keep_s: float = 60.0) -> AsyncIterator[Job]:
        """Does such work, as an agent of the house: jobs, as they come, until the loop is left. Of this user's programs one at a time does so.

        So many are given at once at `most`: with more than one, have a task for each. For `keep_s` after your program has said something of a job, or has
        got it, the lease lasts by itself; then somebody else gets it.

        Raises `Refused` (`not_allowed`) where the user is no agent."""
        if self._works is not None:
            raise RuntimeError("this program does work here already")
        mine = self._works = Works([works] if isinstance(works, str) else list(works), most, keep_s)
        try:
            for room in ROOMS:
                self._watch(room)
            await asyncio.gather(*(self._command(room, self._ready(mine), is_safe=True) for room in ROOMS))
            mine.is_ready = True
            while True:
                job = mine.next(time.monotonic())
                if job is not None:
                    self._wake.set()
                    yield job
                    continue
                await self._heard_of_something()
        finally:
            if self._works is mine:
                self._rest_from_work()

    def _ready(self, mine: Works) -> Object:
        # Users are spread over the rooms, and so is what one does.
        return {"a": "ready", "works": mine.works, "most": -(-mine.most // len(ROOMS))}

    def _rest_from_work(self) -> None:
        mine, self._works = self._works, None
        if mine is not None and mine.is_ready:
            for room in ROOMS:
                self._soon(room, {"a": "ready", "works": [], "most": 0})
            mine.lose_all()

    # --- saying ---

    def _watch(self, room: str) -> None:
        self._client.watch(room, time.monotonic())
        self._wake.set()

    async def _command(self, room: str, do: Object, *, is_safe: bool) -> Acked:
        """Says it until it is answered. `is_safe`: once more does no harm. Raises `Refused`, and `Unsure` where nobody knows whether it was done."""
        while True:
            if self._failure is not None:
                raise self._failure
            n = self._client.command(room, do, time.monotonic())
            answer = self._answers[n] = asyncio.get_running_loop().create_future()
            self._wake.set()
            try:
                told = await answer
            except Unsure:
                if is_safe:
                    continue
                raise
            finally:
                self._answers.pop(n, None)
            if isinstance(told, Acked):
                return told
            if told.code in FORGOTTEN and not is_safe:
                raise Unsure("the house has forgotten what became of it")
            if told.code not in (*AGAIN, *FORGOTTEN):
                raise Refused(told.code, told.message)
            await asyncio.sleep(min(REST_MAX_S, REST_S if told.retry_after_s is None else told.retry_after_s))

    def _soon(self, room: str, do: Object) -> None:
        """Says it, and leaves it at that."""
        if self._failure is None:
            self._client.command(room, do, time.monotonic())
            self._wake.set()

    # --- waiting ---

    async def _heard_of_something(self) -> None:
        if self._failure is not None:
            raise self._failure
        await self._news.wait()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            await self._heard_of_something()

    def _tell(self) -> None:
        """Whoever waits looks again."""
        self._wake.set()
        self._news.set()
        self._news = asyncio.Event()

    # --- hearing ---

    def _heard(self, heard: Heard) -> None:
        match heard:
            case Welcome(resumed=resumed):
                self._welcomed(resumed)
            case Moved(room=room):
                self._look(room)
            case Acked(n=n) | RefusedCommand(n=n):
                answer = self._answers.get(n)
                if answer is not None and not answer.done():
                    answer.set_result(heard)
                elif isinstance(heard, Acked) and heard.do.get("a") == "put":
                    # Nobody waits for it any more.
                    self._drop(heard.at)
            case Unwatched(room=room) | Wrong(code="no_such_room", room=room) if room in ROOMS:
                raise Refused("no_such_room", "no work is done in this house")
        self._tell()

    def _welcomed(self, resumed: bool) -> None:
        if not resumed:
            for n, answer in self._answers.items():
                if n not in self._client.pending and not answer.done():
                    _fail(answer, Unsure("the house has forgotten the session"))
        if self._works is not None and self._works.is_ready:
            # Whoever was gone for long does no work any more.
            for room in ROOMS:
                self._soon(room, self._ready(self._works))

    def _look(self, room: str) -> None:
        """Reads what is told in a room to this user alone."""
        at = self._client.rooms.get(room)
        if room not in ROOMS or at is None or not at.private or self._seen.get(room) is at.private:
            return
        self._seen[room] = at.private
        try:
            self._take(room, at.private)
        except Unreadable as why:
            raise Mismatch(f"{room} tells what cannot be read: {why}") from None

    def _take(self, room: str, private: Object) -> None:
        if room == room_of(self.user):
            self._own = {job.name: job for job in own_jobs(private)}
            self._told += 1
        if self._works is None:
            return

        def make(lease: Lease, lease_s: float) -> Job:
            return Job(room, lease, self._command, lambda: self._settled(room), time.monotonic, lease_s)

        self._works.take(room, leases(private), make, lambda until_ms: self._client.local(until_ms) - time.monotonic())

    def _settled(self, room: str) -> None:
        """Something was said of a job: what was told of it meanwhile may be more."""
        self._seen.pop(room, None)
        self._look(room)
        self._tell()

    # --- connections ---

    async def _run(self) -> None:
        try:
            await self._connections()
            self._failure = HouseAway("the house was left")
        except asyncio.CancelledError:
            self._failure = HouseAway("the house was left")
            raise
        except Exception as why:
            self._failure = why
        finally:
            for answer in self._answers.values():
                if not answer.done() and self._failure is not None:
                    _fail(answer, self._failure)
            if self._works is not None:
                self._works.lose_all()
            self._tell()

    async def _end(self) -> None:
        self._is_closing = True
        self._wake.set()
        await asyncio.wait({self._running}, timeout=FAREWELL_S)
        for task in (self._running, *self._renewal.tasks):
            task.cancel()
        await asyncio.gather(self._running, *self._renewal.tasks, return_exceptions=True)

    async def _connections(self) -> None:
        while True:
            ended = await dialled(self._address, self._ssl, near(None, self._client.near, self._failures, self._rng), self._talk, self._refuse)
            self._client.disconnected()
            if self._failure is not None:
                raise self._failure
            if self._is_closing:
                return
            if ended.code in NEVER:
                raise Mismatch(f"the house has closed the connection: {ended.reason} ({ended.code})")
            if ended.code == SESSION_TAKEN:
                raise Banished(ended.reason or "the session was continued on another connection")
            pause = pause_s(ended, self._failures, self._rng)
            if not ended.planned:
                self._failures += 1
                log.info("the connection has ended (%s); again in %.1f s", ended.reason or ended.code or "without a word", pause)
            if self._failures > 1 and time.monotonic() - self._good_at > self._patience_s:
                raise HouseAway(f"{self._address.socket}: {ended.reason or ended.code}")
            if pause > 0:
                await asyncio.sleep(pause)
            if ended.code in NEW_TOKEN:
                self._renewal.token = await self._patiently(self._next_token)
                self._client.renew(self._renewal.token.token, time.monotonic())

    def _refuse(self, why: CardhouseError) -> None:
        self._failure = why

    async def _talk(self, socket: ClientConnection, inbox: Inbox, word: str | None) -> Ended:
        client = self._client
        client.connected(time.monotonic())
        leave_at, is_new, good_from = float("inf"), True, time.monotonic() + GOOD_AFTER_S
        while True:
            self._wake.clear()
            now = time.monotonic()
            client.keep_alive(now)
            extend_at = self._works.extend(now) if self._works is not None and client.online else float("inf")
            while client.outgoing:
                await asyncio.wait_for(socket.send(client.outgoing.popleft()), SEND_S)
            if self._is_closing or now >= leave_at:
                return Ended(planned=True)
            if client.wants_reconnect:
                return Ended(reason="something was missed")
            if client.is_silent(now):
                return Ended(reason="the house does not answer")
            self._renewal.go_on(client, now)
            due = min(client.deadline(), leave_at, extend_at, self._renewal.deadline())
            woken = asyncio.create_task(self._wake.wait())
            waits: set[asyncio.Task[Any]] = {inbox.next, woken, *self._renewal.tasks}
            try:
                await asyncio.wait(waits, timeout=min(60.0, max(WAIT_MIN_S, due - now)), return_when=asyncio.FIRST_COMPLETED)
            finally:
                woken.cancel()
            for _ in range(AT_ONCE_MAX):
                if not inbox.next.done():
                    break
                told, now = inbox.take(), time.monotonic()
                if isinstance(told, bytes):
                    return Ended(reason="binary messages are not spoken here")
                heard = client.receive(told, now)
                self._heard(heard)
                if isinstance(heard, Leaving):
                    leave_at = now + min(60.0, heard.after_s)
                if is_new and client.online:
                    is_new = False
                    self._renewal.plan(client, now)
                if not client.wants_reconnect and (isinstance(heard, Acked) or now >= good_from):
                    self._good_at, self._failures = now, 0
                # Lets what is there already be taken.
                await asyncio.sleep(0)

    # --- tokens ---

    async def _first_token(self) -> Token:
        if self._login is not None:
            return await self._reception.sign_in(*self._login)
        return await self._reception.guest(self._name)

    async def _next_token(self) -> Token:
        try:
            return await self._reception.refresh(self._renewal.token)
        except ReceptionRefused as why:
            if self._login is None or why.retry_after_s is not None:
                raise
            return await self._reception.sign_in(*self._login)

    async def _patiently(self, ask: Callable[[], Any]) -> Token:
        """A token, unless reception gives none to this user, or is away for too long."""
        failures = 0
        while True:
            try:
                token: Token = await ask()
                return token
            except ReceptionRefused as why:
                if why.retry_after_s is None:
                    raise
                pause, last = min(60.0, why.retry_after_s), str(why)
            except (OSError, Unreadable) as why:
                pause, last = pause_s(Ended(), failures, self._rng), str(why)
            failures += 1
            if time.monotonic() - self._good_at > self._patience_s:
                raise HouseAway(f"{self._address.http}: {last}")
            await asyncio.sleep(pause)


class Answer:
    """What comes of something that is wanted: see `House.ask`."""

    def __init__(self, house: House, work: str, text: str) -> None:
        self._house, self._work, self._text = house, work, text

    def __await__(self) -> Generator[Any, None, str]:
        return self._whole().__await__()

    async def _whole(self) -> str:
        text = ""
        async for text in self:
            pass
        return text

    async def __aiter__(self) -> AsyncIterator[str]:
        house = self._house
        name = await house._put(self._work, self._text)
        told, shown = house._told, ""
        try:
            while True:
                job = house._own.get(name)
                if job is None and house._told > told:
                    raise JobFailed("it was taken back, or forgotten")
                if job is not None and job.stage == "failed":
                    raise JobFailed(job.why)
                if job is not None and job.answer != shown:
                    shown = job.answer
                    yield shown
                    # It may have grown meanwhile.
                    continue
                if job is not None and job.stage == "done":
                    return
                await house._heard_of_something()
        finally:
            house._drop(name)


def _fail(answer: asyncio.Future[Any], why: Exception) -> None:
    """Whoever waited for it may wait no more."""
    answer.set_exception(why)
    answer.exception()
