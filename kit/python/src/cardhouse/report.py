"""What came of playing."""

from dataclasses import dataclass, field


@dataclass
class Report:
    """Counts of one run. Chips are whole numbers of the table's smallest unit."""

    hands: int = 0
    """Hands that ended in which the agent had cards."""
    brought: int = 0
    """Chips brought: buy-ins and top-ups."""
    took: int = 0
    """Chips taken when leaving."""
    acted: int = 0
    """Actions of the agent that the table has applied."""
    illegal: int = 0
    """Answers that were not legal, found here or by the table."""
    late: int = 0
    """Turns for which no answer came in time, or came when the turn was over."""
    failed: int = 0
    """Answers that were an exception."""
    defaulted: int = 0
    """Turns in which the agent was checked or folded for, after an illegal answer was followed by another or none came in time."""
    reconnects: int = 0
    """Connections after the first."""
    repeated: int = 0
    """Commands sent again, since they had no answer when a connection broke. Each was applied once at most."""
    gaps: int = 0
    """Times that a part of the table's story was missed or could not be read, and was asked for again."""
    unreadable: int = 0
    """Messages that could not be read."""
    sessions: int = 0
    """Sessions that the house has begun for this agent: 1 unless it forgot one."""
    seats: int = 0
    """How often a seat was taken."""
    complete: bool = True
    """False when the agent sat down or left while it did not look, so that `brought` and `took` are not the whole truth."""
    refusals: dict[str, int] = field(default_factory=dict)
    """Commands refused, by code."""
    ended: str = ""
    """Why it ended: `hands` (as many as were asked for), `stopped`, `broke` (and not to buy in again), `closed` (the table is no more)."""

    @property
    def net(self) -> int:
        """Chips won, or lost if it is negative."""
        return self.took - self.brought
