"""What is said for an agent, and when; without a network."""

import json
import unittest
from collections import deque
from typing import Any

from cardhouse import Banished, Call, Check, Declined, Fold, Mismatch, NoSeat, RaiseTo, Refused
from cardhouse.client import RESYNCS
from cardhouse.player import Ask, Player, Wishes
from cardhouse.reading import Object

from .test_client import welcome
from .test_table import keyframe

CARDS: Object = {"t": "private", "room": "t1", "epoch": 3, "seq": 1041, "private": {"hand": 17, "cards": ["As", "Td"]}}
TURN: Object = {"turn": 1, "seat": 0, "deadline_ms": 15_000, "call": 1, "raise": {"min": 4, "max": 200, "bet": False}}


class Sitting:
    """A player at the table of the document, as ann, whose turn it is: 1 to call, raises from 4 to 200, 15 s and a time bank of 30 s."""

    def __init__(self, seated: bool = True, wishes: Wishes = Wishes(table="t1"), state: Object | None = None) -> None:
        self.now, self.seq = 0.0, 1041
        self.player = Player("token", wishes, 0.0)
        self.player.client.connected(0.0)
        self.hear(welcome(views=True))
        self.poll()
        if state is None:
            state = keyframe()
            state["hand"]["turn"] = TURN
        if not seated:
            state["seats"][0] = None
            state["hand"] = None
        self.hear({"t": "keyframe", "room": "t1", "epoch": 3, "seq": 1041, "kind": "table", "state": state})
        self.said()
        if seated:
            self.hear(CARDS)

    def hear(self, message: Object) -> None:
        self.without_pong(message)
        self.answer_pings()

    def without_pong(self, message: Object) -> None:
        self.player.heard(self.player.client.receive(json.dumps(message), self.now), self.now)

    def answer_pings(self) -> None:
        told = [json.loads(text) for text in self.player.client.outgoing]
        self.player.client.outgoing = deque(json.dumps(message) for message in told if message["t"] != "ping")
        for message in told:
            if message["t"] == "ping":
                self.without_pong({"t": "pong", "at": message["at"], "now_ms": round(self.now * 1000)})

    def frame(self, *events: Object) -> None:
        self.seq += 1
        self.hear({"t": "frame", "room": "t1", "epoch": 3, "seq": self.seq, "events": list(events)})

    def poll(self) -> Ask | None:
        return self.player.poll(self.now)

    def ask(self) -> Ask:
        ask = self.poll()
        assert ask is not None, "the agent is asked"
        return ask

    def answer(self, ask: Ask, answer: object) -> None:
        self.player.answered(ask, answer, self.now)

    def said(self) -> list[Any]:
        told = [json.loads(text) for text in self.player.client.outgoing]
        self.player.client.outgoing.clear()
        return [message for message in told if message["t"] == "do"]

    def does(self) -> Object:
        """The one command that was said, after a poll that asks nothing."""
        assert self.poll() is None, "the agent is not asked"
        [message] = self.said()
        self.n: int = message["n"]
        did: Object = message["do"]
        return did

    def ack(self) -> None:
        self.hear({"t": "ack", "n": self.n, "room": "t1", "epoch": 3, "seq": self.seq})

    def refuse(self, code: str, **more: object) -> None:
        self.hear({"t": "refused", "n": self.n, "room": "t1", "code": code, "message": code, **more})


def act(kind: str, to: int | None = None) -> Object:
    return {"a": "act", "hand": 17, "turn": 1, "kind": kind, "to": to}


class Turns(unittest.TestCase):
    def test_the_agent_is_asked_once_and_its_answer_said_once(self) -> None:
        sitting = Sitting()
        ask = sitting.ask()
        hand = ask.hand
        self.assertEqual((hand.cards, hand.to_call, hand.min_raise_to, hand.max_raise_to, hand.pot), (("As", "Td"), 1, 4, 200, 3))
        self.assertEqual((hand.stack, hand.opponents, hand.street, hand.board), (199, (1,), "preflop", ()))
        self.assertFalse(hand.events_complete, "the hand was on already")
        self.assertIsNone(sitting.poll())
        sitting.answer(ask, RaiseTo(8))
        self.assertEqual(sitting.does(), act("raise", 8))
        self.assertIsNone(sitting.poll())
        sitting.frame({"e": "acted", "seat": 0, "kind": "raise", "amount": 7, "to": 8, "all_in": False, "timeout": False})
        sitting.ack()
        self.assertIsNone(sitting.poll())
        report = sitting.player.report
        self.assertEqual((sitting.said(), report.acted, report.illegal, report.late), ([], 1, 0, 0))

    def test_each_answer_is_said_in_the_words_of_the_protocol(self) -> None:
        for answer, legal, told in [
            (Fold(), TURN, act("fold")),
            (Call(), TURN, act("call")),
            (Check(), {**TURN, "call": None}, act("check")),
            (RaiseTo(200), TURN, act("raise", 200)),
            (RaiseTo(4), {**TURN, "call": None, "raise": {"min": 4, "max": 200, "bet": True}}, act("bet", 4)),
        ]:
            state = keyframe()
            state["hand"]["turn"] = legal
            sitting = Sitting(state=state)
            sitting.answer(sitting.ask(), answer)
            self.assertEqual(sitting.does(), told)

    def test_an_illegal_answer_is_asked_for_once_more_and_then_folded_for(self) -> None:
        for wrong in (Check(), RaiseTo(3), RaiseTo(201), RaiseTo(4.0), RaiseTo(True), "fold", None, ValueError("oh")):  # type: ignore[arg-type]
            with self.subTest(wrong):
                sitting = Sitting()
                sitting.answer(sitting.ask(), wrong)
                again = sitting.ask()
                assert again.hand.refusal is not None
                self.assertEqual(again.hand.refusal.code, "failed" if isinstance(wrong, ValueError) else "illegal")
                self.assertEqual(sitting.said(), [])
                sitting.answer(again, wrong)
                self.assertEqual(sitting.does(), act("fold"))
                sitting.ack()
                report = sitting.player.report
                self.assertEqual((report.illegal + report.failed, report.defaulted, report.acted), (2, 1, 0))

    def test_who_mends_an_answer_is_not_folded_for(self) -> None:
        sitting = Sitting()
        sitting.answer(sitting.ask(), Check())
        sitting.answer(sitting.ask(), Call())
        self.assertEqual(sitting.does(), act("call"))
        sitting.ack()
        self.assertEqual((sitting.player.report.illegal, sitting.player.report.defaulted, sitting.player.report.acted), (1, 0, 1))

    def test_what_the_table_finds_illegal_is_asked_for_with_what_it_says_is_legal(self) -> None:
        sitting = Sitting()
        sitting.answer(sitting.ask(), RaiseTo(8))
        sitting.does()
        legal = {"hand": 17, "turn": {**TURN, "raise": {"min": 10, "max": 200, "bet": False}}}
        sitting.refuse("illegal", legal=legal)
        again = sitting.ask()
        assert again.hand.refusal is not None
        self.assertEqual((again.hand.refusal.code, again.hand.min_raise_to), ("illegal", 10))
        sitting.answer(again, RaiseTo(10))
        self.assertEqual(sitting.does(), act("raise", 10))
        sitting.refuse("illegal", legal=legal)
        self.assertEqual(sitting.does(), act("fold"))
        sitting.refuse("illegal", legal=legal)
        self.assertIsNone(sitting.poll())
        self.assertEqual(sitting.said(), [], "then it is the clock's")

    def test_who_does_not_answer_is_checked_or_folded_for_before_the_clock_does(self) -> None:
        for call, told in ((1, "fold"), (None, "check")):
            state = keyframe()
            state["hand"]["turn"] = {**TURN, "call": call}
            sitting = Sitting(state=state)
            ask = sitting.ask()
            self.assertEqual(ask.hand.due, 44.5, "the turn, the time bank, and what the way takes")
            sitting.now = sitting.player.deadline()
            while sitting.now < 44.5:
                self.assertIsNone(sitting.poll())
                sitting.hear({"t": "pong", "at": 0, "now_ms": round(sitting.now * 1000)})
                self.assertEqual(sitting.said(), [])
                sitting.now = sitting.player.deadline()
            self.assertEqual(sitting.does(), act(told))
            sitting.answer(ask, RaiseTo(8))
            self.assertIsNone(sitting.poll())
            self.assertEqual(sitting.said(), [], "too late")
            sitting.ack()
            report = sitting.player.report
            self.assertEqual((report.late, report.defaulted, report.acted), (1, 1, 0))

    def test_a_turn_of_the_past_is_nobodys(self) -> None:
        """What a house has kept comes one after the other: nothing is said before all of it has."""
        sitting = Sitting()
        ask = sitting.ask()
        sitting.player.client.disconnected()
        sitting.player.client.connected(1.0)
        sitting.now = 1.0
        sitting.said()
        sitting.without_pong(welcome())
        acted = {"e": "acted", "seat": 0, "kind": "call", "amount": 1, "to": 2, "all_in": False, "timeout": False}
        turn = {"e": "turn", **TURN, "turn": 2, "call": None}
        sitting.seq += 1
        sitting.without_pong({"t": "frame", "room": "t1", "epoch": 3, "seq": sitting.seq, "events": [acted, turn]})
        self.assertIsNone(sitting.poll(), "it may be over")
        sitting.answer(ask, Call())
        self.assertIsNone(sitting.poll())
        self.assertEqual([message for message in map(json.loads, sitting.player.client.outgoing) if message["t"] == "do"], [])
        sitting.answer_pings()
        self.assertEqual(sitting.ask().hand.turn, 2)

    def test_a_time_bank_that_runs_says_how_long(self) -> None:
        sitting = Sitting()
        ask = sitting.ask()
        sitting.now = 15.0
        sitting.frame({"e": "bank", "seat": 0, "deadline_ms": 20_000})
        self.assertIsNone(sitting.poll())
        self.assertEqual(ask.hand.due, 19.5)

    def test_an_answer_to_a_turn_that_is_over_is_late_and_not_said(self) -> None:
        sitting = Sitting()
        ask = sitting.ask()
        sitting.frame({"e": "acted", "seat": 0, "kind": "fold", "amount": 0, "to": 1, "all_in": False, "timeout": True})
        sitting.poll()
        sitting.answer(ask, Call())
        self.assertIsNone(sitting.poll())
        self.assertEqual((sitting.said(), sitting.player.report.late), ([], 1))

    def test_a_turn_that_is_over_by_the_clock_is_not_asked_for(self) -> None:
        """Behind an old keyframe come frames that say what became of it."""
        sitting = Sitting()
        sitting.now = 60.0
        self.assertIsNone(sitting.poll())

    def test_a_busy_table_is_told_again_with_a_new_number(self) -> None:
        for code in ("too_fast", "busy", "unavailable", "forgotten", "stale_n"):
            sitting = Sitting()
            sitting.answer(sitting.ask(), Call())
            sitting.does()
            before = sitting.n
            sitting.refuse(code, retry_after_ms=700)
            self.assertIsNone(sitting.poll())
            self.assertEqual((sitting.said(), sitting.player.deadline()), ([], 0.7))
            sitting.now = 0.7
            self.assertEqual(sitting.does(), act("call"))
            self.assertGreater(sitting.n, before)

    def test_a_table_that_refuses_for_ever_is_left_to_the_clock(self) -> None:
        sitting, said = Sitting(), 0
        sitting.answer(sitting.ask(), Call())
        for _ in range(50):
            sitting.poll()
            for message in sitting.said():
                said, sitting.n = said + 1, message["n"]
                sitting.refuse("busy", retry_after_ms=0)
        self.assertLessEqual(said, 6)

    def test_an_answer_on_its_way_when_the_session_is_forgotten_is_said_in_the_new_one(self) -> None:
        sitting = Sitting()
        sitting.answer(sitting.ask(), Call())
        sitting.does()
        sitting.player.client.connected(1.0)
        sitting.hear(welcome("00000000000000ff"))
        self.assertEqual(sitting.does(), act("call"))

    def test_boards_are_chosen_once(self) -> None:
        sitting = Sitting()
        sitting.frame(
            {"e": "acted", "seat": 0, "kind": "call", "amount": 1, "to": 2, "all_in": False, "timeout": False},
            {"e": "runs_offered", "max": 3, "seats": [0, 1], "deadline_ms": 10_000},
        )
        ask = sitting.ask()
        self.assertEqual(ask.most, 3)
        self.assertIsNone(sitting.poll())
        sitting.answer(ask, 4)
        self.assertEqual([message["do"] for message in sitting.said()], [{"a": "runs", "hand": 17, "boards": 1}])


def over(stack: int) -> list[Object]:
    """Ann loses all but so many chips to bob."""
    lost = 199 - stack
    return [
        {"e": "acted", "seat": 0, "kind": "raise", "amount": lost, "to": lost + 1, "all_in": stack == 0, "timeout": False},
        {"e": "collected", "pots": [{"amount": lost + 3, "seats": [0, 1]}]},
        {"e": "won", "seat": 1, "pot": 0, "amount": lost + 3, "run": 0},
        {"e": "hand_ended", "hand": 17, "next_ms": 1_000, "hands": []},
    ]


class Seats(unittest.TestCase):
    def test_a_seat_is_asked_for_with_a_hundred_big_blinds(self) -> None:
        sitting = Sitting(seated=False)
        self.assertEqual(sitting.does(), {"a": "sit", "seat": None, "buy_in": 200, "wait_for_big_blind": False})
        sitting.frame({"e": "seated", "seat": 0, "user": "ann", "name": "Ann", "bot": False, "stack": 200, "status": "playing", "bank_ms": 0})
        sitting.ack()
        self.assertIsNone(sitting.poll())
        self.assertEqual((sitting.player.report.brought, sitting.player.report.seats, sitting.said()), (200, 1, []))

    def test_what_a_table_wants_back_is_brought(self) -> None:
        sitting = Sitting(seated=False)
        sitting.does()
        sitting.refuse("left_with_more", legal={"hand": 17, "turn": None, "buy_in": {"min": 812, "max": 812}})
        sitting.now = sitting.player.deadline()
        self.assertEqual(sitting.does()["buy_in"], 812)

    def test_no_seat_ends_it_at_a_table_that_was_named_and_leads_on_from_another(self) -> None:
        sitting = Sitting(seated=False)
        sitting.does()
        sitting.refuse("no_seat")
        self.assertIsInstance(sitting.player.failure, NoSeat)

        player = Player("token", Wishes(), 0.0)
        player.client.connected(0.0)

        def hear(message: Object) -> None:
            player.heard(player.client.receive(json.dumps(message), 0.0), 0.0)

        hear(welcome(views=True))
        player.poll(0.0)
        self.assertIn('"view": {"kind": "table", "free": 1', player.client.outgoing[-1])
        rows = [{"room": name, "kind": kind, "seats": 6, "taken": taken} for name, kind, taken in [("s1", "sng", 0), ("t1", "table", 6), ("t2", "table", 5)]]
        hear({"t": "lobby", "v": 1, "rows": rows})
        self.assertEqual(player.room, "t2")

    def test_refusals_that_do_not_pass_end_it(self) -> None:
        for code, error in (("not_let_in", Refused), ("play_time_used", Refused), ("other_session", Banished), ("bad_command", Mismatch)):
            sitting = Sitting(seated=False)
            sitting.does()
            sitting.refuse(code)
            self.assertIsInstance(sitting.player.failure, error, code)

    def test_who_is_broke_buys_in_again_and_comes_back(self) -> None:
        sitting = Sitting()
        sitting.frame(*over(0))
        self.assertEqual(sitting.does(), {"a": "top_up", "amount": 80})
        sitting.frame({"e": "topped_up", "seat": 0, "amount": 80}, {"e": "status", "seat": 0, "status": "sitting_out"})
        sitting.ack()
        self.assertEqual(sitting.does(), {"a": "come_back", "wait_for_big_blind": False})
        self.assertEqual(sitting.player.report.brought, 80)

    def test_who_may_not_buy_in_again_leaves_and_who_tops_up_does_so_after_each_hand(self) -> None:
        sitting = Sitting(wishes=Wishes(table="t1", rebuy="never"))
        sitting.frame(*over(0))
        self.assertEqual((sitting.does(), sitting.player.stopping), ({"a": "leave"}, "broke"))

        sitting = Sitting(wishes=Wishes(table="t1", rebuy="always", buy_in=150))
        sitting.player._bring = 150
        sitting.frame(*over(100))
        self.assertEqual(sitting.does(), {"a": "top_up", "amount": 50})
        sitting.refuse("bad_amount")
        sitting.now = 10.0
        self.assertIsNone(sitting.poll())
        self.assertEqual(sitting.said(), [], "once after each hand")

    def test_chips_that_do_not_come_end_it(self) -> None:
        sitting = Sitting(seated=False)
        sitting.does()
        sitting.frame({"e": "reserved", "seat": 0, "user": "ann", "name": "Ann"})
        sitting.ack()
        self.assertIsNone(sitting.poll())
        self.assertEqual(sitting.said(), [], "the seat waits")
        sitting.frame({"e": "freed", "seat": 0})
        sitting.hear({**CARDS, "seq": sitting.seq, "private": {"hand": 0, "cards": [], "declined": {"amount": 200, "code": "insufficient"}}})
        self.assertIsInstance(sitting.player.failure, Declined)

    def test_who_stops_plays_the_hand_and_leaves(self) -> None:
        sitting = Sitting()
        sitting.player.stop()
        sitting.answer(sitting.ask(), RaiseTo(100))
        self.assertEqual(sitting.does(), act("raise", 100))
        sitting.frame(*over(100))
        sitting.ack()
        self.assertEqual(sitting.does(), {"a": "leave"})
        sitting.frame({"e": "left", "seat": 0, "stack": 100})
        sitting.ack()
        self.assertIsNone(sitting.poll())
        self.assertEqual((sitting.player.done, sitting.player.report.took, sitting.player.report.hands), (True, 100, 1))

    def test_a_hand_is_told_with_what_was_won_and_how_it_went(self) -> None:
        sitting = Sitting()
        sitting.frame(*over(150))
        self.assertIsNone(sitting.player.results[-1].net, "its beginning was not seen")
        sitting.frame(
            {"e": "hand_started", "hand": 18, "button": 0, "seats": [1, 0]},
            {"e": "posted", "seat": 0, "blind": "small", "amount": 1},
            {"e": "posted", "seat": 1, "blind": "big", "amount": 2},
            {"e": "turn", **TURN, "deadline_ms": 90_000},
        )
        sitting.hear({**CARDS, "seq": sitting.seq, "private": {"hand": 18, "cards": ["2c", "7d"]}})
        ask = sitting.ask()
        self.assertTrue(ask.hand.events_complete)
        self.assertEqual([(event.kind, event.to) for event in ask.hand.events], [("small", 1), ("big", 2)])
        sitting.frame(
            {"e": "acted", "seat": 0, "kind": "fold", "amount": 0, "to": 1, "all_in": False, "timeout": False},
            {"e": "returned", "seat": 1, "amount": 1},
            {"e": "collected", "pots": [{"amount": 2, "seats": [1]}]},
            {"e": "won", "seat": 1, "pot": 0, "amount": 2, "run": 0},
            {"e": "hand_ended", "hand": 18, "next_ms": 1_000, "hands": []},
            {"e": "topped_up", "seat": 0, "amount": 50},
        )
        result = sitting.player.results[-1]
        self.assertEqual((result.net, result.cards, result.events[-1].kind), (-1, ("2c", "7d"), "fold"))

    def test_a_table_that_closes_ends_it(self) -> None:
        sitting = Sitting(seated=False)
        sitting.hear({"t": "unwatched", "room": "t1"})
        self.assertEqual((sitting.player.done, sitting.player.stopping), (True, "closed"))

    def test_a_seat_that_another_session_plays_is_left_to_it(self) -> None:
        sitting = Sitting()
        sitting.hear({"t": "notice", "room": "t1", "code": "taken_over", "message": "elsewhere"})
        self.assertIsInstance(sitting.player.failure, Banished)

    def test_a_table_whose_story_never_fits_is_given_up(self) -> None:
        sitting = Sitting()
        for again in range(RESYNCS + 2):
            sitting.frame({"e": "left", "seat": 0, "stack": 1})
            self.assertIs(sitting.player.failure is None, again <= RESYNCS)
            sitting.player.client.connected(0.0)
            sitting.hear(welcome())
            sitting.poll()
            sitting.seq += 1
            sitting.hear({"t": "keyframe", "room": "t1", "epoch": 3, "seq": sitting.seq, "kind": "table", "state": keyframe()})
            sitting.poll()
        self.assertIsInstance(sitting.player.failure, Mismatch)


if __name__ == "__main__":
    unittest.main()
