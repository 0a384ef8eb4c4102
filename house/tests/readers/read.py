"""Reads session.phhs with PokerKit and session.ohh with ohh-pydantic, and compares what each player has in the end: read.py FOLDER

Where PokerKit plays otherwise than we do (docs/rules.md has the classes), a hand is counted and not compared further.
"""

import json
import sys
import warnings
from collections import Counter
from decimal import Decimal
from pathlib import Path

from open_hh_models.models import OpenHandHistory
from pokerkit import HandHistory

warnings.simplefilter("ignore")


def told_by_phh(path):
    """Of each hand of a PHH file: players in PokerKit's order, what they began with, and what they have when PokerKit has played it."""
    with open(path, "rb") as file:
        histories = list(HandHistory.load_all(file))
    for history in histories:
        try:
            *_, state = history
        except ValueError as error:
            yield history, None, str(error)
            continue
        yield history, state, None


def told_by_ohh(path):
    for text in path.read_text().split("\n\n"):
        if text.strip():
            told = json.loads(text)["ohh"]
            # The model wants the name of an action among the limits, of which the specification says nothing.
            told["bet_limit"].setdefault("action", "Dealt Cards")
            yield OpenHandHistory.model_validate(told)


def put_in(hand, names):
    """What each has put into the pots. What nobody has called goes back without a word: that is how the format has it."""
    put = Counter()
    for round_ in hand.rounds:
        bet = Counter()
        for action in round_.actions:
            if action.player_id is None or not action.amount:
                continue
            is_dead = action.action in ("Post Dead", "Post Ante")
            (put if is_dead else bet)[names[action.player_id]] += action.amount
        if bet:
            (player, most), *others = bet.most_common()
            bet[player] -= most - (others[0][1] if others else 0)
        put += bet
    return put


def main():
    folder = Path(sys.argv[1])
    counts, wrong = Counter(), []
    hands = list(told_by_ohh(folder / "session.ohh"))
    read = list(told_by_phh(folder / "session.phhs"))
    counts["hands read by ohh-pydantic"] = len(hands)
    counts["hands read by PokerKit"] = len(read)
    if len(hands) != len(read):
        wrong.append("the files do not hold the same number of hands")
    for number, (hand, (history, state, error)) in enumerate(zip(hands, read), 1):
        names = {player.id: player.name for player in hand.players}
        began = {player.name: player.starting_stack for player in hand.players}
        put = put_in(hand, names)
        won = Counter()
        for pot in hand.pots:
            for win in pot.player_wins or ():
                won[names[win.player_id]] += win.win_amount
        players = history.players
        told = dict(zip(players, history.finishing_stacks))
        ours = {name: began[name] - put[name] + won[name] for name in began}
        if {name: Decimal(str(stack)) for name, stack in told.items()} != ours:
            wrong.append(f"hand {number}: PHH ends with {told}, Open Hand History with {ours}")
        if error is not None:
            counts[f"PokerKit does not play on: {error}"] += 1
            continue
        if state.status:
            counts["PokerKit has not come to the end"] += 1
            continue
        counts["hands that PokerKit played to their end"] += 1
        if [Decimal(str(stack)) for stack in state.stacks] == [Decimal(str(s)) for s in history.finishing_stacks]:
            counts["of these with our stacks to the chip"] += 1
        else:
            rake = sum(Decimal(str(s)) for s in state.stacks) - sum(Decimal(str(s)) for s in history.finishing_stacks)
            counts["of these with others" + (", as a rake was taken" if rake > 0 else "")] += 1
    for what, count in sorted(counts.items()):
        print(f"{count:>7} {what}")
    for what in wrong[:20]:
        print(what)
    sys.exit(bool(wrong))


main()
