"""The engine in lockstep, for training: hands as fast as a pipe carries them, without a house.

The program is an example of the house's engine: `cargo build --release -p holdem --example lockstep` makes `target/release/examples/lockstep`, and its head
says what its lines mean. It is named to `Engine`, or by `CARDHOUSE_LOCKSTEP`::

    with Engine() as engine:
        print(engine.match([Caller(), Raiser()], hands=1_000))
"""

import inspect
import json
import os
import random
import subprocess
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from .actions import Action, Call, Check, Fold, RaiseTo
from .agent import Agent
from .hand import Event, Hand
from .reading import Object
from .table import Pot, Raise, Seat


class Refused(Exception):
    """The engine does not do what it was asked; nothing has changed."""


class Engine:
    """A process of the engine. `close` it, or use it in a `with`."""

    def __init__(self, program: str | None = None) -> None:
        found = program or os.environ.get("CARDHOUSE_LOCKSTEP", "lockstep")
        self._process = subprocess.Popen([found], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._process.communicate()

    def ask(self, requests: Sequence[Object]) -> list[Object]:
        """Asks many things at once, which costs little more than asking one."""
        pipe, back = self._process.stdin, self._process.stdout
        assert pipe is not None and back is not None
        pipe.write(json.dumps(requests).encode() + b"\n")
        pipe.flush()
        told = back.readline()
        if not told:
            raise Refused("the engine has ended")
        answers: list[Object] | Object = json.loads(told)
        if isinstance(answers, dict):
            # The line as a whole could not be read.
            raise Refused(answers["refused"])
        return answers

    def deal(
        self,
        stacks: Sequence[int],
        button: int,
        small_blind: int,
        big_blind: int,
        *,
        seed: str | None = None,
        deck: Sequence[str] | None = None,
        record: bool = False,
        place: int = 0,
    ) -> "Deal":
        """Begins a hand at this place, of no-limit hold'em; the one that lay there is no more. `seed` has 64 hexadecimal digits; `deck` are cards from the top."""
        if (seed is None) == (deck is None):
            raise ValueError("either a seed or a deck")
        new: Object = {"stacks": list(stacks), "button": button, "small_blind": small_blind, "big_blind": big_blind, "record": record}
        new |= {"seed": seed} if seed is not None else {"deck": list(deck or [])}
        return Deal(self, place, new)

    def match(self, agents: Sequence[Agent], hands: int, *, stack: int = 200, small_blind: int = 1, big_blind: int = 2, seed: int = 0) -> list[int]:
        """Has agents play so many hands against each other, each with a full stack, the button moving on; what each has won. The same seed deals the same cards."""
        net, chance = [0] * len(agents), random.Random(seed)
        for number in range(hands):
            deal = self.deal([stack] * len(agents), number % len(agents), small_blind, big_blind, seed=chance.randbytes(32).hex())
            while (seat := deal.seat) is not None:
                action = agents[seat].act(deal.hand(seat, number))
                if inspect.isawaitable(action):
                    raise TypeError("in lockstep an agent's `act` is no coroutine")
                deal.act(action)
            net = [before + won for before, won in zip(net, deal.net)]
        return net


class Deal:
    """A hand in the engine. Seats are 0, 1, ... in the order of play."""

    def __init__(self, engine: Engine, place: int, new: Object) -> None:
        self._engine, self._place = engine, place
        self.stacks: list[int] = new["stacks"]
        """Chips before the blinds."""
        self.button: int = new["button"]
        self.small_blind: int = new["small_blind"]
        self.big_blind: int = new["big_blind"]
        self.events: list[Event] = []
        self.seen = self._ask({"new": new})
        """What the engine has told last."""
        self.hole: list[tuple[str, ...]] = [tuple(cards) for cards in self.seen["hole"]]
        """All players' cards."""
        small = self.button if len(self.stacks) == 2 else (self.button + 1) % len(self.stacks)
        for seat, kind in ((small, "small"), ((small + 1) % len(self.stacks), "big")):
            bet: int = self.stacks[seat] - self.seen["stacks"][seat]
            self.events.append(Event("preflop", seat, kind, bet, bet))

    def _ask(self, request: Object) -> Object:
        [told] = self._engine.ask([{**request, "at": self._place}])
        if "refused" in told:
            raise Refused(told["refused"])
        return told

    @property
    def seat(self) -> int | None:
        """Whose turn it is; `None`: the hand is over."""
        turn = self.seen["turn"]
        return None if turn is None else int(turn["seat"])

    @property
    def net(self) -> list[int]:
        """What each has won or lost in the hand that is over."""
        won: list[int] = self.seen["net"]
        return won

    @property
    def board(self) -> tuple[str, ...]:
        return tuple(self.seen["board"])

    @property
    def record(self) -> str:
        """The hand that is over in PHH, where a record was asked for."""
        return str(self.seen["record"])

    def act(self, action: Action) -> None:
        """Does it for who is to act; raises `Refused` when it is not legal."""
        before, seat = self.seen, self.seat
        does: object
        match action:
            case RaiseTo(to=to):
                does = {"raise": to}
            case _:
                does = {Fold: "fold", Check: "check", Call: "call"}[type(action)]
        self.seen = self._ask({"do": does})
        assert seat is not None, "else it was refused"
        bet, kind = before["bets"][seat], str(does)
        match action:
            case RaiseTo(to=to):
                kind, bet = "raise" if any(before["bets"]) else "bet", to
            case Call():
                bet += before["turn"]["call"]
        self.events.append(Event(before["street"], seat, kind, bet - before["bets"][seat], bet))

    def hand(self, seat: int, number: int = 0) -> Hand:
        """What a player sees at his turn, as he would at a table; side pots are told as one."""
        seen, turn = self.seen, self.seen["turn"]
        limits = turn["raise"]
        bets, folded = seen["bets"], seen["folded"]
        seats = [
            Seat(str(at), str(at), False, stack, bets[at], 0, "playing", False, 0, True, folded[at], []) for at, stack in enumerate(seen["stacks"])
        ]
        collected = seen["pot"] - sum(bets)
        pots = (Pot(collected, [at for at, out in enumerate(folded) if not out]),) if collected else ()
        return Hand(
            table="lockstep",
            config={"small_blind": self.small_blind, "big_blind": self.big_blind, "variant": "holdem", "limit": "no_limit", "ante": 0},
            number=number,
            turn=len(self.events),
            seat=seat,
            button=self.button,
            seats=tuple(seats),
            street=seen["street"],
            cards=self.hole[seat],
            boards=(self.board,),
            pots=pots,
            events=tuple(self.events),
            events_complete=True,
            call=turn["call"],
            limits=None if limits is None else Raise(limits[0], limits[1], not any(bets)),
        )
