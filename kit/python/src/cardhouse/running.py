"""The network: a connection at a time, an agent that thinks beside it, and what comes between connections."""

import asyncio
import contextlib
import inspect
import logging
import queue
import random
import signal
import ssl as tls
import threading
import time
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection

from .agent import Agent
from .client import Acked, Leaving, Moved
from .comeback import NEVER, NEW_TOKEN, SESSION_TAKEN, Ended, near, pause_s
from .errors import Banished, HouseAway, Mismatch, ReceptionRefused
from .hand import Result
from .link import AT_ONCE_MAX, GOOD_AFTER_S, SEND_S, WAIT_MIN_S, Inbox, dialled
from .player import Ask, Player, Rebuy, Wishes
from .reading import Unreadable, printable
from .reception import Address, Reception, Token
from .renewal import Renewal
from .report import Report

log = logging.getLogger("cardhouse")

FAREWELL_S = 5.0
"""Who wants to leave a house that is not there waits for it so long."""


def run(
    agent: Agent,
    url: str,
    *,
    table: str | None = None,
    name: str = "Agent",
    seat: int | None = None,
    buy_in: int | None = None,
    hands: int | None = None,
    rebuy: Rebuy = "broke",
    token: str | None = None,
    patience_s: float = 600.0,
    use_time_bank: bool = True,
    ssl: tls.SSLContext | None = None,
    quiet: bool = False,
) -> Report:
    """Has an agent play until it has played so many hands, is broke and may not buy in again, or `Ctrl-C` is pressed: then it plays its hand to the end and leaves.

    `url` is the address that one opens in a browser. Without `table` any from the lobby is taken that has a free seat. `buy_in`: a hundred big blinds, or as near as the
    table allows, unless it is given. `rebuy`: `"never"`, when `"broke"`, or `"always"`, up to the buy-in after each hand. `token`: of a user that there is, in the place of a new
    guest of this `name`. `patience_s`: for how long a house that is away is waited for. Says what happens on the standard error, by the logger `cardhouse`, unless it is `quiet`.

    Raises `CardhouseError` when it cannot go on."""
    if not quiet and not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)

    async def playing() -> Report:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def asked() -> None:
            # A second time it ends at once.
            loop.remove_signal_handler(signal.SIGINT)
            log.info("leaving when the hand has ended; once more to end at once")
            stop.set()

        # Not on Windows, and only in the main thread.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(signal.SIGINT, asked)
        return await play(
            agent,
            url,
            table=table,
            name=name,
            seat=seat,
            buy_in=buy_in,
            hands=hands,
            rebuy=rebuy,
            token=token,
            patience_s=patience_s,
            use_time_bank=use_time_bank,
            ssl=ssl,
            stop=stop,
        )

    return asyncio.run(playing())


async def play(
    agent: Agent,
    url: str,
    *,
    table: str | None = None,
    name: str = "Agent",
    seat: int | None = None,
    buy_in: int | None = None,
    hands: int | None = None,
    rebuy: Rebuy = "broke",
    token: str | None = None,
    patience_s: float = 600.0,
    use_time_bank: bool = True,
    ssl: tls.SSLContext | None = None,
    stop: asyncio.Event | None = None,
) -> Report:
    """The same as `run`, for who has an event loop: many agents play beside each other in one. Setting `stop` has it leave. When it is cancelled the
    connection ends, and the seat stays until the house takes it away."""
    wishes = Wishes(table, seat, buy_in, hands, rebuy, use_time_bank)
    return await _Running(agent, url, name, token, patience_s, ssl, wishes, stop or asyncio.Event()).play()


class _Thread:
    """Where methods run that are not `async`: one thread, which does not keep the program from ending."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def call(self, what: Callable[..., Any], *words: object) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[Any] = loop.create_future()

        def settle(answer: Any, why: BaseException | None) -> None:
            if not told.done():
                told.set_exception(why) if why else told.set_result(answer)

        def does() -> None:
            if told.cancelled():
                return
            answer, failed = None, None
            try:
                answer = what(*words)
            except Exception as why:
                # A future cannot hold this one.
                failed = RuntimeError("StopIteration") if isinstance(why, StopIteration) else why
            # The loop may have ended meanwhile.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, answer, failed)

        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="cardhouse agent", daemon=True)
            self._thread.start()
        self._calls.put(does)
        return told

    def end(self) -> None:
        self._calls.put(None)

    def _work(self) -> None:
        while (does := self._calls.get()) is not None:
            does()


class _Mind:
    """An agent's methods, one call at a time: by a lock those that are `async`, by their thread the others, of which one that is given up
    still has to end."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._thread = _Thread()
        self._turn = asyncio.Lock()

    async def answer(self, ask: Ask) -> object:
        """What the agent says. Cancelled when nobody waits for it any more."""
        async with self._turn:
            if ask.most is not None:
                return await self._call(self._agent.boards, ask.hand, ask.most)
            return await self._call(self._agent.act, ask.hand)

    async def tell(self, result: Result) -> None:
        async with self._turn:
            try:
                await self._call(self._agent.ended, result)
            except Exception:
                log.exception("the agent's `ended` has failed")

    async def _call(self, what: Callable[..., Any], *words: object) -> object:
        if inspect.iscoroutinefunction(what):
            return await what(*words)
        answer = await self._thread.call(what, *words)
        return await answer if inspect.isawaitable(answer) else answer

    def end(self) -> None:
        self._thread.end()


class _Running:
    """One agent at one house."""

    def __init__(
        self,
        agent: Agent,
        url: str,
        name: str,
        token: str | None,
        patience_s: float,
        ssl: tls.SSLContext | None,
        wishes: Wishes,
        stop: asyncio.Event,
    ) -> None:
        self._address = Address.read(url)
        self._reception = Reception(self._address, ssl)
        self._ssl, self._name, self._given, self._patience_s = ssl, name, token, patience_s
        self._wishes, self._stop, self._mind = wishes, stop, _Mind(agent)
        self._rng = random.Random()
        self._renewal = Renewal(self._reception, Token(token or "", token or "", ""))
        self._thinking: dict[asyncio.Task[object], Ask] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._good_at = time.monotonic()
        self._failures = 0
        self._was_seated = False
        self._seated_at: str | None = None

    async def play(self) -> Report:
        stopped = asyncio.create_task(self._stop.wait())
        self._stopped: asyncio.Task[Any] = stopped
        try:
            if self._given is None:
                if not await self._as_guest():
                    return Report(ended="stopped")
            self._player = Player(self._renewal.token.token, self._wishes, time.monotonic())
            await self._connections()
            await self._tell_the_rest()
            return self._report()
        finally:
            tasks = [stopped, *self._thinking, *self._telling, *self._renewal.tasks]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._mind.end()

    def _report(self) -> Report:
        report, client = self._player.report, self._player.client
        report.repeated, report.gaps = client.repeated, client.gaps
        report.unreadable, report.sessions = client.unreadable, client.sessions
        report.ended = self._player.stopping
        return report

    # --- between connections ---

    async def _connections(self) -> None:
        player, connections = self._player, 0
        while True:
            ended = await self._connection()
            connections += 1
            player.report.reconnects = connections - 1
            player.client.disconnected()
            if player.failure is not None:
                raise player.failure
            if player.done:
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
            if self._stop.is_set() and time.monotonic() - self._good_at > FAREWELL_S:
                log.warning("the house is away: the seat stays until it takes it")
                player.stopping = "stopped"
                return
            await self._rest(pause)
            if ended.code in NEW_TOKEN and not await self._with_new_token():
                return

    async def _rest(self, pause: float) -> None:
        """Also somebody who wants to leave waits, but not long."""
        if self._stop.is_set():
            pause = min(pause, 1.0)
        if pause > 0:
            await asyncio.sleep(pause)

    async def _as_guest(self) -> bool:
        """Gets a token as a new guest; false if it is not to play any more."""
        failures = 0
        while not self._stop.is_set():
            try:
                self._renewal.token = await self._reception.guest(self._name)
                return True
            except ReceptionRefused as why:
                if why.retry_after_s is None:
                    raise
                pause, last = min(60.0, why.retry_after_s), str(why)
            except (OSError, Unreadable) as why:
                pause, last = pause_s(Ended(), failures, self._rng), str(why)
            failures += 1
            if time.monotonic() - self._good_at > self._patience_s:
                raise HouseAway(f"{self._address.http}: {last}")
            await self._rest(pause)
        return False

    async def _with_new_token(self) -> bool:
        """The token is good no more: another one of the same user, or as another guest where the house does not know this one any more."""
        while True:
            try:
                self._renewal.token = await self._reception.refresh(self._renewal.token)
                self._player.client.renew(self._renewal.token.token, time.monotonic())
                return True
            except ReceptionRefused as why:
                if why.retry_after_s is not None:
                    await self._rest(min(60.0, why.retry_after_s))
                elif why.code not in ("bad_token", "session_ended") or self._given is not None:
                    raise
                else:
                    log.warning("the house does not know this guest any more (%s): begins anew as another", why.code)
                    if not await self._as_guest():
                        return False
                    self._player.begin_anew(self._renewal.token.token, time.monotonic())
                    return True
            except (OSError, Unreadable) as why:
                if time.monotonic() - self._good_at > self._patience_s:
                    raise HouseAway(f"{self._address.http}: {why}") from None
                await self._rest(1.0)

    # --- one connection ---

    async def _connection(self) -> Ended:
        player = self._player
        room = player.room if self._was_seated else None
        word = near(room, player.client.near, self._failures, self._rng)
        return await dialled(self._address, self._ssl, word, self._talk, player.fail)

    async def _talk(self, socket: ClientConnection, inbox: Inbox, word: str | None) -> Ended:
        player = self._player
        client = player.client
        client.connected(time.monotonic())
        leave_at, is_new, good_from = float("inf"), True, time.monotonic() + GOOD_AFTER_S
        while True:
            now = time.monotonic()
            if self._stop.is_set():
                player.stop()
            self._collect()
            while (ask := player.poll(now)) is not None:
                self._think(ask)
            self._say_news()
            self._say_seat()
            while client.outgoing:
                await asyncio.wait_for(socket.send(client.outgoing.popleft()), SEND_S)
            if player.failure is not None or player.done:
                return Ended(planned=True)
            if client.wants_reconnect:
                return Ended(reason="something was missed")
            if client.is_silent(now):
                return Ended(reason="the house does not answer")
            if now >= leave_at:
                return Ended(planned=True)
            wanted = player.near()
            if wanted is not None and word is None and client.online:
                self._was_seated = True
                return Ended(planned=True)
            self._renewal.go_on(client, now)
            due = min(player.deadline(), leave_at, self._renewal.deadline())
            waits: set[asyncio.Task[Any]] = {inbox.next, *self._thinking, *self._renewal.tasks}
            if not self._stopped.done():
                waits.add(self._stopped)
            wait_s = min(60.0, max(WAIT_MIN_S, due - now))
            await asyncio.wait(waits, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
            for _ in range(AT_ONCE_MAX):
                if not inbox.next.done():
                    break
                told, now = inbox.take(), time.monotonic()
                if isinstance(told, bytes):
                    return Ended(reason="binary messages are not spoken here")
                heard = client.receive(told, now)
                player.heard(heard, now)
                if isinstance(heard, Leaving):
                    leave_at = now + min(60.0, heard.after_s)
                if is_new and client.online:
                    is_new = False
                    self._renewal.plan(client, now)
                if not client.wants_reconnect and (isinstance(heard, Acked) or now >= good_from):
                    self._good_at, self._failures = now, 0
                elif not client.wants_reconnect and isinstance(heard, Moved):
                    # It is there, and leads on; but who does this again and again is not asked four times a second.
                    self._good_at, self._failures = now, min(self._failures, 2)
                # Lets what is there already be taken.
                await asyncio.sleep(0)

    # --- the agent ---

    def _think(self, ask: Ask) -> None:
        self._thinking[asyncio.create_task(self._mind.answer(ask))] = ask

    def _collect(self) -> None:
        """Takes the answers that have come."""
        for task in [task for task in self._thinking if task.done()]:
            ask = self._thinking.pop(task)
            if task.cancelled():
                continue
            why = task.exception()
            if why is not None:
                log.error("the agent has failed in hand %s", ask.hand.number, exc_info=why)
            self._player.answered(ask, why if why is not None else task.result(), time.monotonic())
        for task, ask in self._thinking.items():
            if not self._player.waits_for(ask):
                task.cancel()

    def _say_news(self) -> None:
        for result in self._player.results:
            cards, net = " ".join(result.cards), "" if result.net is None else f", {result.net:+}"
            log.info("hand %s: %s%s, stack %s", result.number, cards, net, result.stack)
            telling = asyncio.create_task(self._mind.tell(result))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)
        self._player.results.clear()

    def _say_seat(self) -> None:
        seat = self._player.seat()
        room = self._player.room if seat else None
        if seat and room != self._seated_at:
            page = self._address.http.removesuffix("/api")
            log.info("%s sits at %s with %s; look on at %s/#%s", printable(seat.name), room, seat.stack, page, room)
        self._seated_at = room

    async def _tell_the_rest(self) -> None:
        """An agent is told of its last hand, unless it takes for ever."""
        self._say_news()
        if self._telling:
            await asyncio.wait(self._telling, timeout=FAREWELL_S)
