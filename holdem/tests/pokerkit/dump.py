"""Plays random cash games with amounts as floats and dumps them as PokerKit does: dump.py COUNT SEED FOLDER

Each game is a table of two to six players with blinds of 0.05 and 0.10 who play several hands, so that stacks carry the traces
of earlier sums and splits. FOLDER gets one `.phh` file a hand, with `finishing_stacks` in every other one, and one `.phhs` file
with all hands. What a player raises to is a multiple of the small blind, a part of the pot, or any float at all.
"""

import random
import sys
import warnings
from pathlib import Path

from pokerkit import Automation, HandHistory, Mode, NoLimitTexasHoldem

warnings.simplefilter("ignore")

AUTOMATIONS = (
    Automation.ANTE_POSTING,
    Automation.BET_COLLECTION,
    Automation.BLIND_OR_STRADDLE_POSTING,
    Automation.CARD_BURNING,
    Automation.HOLE_DEALING,
    Automation.BOARD_DEALING,
    Automation.RUNOUT_COUNT_SELECTION,
    Automation.HOLE_CARDS_SHOWING_OR_MUCKING,
    Automation.HAND_KILLING,
    Automation.CHIPS_PUSHING,
    Automation.CHIPS_PULLING,
)
BLINDS = (0.05, 0.10)
# Less than this is a sum's noise, which PokerKit leaves players to act with: they do, but nobody bets it or folds to it.
NOISE = 1e-9
LEAST_STACK = 0.5


def can_raise(state):
    if not state.can_complete_bet_or_raise_to():
        return False
    others = [i for i in state.player_indices if state.statuses[i] and i != state.actor_index]
    can_answer = any(state.stacks[i] > NOISE for i in others)
    return can_answer and state.max_completion_betting_or_raising_to_amount > max(state.bets) + NOISE


def raise_to(state, style):
    least = state.min_completion_betting_or_raising_to_amount
    most = state.max_completion_betting_or_raising_to_amount
    if random.random() < 0.25:
        return random.choice((least, most))
    if style == "blinds":
        wanted = least + BLINDS[0] * random.randrange(1, 12)
    elif style == "pot":
        wanted = least + state.total_pot_amount * random.choice((1 / 3, 0.5, 2 / 3, 0.75))
    else:
        wanted = random.uniform(least, min(most, 3 * least))
    return min(max(wanted, least), most)


def play(game, stacks, style):
    state = game(tuple(stacks), len(stacks))
    while state.status:
        if can_raise(state) and random.random() < 0.3:
            state.complete_bet_or_raise_to(raise_to(state, style))
        elif state.can_fold() and state.checking_or_calling_amount > NOISE and random.random() < 0.2:
            state.fold()
        else:
            state.check_or_call()
    return state


def main():
    count, seed, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    random.seed(seed)
    folder.mkdir(parents=True, exist_ok=True)
    hands = []
    while len(hands) < count:
        players = random.randrange(2, 7)
        style = random.choice(("blinds", "pot", "any"))
        ante = random.choice((0, 0, 0.01))
        game = NoLimitTexasHoldem(AUTOMATIONS, True, ante, BLINDS, BLINDS[1], mode=Mode.CASH_GAME)
        stacks = [random.choice((10.0, 5.05, 1.1, 20 / 3, 1333.3333333333333)) for _ in range(players)]
        for _ in range(min(8, count - len(hands))):
            try:
                state = play(game, stacks, style)
            except (AssertionError, ValueError):
                # PokerKit loses its own way in floats now and then.
                break
            told = {"finishing_stacks": list(state.stacks)} if len(hands) % 2 else {}
            hands.append(HandHistory.from_game_state(game, state, **told))
            stacks = [stack if stack >= LEAST_STACK else 10.0 for stack in state.stacks[1:] + state.stacks[:1]]
    for number, hand in enumerate(hands):
        (folder / f"{number:05}.phh").write_text(hand.dumps() + "\n")
    (folder / "all.phhs").write_text(HandHistory.dumps_all(hands) + "\n")


if __name__ == "__main__":
    main()
