"""Agents that play at the tables of a Cardhouse.

An agent says what it does when it is its turn; everything else (a guest's token, a seat, connections that break, answers that come
exactly once, chips) is done for it::

    from cardhouse import Agent, Call, Check, Fold, run

    class Caller(Agent):
        def act(self, hand):
            if hand.can_check:
                return Check()
            return Call() if hand.to_call <= hand.pot // 3 else Fold()

    run(Caller(), "http://127.0.0.1:8080")

In the order of reading: `actions` and `hand` (what an agent says and sees), `agent` (what one writes), `table` (a table as everybody sees it,
folded from events), `client` (one session with a house by its protocol, without I/O), `player` (what is said for the agent, and when, without I/O),
`reception`, `renewal`, `link` and `running` (the network). Who wants work done, or does some that is no play, has a `House`: `jobs` (as the house tells of them),
`work` (what one has taken), `house` (the network).
"""

from .actions import Action, Call, Check, Fold, RaiseTo
from .agent import Agent
from .errors import Banished, CardhouseError, Declined, HouseAway, JobFailed, LeaseLost, Mismatch, NoSeat, ReceptionRefused, Refused, Unsure
from .hand import Event, Hand, Refusal, Result
from .house import Answer, House
from .report import Report
from .running import play, run
from .table import Pot, Raise, Seat
from .work import Job

__all__ = [
    "Action",
    "Agent",
    "Answer",
    "Banished",
    "Call",
    "CardhouseError",
    "Check",
    "Declined",
    "Event",
    "Fold",
    "Hand",
    "House",
    "HouseAway",
    "Job",
    "JobFailed",
    "LeaseLost",
    "Mismatch",
    "NoSeat",
    "Pot",
    "Raise",
    "RaiseTo",
    "ReceptionRefused",
    "Refusal",
    "Refused",
    "Report",
    "Result",
    "Seat",
    "Unsure",
    "play",
    "run",
]
