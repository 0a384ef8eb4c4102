"""A Gymnasium environment over the engine in lockstep: `pip install cardhouse[gym]`.

One player learns, against agents; an episode is a hand, and its reward, in big blinds, comes with the last step."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np

from .actions import Action, Fold
from .agent import Agent
from .hand import Hand
from .lockstep import Deal, Engine

CARDS = [rank + suit for rank in "23456789TJQKA" for suit in "cdhs"]
STREETS = ["preflop", "flop", "turn", "river"]
ACTIONS = ["fold", "check or call", "least raise", "half the pot", "pot", "all-in"]
"""What the numbers of `action_space` are."""


class HoldemEnv(gymnasium.Env[Any, Any]):
    """No-limit hold'em for one learner in seat 0; everybody begins each hand with `stack`, and the button moves on.

    An observation holds, each from 0 to 1: own cards and board (52 each), the street (4), pot, call, and least and largest raise as parts of all chips, then for each player, the
    learner first and then clockwise, stack, bet, whether he is in the hand, and whether he has the button. `info["action_mask"]` says which actions are legal; one that is not checks, or folds.
    `info["hand"]` is the hand as an agent sees it."""

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, engine: Engine, opponents: Sequence[Agent], *, stack: int = 200, small_blind: int = 1, big_blind: int = 2) -> None:
        self._engine, self._opponents = engine, list(opponents)
        self._players = len(self._opponents) + 1
        self._stack, self._small_blind, self._big_blind = stack, small_blind, big_blind
        self._number = 0
        self.deal: Deal | None = None
        """The hand that is played, with all cards: for a judge, not for a learner."""
        size = 2 * 52 + 4 + 4 + 4 * self._players
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (size,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(len(ACTIONS))
        self._seen = np.zeros(size, np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """The next hand in which the learner has something to decide. `options={"record": True}` has the engine keep a record of it."""
        super().reset(seed=seed)
        if seed is not None:
            self._number = 0
        record = bool((options or {}).get("record"))
        while True:
            button = self._number % self._players
            self._number += 1
            cards = self.np_random.bytes(32).hex()
            stacks = [self._stack] * self._players
            self.deal = self._engine.deal(stacks, button, self._small_blind, self._big_blind, seed=cards, record=record)
            hand = self._others_act(self.deal)
            if hand is not None:
                return self._observe(hand), self._info(hand)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        deal = self.deal
        assert deal is not None and deal.seat == 0, "reset first"
        hand = deal.hand(0, self._number)
        deal.act(choices(hand)[int(action)] or hand.cheapest())
        after = self._others_act(deal)
        if after is None:
            return self._seen.copy(), deal.net[0] / self._big_blind, True, False, {"action_mask": np.zeros(len(ACTIONS), np.int8)}
        return self._observe(after), 0.0, False, False, self._info(after)

    def _others_act(self, deal: Deal) -> Hand | None:
        """Until it is the learner's turn; `None`: the hand is over."""
        while (seat := deal.seat) is not None:
            hand = deal.hand(seat, self._number)
            if seat == 0:
                return hand
            action = self._opponents[seat - 1].act(hand)
            assert not hasattr(action, "__await__"), "in lockstep an agent's `act` is no coroutine"
            deal.act(action)  # type: ignore[arg-type]
        return None

    def _observe(self, hand: Hand) -> Any:
        seen = np.zeros_like(self._seen)
        chips = float(self._stack * self._players)
        for card in hand.cards:
            seen[CARDS.index(card)] = 1.0
        for card in hand.board:
            seen[52 + CARDS.index(card)] = 1.0
        seen[104 + STREETS.index(hand.street)] = 1.0
        seen[108:112] = [hand.pot / chips, hand.to_call / chips, (hand.min_raise_to or 0) / chips, (hand.max_raise_to or 0) / chips]
        for at, seat in enumerate(hand.seats):
            assert seat is not None
            seen[112 + 4 * at : 116 + 4 * at] = [seat.stack / chips, seat.bet / chips, not seat.folded, at == hand.button]
        self._seen = seen.copy()
        return seen

    def _info(self, hand: Hand) -> dict[str, Any]:
        mask = np.array([choice is not None for choice in choices(hand)], np.int8)
        return {"action_mask": mask, "hand": hand}


def choices(hand: Hand) -> list[Action | None]:
    """What each of `ACTIONS` is in a hand; `None` where it is not legal, or the same as another."""
    fold = None if hand.can_check else Fold()
    if hand.limits is None:
        return [fold, hand.passive(), None, None, None, None]
    low, high = hand.limits.min, hand.limits.max
    called = hand.me.bet + hand.to_call
    sizes = [called + round(part * (hand.pot + hand.to_call)) for part in (0.5, 1.0)]
    raises: list[Action | None] = [hand.raise_to(size) if low < size < high else None for size in sizes]
    return [fold, hand.passive(), hand.raise_to(low) if low < high else None, *raises, hand.all_in()]
