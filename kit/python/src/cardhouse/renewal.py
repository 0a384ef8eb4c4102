"""A token that lasts: another one is got before it ends."""

import asyncio
import logging

from .client import Client
from .reception import Reception, Token

log = logging.getLogger("cardhouse")

TOKEN_MARGIN_S = 60.0
"""A token is renewed when less than this is left of it, or half of its life if that is less."""
TOKEN_AGAIN_S = 5.0
"""When no new token could be got, the next try is so much later."""


class Renewal:
    """See the module. `plan` when the house has said when the token ends, then `go_on` again and again, and when one of `tasks` is done."""

    def __init__(self, reception: Reception, token: Token) -> None:
        self.token = token
        self._reception = reception
        self._asking: asyncio.Task[Token] | None = None
        self._at = float("inf")
        self._awaits_expiry = False

    @property
    def tasks(self) -> list[asyncio.Task[Token]]:
        """What is on its way."""
        return [] if self._asking is None else [self._asking]

    def deadline(self) -> float:
        """When there is something to do, if nothing is on its way."""
        return self._at if self._asking is None else float("inf")

    def plan(self, client: Client, now: float) -> None:
        left = max(0.0, client.expires_at - now) if client.expires_at is not None else float("inf")
        self._at = now + max(left - TOKEN_MARGIN_S, left / 2, TOKEN_AGAIN_S)

    def go_on(self, client: Client, now: float) -> None:
        if self._asking is not None and self._asking.done():
            task, self._asking = self._asking, None
            if (why := task.exception()) is None:
                self.token = task.result()
                client.renew(self.token.token, now)
                # Until the house says when it ends.
                self._at = now + TOKEN_MARGIN_S
                self._awaits_expiry = True
            else:
                log.info("no new token: %s", why)
                self._at = now + TOKEN_AGAIN_S
        elif self._awaits_expiry and client.expires_at is not None:
            self._awaits_expiry = False
            self.plan(client, now)
        elif self._asking is None and now >= self._at:
            self._asking = asyncio.create_task(self._reception.refresh(self.token))
