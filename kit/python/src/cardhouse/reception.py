"""A token, over HTTP."""

import asyncio
import json
import ssl as tls
import urllib.error
import urllib.request
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit, urlunsplit

from .errors import ReceptionRefused
from .reading import Object, Unreadable, maybe_text, maybe_whole, message, plain, text, whole

ANSWER_S = 10.0
"""An answer is waited for so long."""
BODY_BYTES_MAX = 65_536
"""A longer answer is none."""


@dataclass(frozen=True)
class Address:
    """Where a house is: from `http://HOST:PORT`, `https://…`, the same with `ws` and `wss`, or `HOST:PORT` alone."""

    http: str
    socket: str
    is_near: bool
    """On this machine: no proxy is asked."""

    @staticmethod
    def read(url: str) -> "Address":
        parts = urlsplit(url if "://" in url else f"http://{url}")
        schemes = {"http": ("http", "ws"), "ws": ("http", "ws"), "https": ("https", "wss"), "wss": ("https", "wss")}
        if parts.scheme not in schemes or not parts.hostname:
            raise ValueError(f"{url} is no address of a house")
        http, socket = schemes[parts.scheme]
        path = parts.path.rstrip("/").removesuffix("/ws").rstrip("/")
        try:
            is_near = ip_address(parts.hostname).is_loopback
        except ValueError:
            is_near = parts.hostname == "localhost"
        return Address(
            urlunsplit((http, parts.netloc, f"{path}/api", "", "")), urlunsplit((socket, parts.netloc, f"{path}/ws", "", "")), is_near
        )


@dataclass(frozen=True)
class Token:
    """Who one is, for some time."""

    token: str
    refresh: str
    """What the next one is asked for with."""
    user: str


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token goes to the house that was named, and nowhere else."""

    def redirect_request(self, *_: object) -> None:
        return None


class Reception:
    """See the module. Its methods raise `ReceptionRefused`, and `OSError` or `Unreadable` when there was no answer, or none that could be read."""

    def __init__(self, address: Address, ssl: tls.SSLContext | None) -> None:
        self._address = address
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if address.is_near:
            handlers.append(urllib.request.ProxyHandler({}))
        if ssl is not None:
            handlers.append(urllib.request.HTTPSHandler(context=ssl))
        self._opener = urllib.request.build_opener(*handlers)

    async def guest(self, name: str) -> Token:
        """A new guest of this name."""
        return await asyncio.to_thread(self._ask, "/guest", {"name": name})

    async def sign_in(self, handle: str, password: str) -> Token:
        """Somebody who has an account."""
        return await asyncio.to_thread(self._ask, "/sessions", {"handle": handle, "password": password})

    async def refresh(self, token: Token) -> Token:
        """A later token of the same user."""
        return await asyncio.to_thread(self._ask, "/refresh", {"token": token.refresh})

    def _ask(self, path: str, body: Object) -> Token:
        asks = urllib.request.Request(self._address.http + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            with self._opener.open(asks, timeout=ANSWER_S) as answer:
                read = _body(answer.read(BODY_BYTES_MAX + 1))
        except urllib.error.HTTPError as refused:
            with refused:
                raise _refusal(refused.code, refused.read(BODY_BYTES_MAX + 1)) from None
        token = text(read, "token")
        whole(read, "expires_ms")
        # A house that keeps people gives one token to play with and another to ask for the next.
        return Token(token, maybe_text(read, "refresh") or token, text(read, "user"))


def _body(body: bytes) -> Object:
    if len(body) > BODY_BYTES_MAX:
        raise Unreadable("an answer longer than any of reception's")
    try:
        return message(body.decode())
    except UnicodeDecodeError:
        raise Unreadable("an answer that is not UTF-8") from None


def _refusal(status: int, body: bytes) -> Exception:
    try:
        read = _body(body)
        after_ms = maybe_whole(read, "retry_after_ms")
        return ReceptionRefused(status, text(read, "code"), plain(read, "message"), None if after_ms is None else after_ms / 1000)
    except Unreadable as why:
        # Not reception itself: a proxy before it, or something else at this address.
        return OSError(f"status {status}: {why}")
