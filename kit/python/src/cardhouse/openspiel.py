"""Hands as states of OpenSpiel's `universal_poker`, and its bots as agents: `pip install cardhouse[openspiel]`.

Its players are positions as in `acpc`, and its bets are all that a player has put in over the hand. Where it is played at a table, cards that nobody has seen are dealt
at random: a bot must look at its information state alone."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pyspiel

from .acpc import BLINDS, positions, spent_before
from .actions import Action, Call, Check, Fold, RaiseTo
from .agent import Agent
from .hand import Event, Hand

CARDS = [rank + suit for rank in "23456789TJQKA" for suit in "cdhs"]
"""By OpenSpiel's numbers."""


def game(stacks: Sequence[int], small_blind: int, big_blind: int) -> Any:
    """The game of players with these stacks, by position."""
    count = len(stacks)
    blinds = [big_blind, small_blind] if count == 2 else [small_blind, big_blind] + [0] * (count - 2)
    first = "2 1 1 1" if count == 2 else "3 1 1 1"

    def listed(numbers: Sequence[int]) -> str:
        return " ".join(map(str, numbers))

    return pyspiel.load_game(
        f"universal_poker(betting=nolimit,numPlayers={count},numRounds=4,blind={listed(blinds)},firstPlayer={first},numSuits=4,numRanks=13,"
        f"numHoleCards=2,numBoardCards=0 3 1 1,stack={listed(stacks)},bettingAbstraction=fullgame)"
    )


def state(hand: Hand, *, known: Mapping[int, Sequence[str]] | None = None, chance: random.Random | None = None) -> Any:
    """The state of a hand at its turn. `known` are hole cards by seat, beside the agent's own. Raises `acpc.Untranslatable` when it cannot be said."""
    seats = positions(hand)
    stacks = []
    for seat in seats:
        player = hand.seats[seat]
        assert player is not None, "a position is a player's"
        stacks.append(player.stack + sum(event.amount for event in hand.events if event.seat == seat))
    small, big = (event.amount for event in hand.events if event.kind in BLINDS)
    play = game(stacks, small, big)
    hole = {**(known or {}), hand.seat: hand.cards}
    left = [card for card in CARDS if card not in hand.board and all(card not in cards for cards in hole.values())]
    (chance or random.Random()).shuffle(left)
    told = play.new_initial_state()
    for seat in seats:
        for card in hole.get(seat) or (left.pop(), left.pop()):
            told.apply_action(CARDS.index(card))
    replay(told, hand.events, hand.board)
    return told


def replay(told: Any, events: Sequence[Event], board: Sequence[str]) -> None:
    """Does to a state, whose hole cards are dealt, what was done in a hand, and deals its board."""
    dealt = list(board)
    for at, event in enumerate(events):
        while told.is_chance_node() and dealt:
            told.apply_action(CARDS.index(dealt.pop(0)))
        if event.kind not in BLINDS:
            total = spent_before(tuple(events[: at + 1]), event.seat, event.street) + event.to
            told.apply_action({"fold": 0, "check": 1, "call": 1}.get(event.kind, total))
    while told.is_chance_node() and dealt:
        told.apply_action(CARDS.index(dealt.pop(0)))


def action(hand: Hand, number: int) -> Action:
    """An action of `universal_poker` as ours."""
    if number == 0:
        return hand.cheapest()
    if number == 1:
        return hand.passive()
    return RaiseTo(number - spent_before(hand.events, hand.seat, hand.street))


def number(hand: Hand, does: Action) -> int:
    """An action of ours as `universal_poker`'s."""
    match does:
        case Fold():
            return 0
        case Check() | Call():
            return 1
        case RaiseTo(to=to):
            return spent_before(hand.events, hand.seat, hand.street) + to


class OpenSpielAgent(Agent):
    """A bot of OpenSpiel's (`pyspiel.Bot`) plays as an agent."""

    def __init__(self, bot: Any, chance: random.Random | None = None) -> None:
        self._bot, self._chance = bot, chance or random.Random()

    def act(self, hand: Hand) -> Action:
        return action(hand, int(self._bot.step(state(hand, chance=self._chance))))
