"""One connection: how it is made, what comes on it, and how it has ended."""

import asyncio
import contextlib
import ssl as tls
from collections.abc import Awaitable, Callable
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection, connect

from .comeback import Ended
from .errors import CardhouseError, Mismatch
from .reading import printable
from .reception import Address

SUBPROTOCOL = "cardhouse.v1"
MESSAGE_BYTES_MAX = 4 * 1024 * 1024
"""A longer message ends the connection."""
SEND_S = 10.0
"""A house that does not read for so long counts as gone."""
AT_ONCE_MAX = 64
"""Messages that are there are taken in together, up to so many, before anything is concluded from them."""
WAIT_MIN_S = 0.002
"""Nothing is looked at more often than this, whatever the house says about times."""
GOOD_AFTER_S = 5.0
"""A connection on which all was well for so long, or a command was answered, ends a row of failures."""


class Inbox:
    """What comes on a connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.next: asyncio.Task[str | bytes] = asyncio.create_task(socket.recv())
        """The next message, or how the connection has ended."""

    def take(self) -> str | bytes:
        """The message that is there."""
        told = self.next.result()
        self.next = asyncio.create_task(self._socket.recv())
        return told

    async def end(self) -> None:
        self.next.cancel()
        await asyncio.gather(self.next, return_exceptions=True)


Talk = Callable[[ClientConnection, Inbox, str | None], Awaitable[Ended]]
"""What is done on a connection, until it has ended."""


async def dialled(address: Address, ssl: tls.SSLContext | None, word: str | None, talk: Talk, fail: Callable[[CardhouseError], None]) -> Ended:
    """Has `talk` talk on a new connection, near what this word says; `fail` is told where none will ever be made."""
    url = address.socket + (f"?near={word}" if word else "")
    more: dict[str, Any] = {"ssl": ssl} if ssl is not None else {}
    if address.is_near:
        more["proxy"] = None
    try:
        socket = await connect(
            url,
            subprotocols=[websockets.Subprotocol(SUBPROTOCOL)],
            # The protocol has pings of its own, by which a house that stands still is noticed sooner.
            ping_interval=None,
            max_size=MESSAGE_BYTES_MAX,
            open_timeout=10,
            close_timeout=1,
            **more,
        )
    except websockets.InvalidStatus as why:
        status = why.response.status_code
        if status in (400, 403, 404, 426):
            fail(Mismatch(f"no connection is made at {url}: status {status}"))
        return Ended(reason=f"status {status}")
    except (OSError, TimeoutError, websockets.WebSocketException) as why:
        return Ended(reason=str(why) or type(why).__name__)
    inbox = Inbox(socket)
    try:
        return await talk(socket, inbox, word)
    except websockets.ConnectionClosed as why:
        # What the house has said; what this side says about the house's bytes is no reason to give up.
        told = why.rcvd
        return Ended(told.code if told else None, printable(told.reason if told else str(why)))
    except TimeoutError:
        return Ended(reason="the house does not read")
    finally:
        await inbox.end()
        # On a connection that is dead already this waits for nobody for long.
        with contextlib.suppress(Exception):
            await asyncio.wait_for(socket.close(), 2.0)
        socket.transport.abort()
