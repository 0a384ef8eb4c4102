"""Hands as states of RLCard's `no-limit-holdem`, and its models as agents: `pip install cardhouse[rlcard]`.

RLCard's game differs from poker in two ways, which a model that was trained there has learned: heads-up the button posts the big blind, and its raises add half the pot, or the
pot, to the player's bet, be that a legal raise or not. Here such a raise is the nearest that is legal."""

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import rlcard
from rlcard.games.nolimitholdem.game import Stage
from rlcard.games.nolimitholdem.round import Action as Move

from .actions import Action
from .agent import Agent
from .hand import Hand

_INDEX: dict[str, int] = json.loads((Path(rlcard.__path__[0]) / "games" / "limitholdem" / "card2index.json").read_text())
_STAGES = {"preflop": Stage.PREFLOP, "flop": Stage.FLOP, "turn": Stage.TURN, "river": Stage.RIVER}


def card(ours: str) -> str:
    """A card in RLCard's words: `SA` is our `As`."""
    return ours[1].upper() + ours[0]


def sizes(hand: Hand) -> dict[Any, int]:
    """What RLCard's raises make of the player's bet: totals of the street."""
    return {Move.RAISE_HALF_POT: hand.me.bet + hand.pot // 2, Move.RAISE_POT: hand.me.bet + hand.pot, Move.ALL_IN: hand.me.bet + hand.stack}


def moves(hand: Hand) -> list[Any]:
    """RLCard's legal actions, by its rules."""
    legal = list(Move)
    if 0 < hand.to_call and hand.to_call >= hand.stack:
        return [Move.FOLD, Move.CHECK_CALL]
    highest = hand.me.bet + hand.to_call
    if hand.pot > hand.stack:
        legal.remove(Move.RAISE_POT)
    if hand.pot // 2 > hand.stack or hand.pot // 2 + hand.me.bet <= highest:
        legal.remove(Move.RAISE_HALF_POT)
    return legal


def state(hand: Hand) -> dict[str, Any]:
    """The state that a model of RLCard's is asked with. Players are counted by their seats, empty ones left out."""
    players = [(at, seat) for at, seat in enumerate(hand.seats) if seat and seat.in_hand]
    put_in = {at: sum(event.amount for event in hand.events if event.seat == at) for at, _ in players}
    legal, chips = moves(hand), list(put_in.values())
    cards = [card(one) for one in hand.board + hand.cards]
    obs = np.zeros(54)
    obs[[_INDEX[one] for one in cards]] = 1
    obs[52], obs[53] = put_in[hand.seat], max(chips)
    raw = {
        "hand": [card(one) for one in hand.cards],
        "public_cards": [card(one) for one in hand.board],
        "all_chips": chips,
        "my_chips": put_in[hand.seat],
        "legal_actions": legal,
        "stakes": [seat.stack for _, seat in players],
        "current_player": [at for at, _ in players].index(hand.seat),
        "pot": sum(chips),
        "stage": _STAGES[hand.street],
    }
    return {
        "legal_actions": OrderedDict((move.value, None) for move in legal),
        "obs": obs,
        "raw_obs": raw,
        "raw_legal_actions": legal,
        "action_record": [],
    }


def action(hand: Hand, move: Any) -> Action:
    """An action of RLCard's, or its number, as ours."""
    move = Move(move) if not isinstance(move, Move) else move
    if move == Move.FOLD:
        return hand.cheapest()
    if move == Move.CHECK_CALL:
        return hand.passive()
    return hand.raise_to(sizes(hand)[move])


class RlcardAgent(Agent):
    """A model of RLCard's, which has `eval_step(state)`, plays as an agent."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def act(self, hand: Hand) -> Action:
        chosen = self._model.eval_step(state(hand))
        return action(hand, chosen[0] if isinstance(chosen, tuple) else chosen)
