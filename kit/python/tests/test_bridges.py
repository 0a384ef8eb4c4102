"""Each bridge plays a thousand hands, and is held against the engine's own record of them."""

import os
import random
import re
import socket
import threading
import unittest
from collections.abc import Iterator
from typing import Any

from cardhouse import Action, Agent, Call, Check, Fold, Hand, RaiseTo, acpc
from cardhouse.hand import Result
from cardhouse.lockstep import Deal, Engine, Refused

HANDS = 1_000


class Chancy(Agent):
    """Any legal action; raises of any size, not too often, so that hands of all lengths are there."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def act(self, hand: Hand) -> Action:
        which = self._chance.random()
        if which < 0.15 and not hand.can_check:
            return Fold()
        if which < 0.45 and hand.limits:
            size = self._chance.choice([hand.limits.min, hand.limits.max, self._chance.randint(hand.limits.min, hand.limits.max), hand.limits.min + 3])
            return hand.raise_to(size)
        return hand.passive()


class Caller(Agent):
    def act(self, hand: Hand) -> Action:
        return hand.passive()


def record_of(deal: Deal) -> dict[str, list[str]]:
    """What the engine has written down of a hand: PHH's words, by field. `seats` are counted from 1, in the record's order of players."""
    found = dict(re.findall(r"^(\w+) = (.*)$", deal.record, re.M))
    words = {name: [text or number for text, number in re.findall(r"'([^']*)'|(?<![\w'])(-?\d+)", value)] for name, value in found.items()}
    return {"seats": [str(seat + 1) for seat in range(len(deal.stacks))], **words}


class Bridges(unittest.TestCase):
    def setUp(self) -> None:
        self.engine = Engine(os.environ.get("CARDHOUSE_LOCKSTEP"))
        self.addCleanup(self.engine.close)

    def hands(self, players: int, count: int = HANDS, stack: int = 200) -> Iterator[tuple[Deal, int, Chancy, random.Random]]:
        chance = random.Random(players)
        for number in range(count):
            deal = self.engine.deal([stack] * players, number % players, 1, 2, seed=chance.randbytes(32).hex(), record=True)
            yield deal, number, Chancy(number), chance

    def test_the_engine_refuses_what_is_not_legal_and_changes_nothing(self) -> None:
        deal = self.engine.deal([200, 200], 0, 1, 2, seed="07" * 32)
        before = deal.seen
        for wrong in (Check(), RaiseTo(3), RaiseTo(201)):
            with self.assertRaises(Refused):
                deal.act(wrong)
        self.assertEqual(deal.seen, before)
        for seed, deck in (("07", None), (None, ["As", "As"]), (None, ["1x"])):
            with self.assertRaises(Refused):
                self.engine.deal([200, 200], 0, 1, 2, seed=seed, deck=deck)
        with self.assertRaises(ValueError):
            self.engine.deal([200, 200], 0, 1, 2)
        deal = self.engine.deal([200, 200], 0, 1, 2, deck=["As", "Kd", "Ah", "Kc"])
        self.assertEqual(deal.hole, [("Kd", "Kc"), ("As", "Ah")], "dealt one at a time from the left of the button")

    def test_hands_are_told_as_the_record_has_them(self) -> None:
        """What an agent sees in lockstep: cards, actions, and what was won."""
        for players in (2, 3, 6):
            for deal, number, agent, _ in self.hands(players, HANDS // 3):
                while (seat := deal.seat) is not None:
                    hand = deal.hand(seat, number)
                    self.assertEqual(hand.pot + sum(other.stack for other in hand.seats if other), 200 * players)
                    deal.act(agent.act(hand))
                record = record_of(deal)
                order = [int(one) - 1 for one in record["seats"]]
                acted = [(order[int(who) - 1], what) for who, what in re.findall(r"p(\d+) (f|cc|cbr \d+)", " ".join(f"{one};" for one in record["actions"]))]
                told = [(event.seat, {"fold": "f", "check": "cc", "call": "cc"}.get(event.kind, f"cbr {event.to}")) for event in deal.events[2:]]
                self.assertEqual(told, acted)
                board = "".join(one.split()[2] for one in record["actions"] if one.startswith("d db"))
                self.assertEqual("".join(deal.board), board)
                hole = {order[int(one.split()[2][1:]) - 1]: one.split()[3] for one in record["actions"] if one.startswith("d dh")}
                self.assertEqual({seat: "".join(cards) for seat, cards in enumerate(deal.hole)}, hole)
                finished = {seat: int(chips) for seat, chips in zip(order, record["finishing_stacks"])}
                self.assertEqual(deal.net, [finished[seat] - 200 for seat in range(players)])

    def test_acpc_lines_tell_the_record(self) -> None:
        """A line is read by rules of its own, and what it says is what the engine has written down."""
        for players in (2, 3):
            for deal, number, agent, _ in self.hands(players, HANDS // 2):
                while (seat := deal.seat) is not None:
                    hand = deal.hand(seat, number)
                    does = agent.act(hand)
                    self.assertEqual(acpc.action(hand, acpc.told(hand, does)), does)
                    line = acpc.matchstate(hand)
                    _, position, told_number, _, cards = line.split(":")
                    self.assertEqual((int(told_number), cards.split("/")[0].split("|")[int(position)]), (number, "".join(hand.cards)))
                    self.assertEqual(sum(map(bool, cards.split("/")[0].split("|"))), 1, "own cards alone")
                    deal.act(does)
                result = Result("t", number, 0, deal.net[0], 0, deal.hole[0], (deal.board,), {}, tuple(range(players)), tuple(deal.events), True)
                self.assertEqual(totals(acpc.final(result).split(":")[3], players), self.put_in(deal))

    def test_a_player_of_the_competition_plays_as_an_agent(self) -> None:
        """A program that connects, as those of the competition do, and calls everything but now and then raises."""
        agent, heard = acpc.AcpcAgent(), []

        def player() -> None:
            with socket.create_connection(("127.0.0.1", agent.port)) as link, link.makefile("rw", newline="\r\n") as lines:
                lines.write("VERSION:2.0.0\r\n")
                for line in lines:
                    heard.append(line.strip())
                    told = heard[-1].split(":")[3]
                    does = "r8" if told == "" else "c"
                    lines.write(f"{heard[-1]}:{does}\r\n")
                    lines.flush()

        playing = threading.Thread(target=player)
        playing.start()
        net = self.engine.match([agent, Chancy(1)], 200, seed=1)
        agent.close()
        playing.join(timeout=10)
        self.assertEqual(sum(net), 0)
        self.assertGreater(len(heard), 200)
        # The button is small blind and position 1: it opens, to 8 in all.
        self.assertTrue(any(re.fullmatch(r"MATCHSTATE:1:\d+::\|(..){2}", line) for line in heard))
        self.assertTrue(any(re.match(r"MATCHSTATE:1:\d+:r8c/", line) for line in heard))

    def put_in(self, deal: Deal) -> list[int]:
        """By the record: what each has put in, by its order of players (from the small blind; heads-up from the big one), before what nobody called goes back."""
        record = record_of(deal)
        players = len(deal.stacks)
        spent, street = [0] * players, [0] * players
        street[0], street[1] = (2, 1) if players == 2 else (1, 2)
        for one in record["actions"]:
            if one.startswith("d db"):
                spent, street = [a + b for a, b in zip(spent, street)], [0] * players
            elif match := re.match(r"p(\d+) (cc|cbr (\d+))", one):
                who = int(match[1]) - 1
                street[who] = int(match[3]) if match[3] else max(street)
        return [a + b for a, b in zip(spent, street)]


def totals(betting: str, players: int) -> list[int]:
    """What the betting of a MATCHSTATE line has each position put in: by the competition's rules, blinds 1 and 2."""
    spent = [2, 1] if players == 2 else [1, 2] + [0] * (players - 2)
    folded: set[int] = set()
    for at, street in enumerate(betting.split("/")):
        who = (1 if players == 2 else 2 % players) if at == 0 else 0
        for does, to in re.findall(r"([fcr])(\d*)", street):
            while who in folded or spent[who] == 200:
                who = (who + 1) % players
            if does == "f":
                folded.add(who)
            elif does == "c":
                spent[who] = max(spent)
            else:
                spent[who] = int(to)
            who = (who + 1) % players
    return spent


class Gym(unittest.TestCase):
    def test_a_thousand_episodes_pay_what_the_record_says(self) -> None:
        import numpy as np
        from gymnasium.utils.env_checker import check_env

        from cardhouse.gym import HoldemEnv

        with Engine(os.environ.get("CARDHOUSE_LOCKSTEP")) as engine:
            for players in (2, 4):
                env = HoldemEnv(engine, [Chancy(at) for at in range(players - 1)])
                check_env(HoldemEnv(engine, [Caller()] * (players - 1)), skip_render_check=True)
                chance = np.random.default_rng(players)
                for episode in range(HANDS // 2):
                    seen, info = env.reset(seed=episode, options={"record": True})
                    over, reward = False, 0.0
                    while not over:
                        self.assertTrue(env.observation_space.contains(seen))
                        self.assertEqual(int(seen[:52].sum()), 2)
                        action = chance.choice(np.flatnonzero(info["action_mask"]))
                        seen, reward, over, _, info = env.step(action)
                    assert env.deal is not None
                    record = record_of(env.deal)
                    order = [int(one) - 1 for one in record["seats"]]
                    self.assertEqual(reward, (int(record["finishing_stacks"][order.index(0)]) - 200) / 2)


class OpenSpiel(unittest.TestCase):
    def test_a_thousand_hands_are_the_same_game_there(self) -> None:
        """OpenSpiel judges by rules of its own: whose turn, what may be raised, the competition's line, and who wins what."""
        from cardhouse import openspiel

        with Engine(os.environ.get("CARDHOUSE_LOCKSTEP")) as engine:
            for players in (2, 3):
                chance = random.Random(players)
                for number in range(HANDS // 2):
                    deal = engine.deal([200] * players, number % players, 1, 2, seed=chance.randbytes(32).hex())
                    agent, known = Chancy(number), dict(enumerate(deal.hole))
                    state, seats = None, []
                    while (seat := deal.seat) is not None:
                        hand = deal.hand(seat, number)
                        seats = acpc.positions(hand)
                        state = openspiel.state(hand, known=known, chance=chance)
                        self.assertEqual(state.current_player(), seats.index(seat))
                        may = state.legal_actions()
                        raises = [one for one in may if one > 1]
                        before = acpc.spent_before(hand.events, seat, hand.street)
                        limits = (hand.limits.min + before, hand.limits.max + before) if hand.limits else None
                        self.assertEqual((raises[0], raises[-1]) if raises else None, limits)
                        self.assertIn(f"STATE:0:{acpc.betting(hand.events, hand.street)}:", str(state))
                        does = agent.act(hand)
                        self.assertEqual(openspiel.action(hand, openspiel.number(hand, does)), does)
                        deal.act(does)
                    assert state is not None
                    state.apply_action(openspiel.number(hand, does))
                    for card in deal.board[len(hand.board) :]:
                        state.apply_action(openspiel.CARDS.index(card))
                    self.assertTrue(state.is_terminal())
                    # An odd chip is halved there.
                    differ = [abs(state.returns()[seats.index(seat)] - deal.net[seat]) for seat in range(players)]
                    self.assertLess(max(differ), 1)
                    if not any(state.returns()[at] % 1 for at in range(players)):
                        self.assertEqual(max(differ), 0)


class Rlcard(unittest.TestCase):
    def test_a_thousand_hands_are_the_same_game_there(self) -> None:
        """RLCard plays the same cards by its own rules, three-handed, where they are poker's: states, turns, and what is won. Raises are such as both allow."""
        from rlcard.games.base import Card
        from rlcard.games.nolimitholdem import Game
        from rlcard.games.nolimitholdem.round import Action as Move

        from cardhouse import rlcard

        with Engine(os.environ.get("CARDHOUSE_LOCKSTEP")) as engine:
            chance = random.Random(3)
            for number in range(HANDS):
                # Its button deals from the seat behind it, ours too; cards are counted from the first player there and from the small blind here.
                deal = engine.deal([100] * 3, number % 3, 1, 2, seed=chance.randbytes(32).hex(), record=True)
                game = Game(num_players=3)
                game.configure({"game_num_players": 3, "chips_for_each": 100, "dealer_id": number % 3})
                game.init_game()

                def theirs(cards: tuple[str, ...]) -> list[Any]:
                    return [Card(one[1].upper(), one[0]) for one in cards]

                for player, cards in zip(game.players, deal.hole):
                    player.hand = theirs(cards)
                while (seat := deal.seat) is not None:
                    hand = deal.hand(seat, number)
                    told, state = rlcard.state(hand), game.get_state(seat)
                    self.assertEqual(game.game_pointer, seat)
                    for field in ("hand", "public_cards", "all_chips", "my_chips", "legal_actions", "stakes", "current_player", "pot", "stage"):
                        self.assertEqual(told["raw_obs"][field], state[field], field)
                    sizes = rlcard.sizes(hand)
                    both = [move for move in state["legal_actions"] if move not in sizes or rlcard.action(hand, move) == RaiseTo(sizes[move])]
                    weights = [{Move.FOLD: 1.0 if not hand.can_check else 0.0, Move.CHECK_CALL: 6.0, Move.ALL_IN: 0.5}.get(move, 1.5) for move in both]
                    [move] = chance.choices(both, weights)
                    deal.act(rlcard.action(hand, move))
                    game.step(move)
                    # What it has dealt, as it was dealt here.
                    game.public_cards = theirs(deal.board[: len(game.public_cards)])
                self.assertTrue(game.is_over())
                is_split = sum(won != "0" for won in record_of(deal)["winnings"]) > 1
                for payoff, net in zip(game.get_payoffs(), deal.net):
                    # It gives odd chips to another.
                    self.assertLessEqual(abs(payoff - net), 2 if is_split else 0, deal.events)


if __name__ == "__main__":
    unittest.main()
