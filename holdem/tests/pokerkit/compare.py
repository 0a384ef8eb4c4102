"""Plays the hands that the example `random_hands` writes (one JSON object a line on stdin) through PokerKit, and
compares at every decision who is to act, what is legal with exact limits, street and pots, and at the end the stacks.

Where we follow the TDA and PokerKit does not, the difference must be one of the classes below. Each is recognised by a
model of the TDA rule of its own (`Tda`), which must agree with the engine exactly; it is counted, PokerKit is made to go
on, and everything after it is compared again. Anything else is a failure and is printed with the hand as PHH.
"""

import json
import sys
import time
import warnings
from collections import Counter

from pokerkit import (
    Automation,
    BettingStructure,
    ChipsPushing,
    Deck,
    OmahaHoldemHand,
    Opening,
    ShortDeckHoldemHand,
    StandardHighHand,
    State,
    Street,
)

warnings.simplefilter("ignore")

AUTOMATIONS = (
    Automation.ANTE_POSTING,
    Automation.BET_COLLECTION,
    Automation.BLIND_OR_STRADDLE_POSTING,
    Automation.HOLE_CARDS_SHOWING_OR_MUCKING,
    Automation.HAND_KILLING,
    Automation.CHIPS_PUSHING,
    Automation.CHIPS_PULLING,
)
DECKS = {"holdem": Deck.STANDARD, "omaha": Deck.STANDARD, "short_deck": Deck.SHORT_DECK_HOLDEM}
HANDS = {"holdem": StandardHighHand, "omaha": OmahaHoldemHand, "short_deck": ShortDeckHoldemHand}
HOLE_CARDS = {"holdem": 2, "omaha": 4, "short_deck": 2}

# Set while an action is carried out that the TDA allows and PokerKit does not.
allowed_by_tda = False
verify_raise = State._verify_completion_betting_or_raising


def verify_raise_unless_allowed(self):
    if not allowed_by_tda:
        verify_raise(self)


State._verify_completion_betting_or_raising = verify_raise_unless_allowed


class Clock:
    """Adds up the processor time spent in PokerKit's own play, comparison excluded."""

    seconds = 0.0

    def __enter__(self):
        self.started = time.process_time()

    def __exit__(self, *_):
        Clock.seconds += time.process_time() - self.started


class Unexpected(Exception):
    pass


class OtherWay(Exception):
    """From here PokerKit plays another hand; the class was counted."""


class Tda:
    """The TDA's view of one betting round, from nothing but posts and actions: rules 43, 47 and 54."""

    def __init__(self, hand):
        self.hand = hand
        blinds = forced(hand, "blinds")
        self.due = [abs(blind) for blind in blinds]
        self.straddle = max(
            (blind for index, blind in enumerate(blinds) if blind > hand["min_bet"] and index != small_blind(hand)),
            default=0,
        )
        self.preflop = True
        self.level = max(self.due)
        self.full_raise = max(hand["min_bet"], self.straddle)
        self.acted = set()

    def new_street(self):
        self.preflop = False
        self.level = 0
        self.full_raise = self.hand["min_bet"]
        self.acted = set()

    def blinds_short(self, posted):
        """What dead and short blinds lack (TDA 54-B)."""
        if not self.preflop:
            return 0
        short = 0
        for index in (small_blind(self.hand), big_blind(self.hand)):
            short += max(0, self.due[index] - posted[index]) if self.due[index] else self.hand["small_blind"]
        return short

    def reach(self, state, player):
        """The largest total that another player in the hand has bet or could bet."""
        return max(state.bets[i] + state.stacks[i] for i in state.player_indices if i != player and state.statuses[i])

    def call(self, state, player):
        level = min(self.level, self.reach(state, player))
        return min(state.stacks[player], max(0, level - state.bets[player]))

    def raise_range(self, state, player, posted):
        bet, stack = state.bets[player], state.stacks[player]
        reopened = player not in self.acted or self.level - bet >= self.full_raise
        if bet + stack <= self.level or not reopened or self.reach(state, player) <= self.level:
            return None
        most = bet + stack
        if self.hand["pot_limit"]:
            pot = state.total_pot_amount + self.blinds_short(posted)
            most = min(most, self.level + pot + self.level - bet)
        return [min(self.level + self.full_raise, most), most]

    def done(self, player, to=None):
        self.acted.add(player)
        if to is not None:
            self.full_raise = max(self.full_raise, to - self.level)
            self.level = to


def small_blind(hand):
    return 1 if len(hand["stacks"]) == 2 else 0


def big_blind(hand):
    return 1 - small_blind(hand)


def forced(hand, key):
    return hand[key][::-1] if len(hand["stacks"]) == 2 else hand[key]


def create(hand):
    hole = (False,) * HOLE_CARDS[hand["variant"]]
    bet = hand["min_bet"]
    streets = (
        Street(False, hole, 0, False, Opening.POSITION, bet, None),
        Street(True, (), 3, False, Opening.POSITION, bet, None),
        Street(True, (), 1, False, Opening.POSITION, bet, None),
        Street(True, (), 1, False, Opening.POSITION, bet, None),
    )
    return State(
        AUTOMATIONS,
        DECKS[hand["variant"]],
        (HANDS[hand["variant"]],),
        streets,
        BettingStructure.POT_LIMIT if hand["pot_limit"] else BettingStructure.NO_LIMIT,
        hand["trim"],
        hand["antes"],
        hand["blinds"],
        0,
        hand["stacks"],
        len(hand["stacks"]),
    )


def deal(state, hand, dealt):
    """Deals whatever PokerKit waits for, from the hand's cards. Returns whether it dealt a street."""
    street = False
    while True:
        if state.can_burn_card("??"):
            state.burn_card("??")
        elif state.can_deal_hole():
            state.deal_hole(hand["hole"][dealt["hole"]])
            dealt["hole"] += 1
        elif state.can_deal_board():
            count = 3 if dealt["board"] == 0 else 1
            cards = hand["board"][dealt["board"] : dealt["board"] + count]
            if len(cards) < count:
                raise Unexpected("PokerKit deals a street that we do not")
            state.deal_board("".join(cards))
            dealt["board"] += count
            street = True
        else:
            return street


def pass_over_pointless_turns(state, hand, dealt, tda, counts):
    """Checks for players whom PokerKit asks although no other player in the hand can bet more than they have."""
    while (player := state.actor_index) is not None and tda.reach(state, player) <= state.bets[player]:
        counts["no decision left (PokerKit asks a player whom nobody can raise or call)"] += 1
        with Clock():
            state.check_or_call()
            street = deal(state, hand, dealt)
        if street:
            tda.new_street()


def settle(state, hand, folded, one_each):
    """The final stacks as the TDA settles: each side pot by itself (rule 21), odd chips one each from the left of the
    button on (rule 20) or, if not `one_each`, all to the first winner as PokerKit does."""
    pushed = [0] * len(hand["stacks"])
    for operation in state.operations:
        if isinstance(operation, ChipsPushing):
            pushed = [sum(pair) for pair in zip(pushed, operation.amounts)]
    paid = [before - after + won for before, after, won in zip(hand["stacks"], state.stacks, pushed)]
    antes = [min(pair) for pair in zip(forced(hand, "antes"), hand["stacks"])]
    dead = 0
    if not hand["trim"]:
        dead = sum(antes)
        paid = [amount - ante for amount, ante in zip(paid, antes)]
    stacks = [after - won for after, won in zip(state.stacks, pushed)]
    live = [i for i in state.player_indices if i not in folded]
    ranks = {}
    if len(live) > 1:
        kind, board = HANDS[hand["variant"]], "".join(hand["board"])
        ranks = {i: kind.from_game(hand["hole"][i], board) for i in live}
    floor = 0
    for level in sorted({paid[i] for i in live}):
        claims = [i for i in live if paid[i] >= level]
        top = level == max(paid[i] for i in live)
        amount = dead + sum((p if top else min(p, level)) - min(p, floor) for p in paid)
        dead, floor = 0, level
        winners = claims if len(claims) == 1 else [i for i in claims if ranks[i] == max(ranks[j] for j in claims)]
        share, odd = divmod(amount, len(winners))
        for place, i in enumerate(winners):
            stacks[i] += share + ((place < odd) if one_each else odd * (place == 0))
    return stacks


def tell_stacks(state, hand, folded, counts):
    """Counts why the final stacks differ, or fails."""
    if settle(state, hand, folded, True) != hand["final"]:
        raise Unexpected(f"PokerKit's final stacks are {state.stacks}, ours {hand['final']}")
    if settle(state, hand, folded, False) != hand["final"]:
        counts["odd chips (TDA 20: one each; PokerKit: all to the first winner)"] += 1
    else:
        counts["side pots (TDA 21: each by itself; PokerKit joins them when only mucked hands tell them apart)"] += 1


def play(hand, counts):
    global allowed_by_tda
    with Clock():
        state = create(hand)
        dealt = {"hole": 0, "board": 0}
        deal(state, hand, dealt)
    tda = Tda(hand)
    posted = list(state.bets)
    short_level = max(posted) < tda.level
    for number, step in enumerate(hand["steps"]):
        where = f"step {number + 1}"
        pass_over_pointless_turns(state, hand, dealt, tda, counts)
        player = state.actor_index
        if player != step["player"]:
            tell_first_to_act(hand, number, step, posted, counts)
            raise Unexpected(f"{where}: PokerKit has player {player} to act, we {step['player']}")
        if state.street_index != step["street"]:
            raise Unexpected(f"{where}: PokerKit is on street {state.street_index}, we on {step['street']}")
        if state.total_pot_amount != step["pot"]:
            raise Unexpected(f"{where}: PokerKit's pot is {state.total_pot_amount}, ours {step['pot']}")
        if step["pots"] is not None:
            pots = [[pot.amount, list(pot.player_indices)] for pot in state.pots]
            if pots != step["pots"]:
                raise Unexpected(f"{where}: PokerKit's pots are {pots}, ours {step['pots']}")
        least = state.min_completion_betting_or_raising_to_amount
        most = state.max_completion_betting_or_raising_to_amount
        theirs = None if least is None else [least, most]
        ours = step["raise"]
        if ours != theirs or step["call"] != state.checking_or_calling_amount:
            kind = tell(state, hand, tda, step, theirs, posted, short_level)
            if kind is None:
                raise Unexpected(
                    f"{where}: PokerKit allows calling {state.checking_or_calling_amount}, raising {theirs}; "
                    f"we {step['call']}, {ours}"
                )
            counts[kind] += 1
            if kind.startswith("short blind"):
                raise OtherWay
        action = step["do"]
        if isinstance(action, int) and (theirs is None or not theirs[0] <= action <= theirs[1]):
            allowed_by_tda = True
            raise_beyond_pokerkit(action)
        with Clock():
            if action == "f":
                state.fold()
            elif action == "cc":
                state.check_or_call()
            else:
                state.complete_bet_or_raise_to(action)
            allowed_by_tda = False
            State.verify_completion_betting_or_raising_to = verify_amount
            street = deal(state, hand, dealt)
        tda.done(player, action if isinstance(action, int) else None)
        if street:
            tda.new_street()
    pass_over_pointless_turns(state, hand, dealt, tda, counts)
    if state.status:
        raise Unexpected(f"PokerKit goes on with player {state.actor_index}")
    if state.stacks != hand["final"]:
        tell_stacks(state, hand, {step["player"] for step in hand["steps"] if step["do"] == "f"}, counts)


def tell_first_to_act(hand, number, step, posted, counts):
    """PokerKit opens left of the largest sum posted, we left of the big blind or straddle, paid in full or not; and
    heads-up with equal blinds it opens with the big blind."""
    if number > 0:
        return
    count = len(hand["stacks"])
    blinds = forced(hand, "blinds")
    last_blind = max(range(count), key=lambda i: (blinds[i], -i) if count == 2 else (blinds[i], i))
    if step["player"] in first_players_left_of(hand, last_blind):
        if posted[last_blind] < blinds[last_blind]:
            counts["short blind (a blind posted short counts in full; PokerKit counts what was posted)"] += 1
            raise OtherWay
        if count == 2 and blinds[0] == blinds[1]:
            counts["equal blinds heads-up (TDA 34: the button acts first; PokerKit: the big blind)"] += 1
            raise OtherWay


def first_players_left_of(hand, index):
    """The first player left of `index` with chips after his antes and blinds."""
    count = len(hand["stacks"])
    antes, blinds = forced(hand, "antes"), forced(hand, "blinds")
    order = [(index + step) % count for step in range(1, count + 1)]
    return [i for i in order if hand["stacks"][i] > antes[i] + abs(blinds[i])][:1]


verify_amount = State.verify_completion_betting_or_raising_to


def raise_beyond_pokerkit(amount):
    """Lets the next raise pass whose amount the model has approved."""
    State.verify_completion_betting_or_raising_to = lambda self, given=None: amount


def tell(state, hand, tda, step, theirs, posted, short_level):
    """The class of a difference, if the model of the TDA rules says what the engine says."""
    player = state.actor_index
    if step["call"] != tda.call(state, player) or step["raise"] != tda.raise_range(state, player, posted):
        return None
    if tda.preflop and short_level:
        return "short blind (a blind posted short counts in full; PokerKit counts what was posted)"
    if step["call"] != state.checking_or_calling_amount:
        return None
    ours = step["raise"]
    if (ours is None) != (theirs is None):
        if player not in tda.acted:
            return None
        return "re-opening (TDA 47: a full raise since one's last action; PokerKit counts otherwise)"
    if tda.preflop and tda.straddle and ours[0] > theirs[0] and ours[1] == theirs[1]:
        return "straddle (a raise is at least the straddle; PokerKit: the least bet)"
    if hand["pot_limit"] and tda.preflop and tda.blinds_short(posted):
        return "dead or short blind in pot-limit (TDA 54-B: counts in full)"
    return None


def main():
    counts, hands, failures, cut = Counter(), 0, 0, 0
    decisions, engine_seconds = 0, 0.0
    for line in sys.stdin:
        hand = json.loads(line)
        if "engine_seconds" in hand:
            engine_seconds = hand["engine_seconds"]
            continue
        hands += 1
        decisions += len(hand["steps"])
        try:
            play(hand, counts)
        except OtherWay:
            cut += 1
        except (Unexpected, ValueError, AssertionError) as error:
            failures += 1
            if failures <= 20:
                print(f"hand {hand['hand']}: {error!r}\n{hand['phh']}", file=sys.stderr)
        finally:
            State.verify_completion_betting_or_raising_to = verify_amount
    json.dump(
        {
            "hands": hands,
            "decisions": decisions,
            "failures": failures,
            "cut": cut,
            "classes": dict(counts),
            "pokerkit_seconds": Clock.seconds,
            "engine_seconds": engine_seconds,
        },
        sys.stdout,
    )
    print()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
