"""What one writes."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable

from .actions import Action
from .hand import Hand, Result


class Agent(ABC):
    """Decides. Only `act` must be written; any of the methods may be `async def`.

    A method that is not `async` runs in a thread of its own, one call at a time, so it may take its time (a network, a solver) and the
    connection lives on meanwhile. An `async` one runs in the event loop and must not block it; it is cancelled when its time is over.
    """

    @abstractmethod
    def act(self, hand: Hand) -> Action | Awaitable[Action]:
        """It is the agent's turn. `hand.seconds_left()` says for how long.

        An answer that is not legal is asked for once more, with `hand.refusal` saying what was wrong; then, and when no answer comes in
        time, the agent checks if that costs nothing and folds if not. `Report` counts both."""

    def boards(self, hand: Hand, most: int) -> int | Awaitable[int]:
        """On how many boards the rest of the hand shall be dealt, 1 to `most`, where the table asks. One, unless this says otherwise."""
        return 1

    def ended(self, result: Result) -> None | Awaitable[None]:
        """A hand has ended in which the agent had cards."""
        return None
