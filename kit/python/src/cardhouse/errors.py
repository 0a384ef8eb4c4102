"""What ends otherwise than by the program's own will."""


class CardhouseError(Exception):
    """Any of these."""


class HouseAway(CardhouseError):
    """The house could not be reached, or answered nothing that could be read, for longer than the caller's patience."""


class Mismatch(CardhouseError):
    """The house says that what this package sends is wrong, or it speaks what this package cannot: one of the two is to be mended."""


class Banished(CardhouseError):
    """The session is held by another connection, or the seat is played from another session of the same user."""


class NoSeat(CardhouseError):
    """No seat is free at the table, or at any."""


class Refused(CardhouseError):
    """A room has refused what the agent cannot do without, such as a seat, or what somebody wants done."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        """The protocol's code."""


class Declined(CardhouseError):
    """Chips that were to be brought have not come; nothing was taken."""

    def __init__(self, amount: int, code: str) -> None:
        super().__init__(f"{amount} chips have not come: {code}")
        self.amount = amount
        self.code = code


class Unsure(CardhouseError):
    """Nobody knows whether something was done: the house has lost what it knew of this program."""


class LeaseLost(CardhouseError):
    """A job is not this agent's any more: whoever wanted it has taken it back, or another agent has it. What was said last does not count."""


class JobFailed(CardhouseError):
    """What was wanted has no answer; the message says why."""


class ReceptionRefused(CardhouseError):
    """Reception gives no token."""

    def __init__(self, status: int, code: str, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{code} ({status}): {message}")
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        """Waiting so many seconds helps; `None`: it does not."""
