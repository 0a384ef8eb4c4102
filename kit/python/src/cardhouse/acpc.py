"""Players of the Annual Computer Poker Competition at our tables: hands as MATCHSTATE lines, and a player's answers as actions.

The protocol is that of the competition's dealer, version 2.0.0, for no-limit games: a raise names all that the player has then put in over the hand, where ours
are totals of the street. Positions count from the small blind; heads-up the big blind is position 0. There are no antes in it."""

import socket

from .actions import Action, Call, Fold, RaiseTo
from .agent import Agent
from .hand import Event, Hand, Result

BLINDS = ("ante", "dead", "small", "big", "straddle", "live")
STREETS = ("preflop", "flop", "turn", "river")


class Untranslatable(Exception):
    """The hand cannot be said in the competition's words: its beginning was not seen, or it has antes, straddles, or a dead button."""


def positions(hand: Hand | Result) -> list[int]:
    """Seats by position."""
    if not hand.events_complete:
        raise Untranslatable("the hand's beginning was not seen")
    posts = [event for event in hand.events if event.kind in BLINDS]
    if [event.kind for event in posts] != ["small", "big"]:
        raise Untranslatable(f"posted: {[event.kind for event in posts]}")
    small, big = (event.seat for event in posts)
    seats = _dealt_in(hand)
    if len(seats) == 2:
        return [big, small]
    first = seats.index(small)
    return seats[first:] + seats[:first]


def _dealt_in(hand: Hand | Result) -> list[int]:
    if isinstance(hand, Hand):
        return [at for at, seat in enumerate(hand.seats) if seat and seat.in_hand]
    return sorted(hand.dealt_in)


def betting(events: tuple[Event, ...], street: str) -> str:
    """What was done, as far as this street."""
    told: list[str] = [""] * (STREETS.index(street) + 1)
    before: dict[int, int] = {}
    now: dict[int, int] = {}
    at = 0
    for event in events:
        if (on := STREETS.index(event.street)) != at:
            for seat, bet in now.items():
                before[seat] = before.get(seat, 0) + bet
            now, at = {}, on
        now[event.seat] = event.to
        if event.kind in ("bet", "raise"):
            told[at] += f"r{before.get(event.seat, 0) + event.to}"
        elif event.kind not in BLINDS:
            told[at] += {"fold": "f", "check": "c", "call": "c"}[event.kind]
    return "/".join(told)


def spent_before(events: tuple[Event, ...], seat: int, street: str) -> int:
    """What a seat has put in on the streets before this one."""
    last: dict[str, int] = {}
    for event in events:
        if event.seat == seat and event.street != street:
            last[event.street] = event.to
    return sum(last.values())


def board(cards: tuple[str, ...]) -> str:
    streets = (cards[:3], cards[3:4], cards[4:5])
    return "".join(f"/{''.join(street)}" for street in streets if street)


def matchstate(hand: Hand) -> str:
    """The line that a player of the competition gets at his turn."""
    seats = positions(hand)
    holes = "|".join("".join(hand.cards) if seat == hand.seat else "" for seat in seats)
    return f"MATCHSTATE:{seats.index(hand.seat)}:{hand.number}:{betting(hand.events, hand.street)}:{holes}{board(hand.board)}"


def final(result: Result) -> str:
    """The line that tells how a hand has ended."""
    seats, cards = positions(result), {**result.shown, result.seat: result.cards}
    holes = "|".join("".join(cards.get(seat, ())) for seat in seats)
    dealt = result.boards[0] if result.boards else ()
    acted = [event.street for event in result.events]
    street = max(STREETS[{0: 0, 3: 1, 4: 2}.get(len(dealt), 3)], acted[-1], key=STREETS.index)
    return f"MATCHSTATE:{seats.index(result.seat)}:{result.number}:{betting(result.events, street)}:{holes}{board(dealt)}"


def action(hand: Hand, told: str) -> Action:
    """An action of the competition's, `f`, `c` or `r` with all that the player has put in then, as ours. One that is not legal here is left as it is."""
    if told == "f":
        return Fold()
    if told == "c":
        return hand.passive()
    if told[:1] == "r" and told[1:].isdigit():
        return RaiseTo(int(told[1:]) - spent_before(hand.events, hand.seat, hand.street))
    raise ValueError(f"{told!r} is no action")


def told(hand: Hand, does: Action) -> str:
    """An action of ours in the competition's words."""
    match does:
        case Fold():
            return "f"
        case RaiseTo(to=to):
            return f"r{spent_before(hand.events, hand.seat, hand.street) + to}"
        case _:
            return "c"


class AcpcAgent(Agent):
    """A player of the competition, a program that connects to a dealer, plays as an agent::

        agent = AcpcAgent()                      # then: ./example_player game.def localhost PORT
        print(agent.port)
        run(agent, "http://127.0.0.1:8080", table="t1")
    """

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self._listener = socket.create_server((host, port))
        self.port: int = self._listener.getsockname()[1]
        self._link: socket.socket | None = None
        self._left = b""

    def act(self, hand: Hand) -> Action:
        """Asks the player, which is waited for if it has not come yet."""
        line = matchstate(hand)
        self._say(line)
        heard = self._line()
        while not heard.startswith("MATCHSTATE"):
            heard = self._line()
        if not heard.startswith(f"{line}:"):
            raise ValueError(f"the player answers {heard!r} to {line!r}")
        return action(hand, heard[len(line) + 1 :])

    def ended(self, result: Result) -> None:
        if self._link is not None and result.events_complete:
            self._say(final(result))

    def close(self) -> None:
        for one in (self._link, self._listener):
            if one is not None:
                one.close()

    def _say(self, line: str) -> None:
        if self._link is None:
            self._link, _ = self._listener.accept()
        self._link.sendall(f"{line}\r\n".encode())

    def _line(self) -> str:
        assert self._link is not None, "one has spoken before"
        while b"\n" not in self._left:
            more = self._link.recv(4096)
            if not more or len(self._left) > 65_536:
                raise ConnectionError("the player has gone")
            self._left += more
        line, self._left = self._left.split(b"\n", 1)
        return line.decode(errors="replace").strip()
