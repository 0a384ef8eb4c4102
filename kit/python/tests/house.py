"""A real house, and what stands between it and an agent in these tests."""

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import websockets
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from cardhouse.client import Client
from cardhouse.reading import Object, message
from cardhouse.reception import Address, Reception
from cardhouse.table import Table

SOON_S = 20.0
"""Far longer than anything here takes; what fails should fail, not hang."""

PASSWORD = "correct horse battery"
"""Of everybody in these tests."""

QUICK = ["--tables", "1", "--bots", "2", "--bot-think-min-ms", "10", "--bot-think-more-ms", "10", "--pause-ms", "50", "--runout-ms", "5"]
"""One table at which two bots play as fast as the house lets anybody."""


def program() -> str:
    """The house's program: `CARDHOUSE_HOUSE`, or what Cargo has built here."""
    built = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parents[3] / "target")) / "debug" / "house"
    found = os.environ.get("CARDHOUSE_HOUSE", str(built))
    assert Path(found).exists(), f"there is no {found}: cargo build, or CARDHOUSE_HOUSE=PROGRAM"
    return found


def of_staff() -> str:
    """The program with which the first of the staff is made, beside the house's."""
    found = Path(program()).with_name("reception")
    assert found.exists(), f"there is no {found}: cargo build -p reception --bins"
    return str(found)


class House:
    """A house in a process of its own. `durable`: what it keeps outlives it."""

    def __init__(self, *flags: str, durable: bool = False) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._home = tempfile.TemporaryDirectory()
        keeps = ["--data", self._home.name] if durable else ["--memory"]
        self._words = [program(), "--listen", f"127.0.0.1:{self.port}", *keeps, *QUICK, *flags]
        self.open()

    def open(self) -> None:
        self._process = subprocess.Popen(self._words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert re.search(rf"http://127\.0\.0\.1:{self.port}/", line), f"the house has said {line!r}"

    def kill(self) -> None:
        """As `kill -9` does."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def close(self) -> None:
        self.kill()
        self._home.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def asked(self, method: str, path: str, body: Object, token: str | None = None) -> Object:
        """What reception answers."""
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        asks = urllib.request.Request(f"{self.url}/api{path}", json.dumps(body).encode(), {"Content-Type": "application/json", **bearer}, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asks, timeout=SOON_S) as answer:
            return message(answer.read().decode() or "{}")

    def hire(self, *handles: str) -> None:
        """Makes agents as the README says it, of people who make their accounts themselves: whoever runs the house makes the first admin, who gives them the role."""
        words = [of_staff(), "--database", f"{self._home.name}/people.db", "admin", "create", "boss"]
        told = subprocess.run(words, capture_output=True, text=True, check=True, timeout=SOON_S).stdout
        link = told.partition("#password=")[2].split()[0]
        self.asked("POST", "/passwords", {"link": link, "password": PASSWORD})
        boss = self.asked("POST", "/sessions", {"handle": "boss", "password": PASSWORD})["token"]
        for handle in handles:
            user = self.asked("POST", "/accounts", {"handle": handle, "password": PASSWORD, "nick": handle.capitalize()})["user"]
            self.asked("PUT", f"/staff/people/{user}/roles", {"roles": ["agent"], "reason": "answers questions"}, boss)

    async def token(self, name: str) -> str:
        return (await Reception(Address.read(self.url), None).guest(name)).token


class Watcher:
    """Looks on at t1 as anybody may, and adds up what was done by whom: what the house says happened, apart from what an agent believes."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.acted: Counter[str] = Counter()
        """Actions, by user; those of the clock are not counted."""
        self.by_clock: Counter[str] = Counter()
        self.brought: Counter[str] = Counter()
        self.took: Counter[str] = Counter()
        self.hands = 0
        self.misfits = 0
        self.table: Table | None = None
        self.names: dict[str, str] = {}
        """Of everybody who had a seat, by user."""
        self._users: dict[int, str] = {}
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> "Watcher":
        self._task = asyncio.create_task(self._watch(await self._house.token("Watcher")))
        await self.until(lambda: self.table is not None)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Waits until something is so that the watcher sees."""

        async def waits() -> None:
            async with self._changed:
                await self._changed.wait_for(is_so)

        waiting = asyncio.create_task(waits())
        await asyncio.wait({waiting, self._task}, timeout=SOON_S, return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            await self._task
        assert waiting.done(), "what the watcher waits for does not come"

    async def _watch(self, token: str) -> None:
        client = Client(token, self._observe, time.monotonic())
        client.watch("t1", time.monotonic())
        while True:
            with contextlib.suppress(OSError, websockets.WebSocketException):
                async with connect(f"ws://127.0.0.1:{self._house.port}/ws", subprotocols=[websockets.Subprotocol("cardhouse.v1")], proxy=None) as link:
                    client.connected(time.monotonic())
                    while True:
                        while client.outgoing:
                            await link.send(client.outgoing.popleft())
                        told = await link.recv()
                        assert isinstance(told, str)
                        client.receive(told, time.monotonic())
                        assert not client.wants_reconnect, "the house itself has left something out"
                        async with self._changed:
                            self.table = client.rooms["t1"].table
                            self._changed.notify_all()
            client.disconnected()
            await asyncio.sleep(0.05)

    def _observe(self, _: str, table: Table, event: Object) -> None:
        self.misfits += not table.conserves_chips()
        for at, seat in enumerate(table.seats):
            if seat:
                self._users[at] = seat.user
                self.names[seat.user] = seat.name
        user = self._users.get(event["seat"], "") if isinstance(event.get("seat"), int) else ""
        match event["e"]:
            case "acted" if table.taken(event["seat"]).status == "leaving":
                # The house folds for who has left.
                pass
            case "acted":
                (self.by_clock if event["timeout"] else self.acted)[user] += 1
            case "seated":
                self.brought[user] += event["stack"]
            case "topped_up":
                self.brought[user] += event["amount"]
            case "left":
                self.took[user] += event["stack"]
            case "hand_ended":
                self.hands += 1

    def named(self, name: str) -> str:
        """Who has sat there under this name, and nobody else."""
        [user] = [user for user, known in self.names.items() if known == name]
        return user

    def user(self, name: str) -> str:
        """Who sat down under this name."""
        assert self.table is not None
        return next(seat.user for seat in self.table.seats if seat and seat.name == name)


Message = Object
"""A message, as an object."""


class Between:
    """Stands between agents and a house, and does to their messages what a test says. Agents come with a token of their own."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._links: set[ServerConnection] = set()
        self.connections = 0
        self.to_agent: Callable[[Message], list[str | bytes]] = lambda message: [json.dumps(message)]
        """What comes in the place of a message of the house's."""
        self.to_house: Callable[[Message], None] = lambda message: None
        """Is told of each message of an agent's, right after it was sent on."""
        self.is_stalled = False
        """The connections that there are stand, and nothing comes through."""

    async def __aenter__(self) -> "Between":
        self._server = await serve(self._link, "127.0.0.1", 0, subprotocols=[websockets.Subprotocol("cardhouse.v1")], max_size=None, ping_interval=None)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        self._server.close()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Connections break, without a word."""
        for link in self._links:
            link.transport.abort()

    async def _link(self, agent: ServerConnection) -> None:
        self.connections += 1
        self._links.add(agent)
        self.is_stalled = False
        url = f"ws://127.0.0.1:{self._house.port}/ws"
        try:
            async with connect(url, subprotocols=[websockets.Subprotocol("cardhouse.v1")], proxy=None, ping_interval=None) as house:
                ways = {asyncio.create_task(self._up(agent, house)), asyncio.create_task(self._down(agent, house))}
                _, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in left:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, websockets.WebSocketException):
            pass
        finally:
            self._links.discard(agent)

    async def _up(self, agent: ServerConnection, house: Any) -> None:
        async for told in agent:
            if not self.is_stalled:
                await house.send(told)
                self.to_house(json.loads(told))

    async def _down(self, agent: ServerConnection, house: Any) -> None:
        async for told in house:
            if not self.is_stalled:
                for instead in self.to_agent(json.loads(told)):
                    await agent.send(instead)
