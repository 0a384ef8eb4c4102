"""The client's rule, repeats, and whether the house is there; without a network."""

import json
import unittest

from cardhouse.client import HURRIED_S, SILENT_AFTER_S, Acked, Client, Moved, Nothing, RefusedCommand, Welcome
from cardhouse.comeback import NEVER, NEW_TOKEN, RESTART, SESSION_TAKEN, SOME_SECONDS
from cardhouse.reading import Object
from cardhouse.table import Table

from . import document
from .test_table import keyframe

SESSION = "00c0ffee00c0ffee"


def welcome(session: str = SESSION, **more: object) -> Object:
    return {"t": "welcome", "user": "ann", "name": "Ann", "session": session, "now_ms": 0, "expires_ms": 3_600_000, "idle_ms": 30_000, **more}


class Talk:
    """A client and what it says."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.client = Client("token", self._observe, 0.0)

    def _observe(self, room: str, table: Table, event: Object) -> None:
        self.events.append(event["e"])

    def said(self) -> list[Object]:
        told = [json.loads(text) for text in self.client.outgoing]
        self.client.outgoing.clear()
        return told

    def hear(self, message: object, now: float = 0.0) -> object:
        return self.client.receive(message if isinstance(message, str) else json.dumps(message), now)

    def frame(self, epoch: int, seq: int, *events: Object) -> object:
        return self.hear({"t": "frame", "room": "t1", "epoch": epoch, "seq": seq, "events": list(events)})

    def keyframe(self, epoch: int, seq: int, stack: int = 199, **more: object) -> object:
        state = keyframe()
        state["seats"][0]["stack"] = stack
        return self.hear({"t": "keyframe", "room": "t1", "epoch": epoch, "seq": seq, "kind": "table", "state": state, **more})

    def at_table(self) -> "Talk":
        """Welcomed, and with the keyframe (3, 1041) of t1."""
        self.client.connected(0.0)
        self.hear(welcome(counts=True))
        self.client.watch("t1", 0.0)
        self.keyframe(3, 1041)
        self.said()
        return self

    def position(self) -> tuple[int, int]:
        room = self.client.rooms["t1"]
        return (room.epoch, room.seq)


AWAY: Object = {"e": "away", "seat": 1, "away": True}


class TheRule(unittest.TestCase):
    def test_a_frame_is_taken_once_and_in_order(self) -> None:
        talk = Talk().at_table()
        self.assertEqual(talk.frame(3, 1042, AWAY), Moved("t1"))
        self.assertEqual(talk.frame(3, 1042, AWAY), Nothing())
        self.assertEqual(talk.frame(2, 1043, AWAY), Nothing(), "of an owner that is no more")
        self.assertEqual((talk.position(), talk.events), ((3, 1042), ["away"]))

    def test_a_gap_is_mended_by_another_connection_that_goes_on_from_what_is_there(self) -> None:
        talk = Talk().at_table()
        talk.frame(3, 1043, AWAY)
        self.assertTrue(talk.client.wants_reconnect)
        self.assertEqual(talk.events, [])
        talk.client.connected(1.0)
        self.assertEqual(talk.said()[0]["resume"], {"t1": [3, 1041]})
        talk.hear(welcome())
        talk.frame(3, 1042, AWAY), talk.frame(3, 1043, AWAY)
        self.assertEqual((talk.position(), talk.events), ((3, 1043), ["away", "away"]))

    def test_what_does_not_fit_is_mended_by_a_keyframe(self) -> None:
        talk = Talk().at_table()
        talk.frame(3, 1042, {"e": "left", "seat": 0, "stack": 1})
        talk.client.connected(1.0)
        self.assertEqual(talk.said()[0]["resume"], {"t1": [0, 0]})
        talk.hear(welcome())
        self.assertEqual(talk.keyframe(3, 1042), Moved("t1", jumped=True))

    def test_a_keyframe_in_its_place_is_no_jump_and_an_older_one_is_nothing(self) -> None:
        talk = Talk().at_table()
        self.assertEqual(talk.keyframe(3, 1042), Moved("t1", jumped=False))
        self.assertEqual(talk.keyframe(4, 1043), Moved("t1", jumped=False), "another owner, nothing lost")
        self.assertEqual(talk.keyframe(3, 1050), Nothing())
        self.assertEqual(talk.keyframe(4, 1060, stack=150), Moved("t1", jumped=True))

    def test_a_later_epoch_goes_back_behind_what_was_lost(self) -> None:
        talk = Talk().at_table()
        self.assertEqual(talk.keyframe(4, 1030, stack=150), Moved("t1", jumped=True))
        self.assertEqual(talk.position(), (4, 1030))
        talk.hear({"t": "notice", "room": "t1", "code": "history_lost", "message": ""})
        talk.keyframe(4, 1029)
        self.assertEqual(talk.position(), (4, 1029), "the notice says that the next one counts wherever it stands")

    def test_cards_of_a_hand_that_is_over_are_none(self) -> None:
        talk = Talk().at_table()
        private: Object = {"t": "private", "room": "t1", "epoch": 3, "seq": 1041, "private": {"hand": 17, "cards": ["As", "Td"]}}
        talk.hear(private)
        self.assertEqual(talk.client.rooms["t1"].cards, ("As", "Td"))
        talk.hear({**private, "private": {"hand": 16, "cards": ["2c", "2d"]}})
        self.assertEqual(talk.client.rooms["t1"].cards, ())

    def test_in_a_sparse_room_numbers_may_be_missing_and_the_count_says_what_was_missed(self) -> None:
        talk = Talk().at_table()
        talk.keyframe(3, 1042, sparse=True)

        def private(seq: int, k: int) -> None:
            talk.hear({"t": "private", "room": "t1", "epoch": 3, "seq": seq, "private": {"hand": 0, "cards": [], "k": k}})

        talk.frame(3, 1050, AWAY)
        for seq, k in [(1052, 7), (1055, 8), (1055, 8)]:
            private(seq, k)
        self.assertEqual((talk.position(), talk.client.wants_reconnect), ((3, 1055), False))
        private(1060, 10)
        self.assertTrue(talk.client.wants_reconnect)

    def test_a_room_of_another_kind_is_followed_and_shows_nothing(self) -> None:
        talk = Talk().at_table()
        talk.hear({"t": "keyframe", "room": "t1", "epoch": 4, "seq": 1042, "kind": "casino", "state": {"x": 1}})
        self.assertEqual(talk.frame(4, 1043, {"e": "spun"}), Moved("t1"))
        self.assertTrue(talk.client.rooms["t1"].is_other)


class Repeats(unittest.TestCase):
    def test_what_has_no_answer_is_said_again_word_for_word_and_in_order(self) -> None:
        talk = Talk().at_table()
        first, second = (talk.client.command("t1", {"a": a}, 0.0) for a in ("sit_out", "come_back"))
        before = talk.said()
        talk.frame(3, 1042, AWAY)
        self.assertEqual(talk.hear({"t": "ack", "n": first, "room": "t1", "epoch": 3, "seq": 1042}), Acked(first, "t1", {"a": "sit_out"}))
        talk.client.disconnected()
        third = talk.client.command("t1", {"a": "leave"}, 1.0)
        talk.client.connected(2.0)
        hello = talk.said()
        self.assertEqual([(message["t"], message["session"]) for message in hello], [("hello", SESSION)])
        self.assertEqual(talk.hear(welcome(counts=True)), Welcome(resumed=True))
        after = talk.said()
        self.assertEqual(after[0], {"t": "count", "n": third})
        self.assertEqual(after[1], before[1])
        self.assertEqual([message["n"] for message in after[1:-1]], [second, third])
        self.assertEqual(after[-1], {"t": "ping", "at": 0})

    def test_a_house_that_has_forgotten_the_session_gets_no_repeats(self) -> None:
        talk = Talk().at_table()
        talk.client.command("t1", {"a": "leave"}, 0.0)
        talk.client.connected(1.0)
        talk.said()
        self.assertEqual(talk.hear(welcome("00000000000000ff", counts=True)), Welcome(resumed=False))
        self.assertEqual(([message["t"] for message in talk.said()], talk.client.pending), (["ping"], {}))

    def test_an_answer_counts_once_and_only_in_its_room(self) -> None:
        talk = Talk().at_table()
        n = talk.client.command("t1", {"a": "leave"}, 0.0)
        refused: Object = {"t": "refused", "n": n, "room": "t2", "code": "late", "message": "a\x1b[2Jb"}
        self.assertEqual(talk.hear(refused), Nothing())
        heard = talk.hear({**refused, "room": "t1"})
        assert isinstance(heard, RefusedCommand)
        self.assertEqual(heard.message, "a\ufffd[2Jb", "nothing that moves a terminal's cursor")
        self.assertEqual(talk.hear({**refused, "room": "t1"}), Nothing())

    def test_an_ack_before_its_frame_means_that_something_was_missed(self) -> None:
        talk = Talk().at_table()
        n = talk.client.command("t1", {"a": "leave"}, 0.0)
        talk.hear({"t": "ack", "n": n, "room": "t1", "epoch": 3, "seq": 1050})
        self.assertTrue(talk.client.wants_reconnect)


class Silence(unittest.TestCase):
    def test_a_house_that_says_nothing_is_asked_and_then_left(self) -> None:
        talk = Talk()
        talk.client.connected(0.0)
        talk.hear(welcome())
        talk.said()
        talk.client.keep_alive(4.9)
        self.assertEqual(talk.said(), [])
        talk.client.keep_alive(5.0)
        self.assertEqual([message["t"] for message in talk.said()], ["ping"])
        talk.client.keep_alive(6.0)
        self.assertEqual(talk.said(), [])
        self.assertEqual(talk.client.deadline(), SILENT_AFTER_S)
        self.assertFalse(talk.client.is_silent(9.9))
        self.assertTrue(talk.client.is_silent(10.0))
        talk.hear({"t": "pong", "at": 5000, "now_ms": 10_000}, 10.0)
        self.assertFalse(talk.client.is_silent(10.0))

    def test_who_waits_for_an_answer_leaves_a_silent_house_after_four_seconds(self) -> None:
        talk = Talk().at_table()
        talk.client.command("t1", {"a": "leave"}, 0.0)
        talk.client.keep_alive(HURRIED_S)
        self.assertFalse(talk.client.is_silent(3.9))
        self.assertTrue(talk.client.is_silent(2 * HURRIED_S))

    def test_a_house_that_wants_to_be_told_all_the_time_is_told_once_a_second(self) -> None:
        talk = Talk()
        talk.client.connected(0.0)
        talk.hear(welcome(idle_ms=0))
        talk.said()
        self.assertGreaterEqual(talk.client.deadline(), 0.5)


class Hostile(unittest.TestCase):
    def test_nothing_that_a_house_says_is_an_exception_and_nothing_of_it_is_believed(self) -> None:
        whole: Object = {"t": "keyframe", "room": "t1", "epoch": 3, "seq": 1042, "kind": "table", "state": keyframe()}
        wrongs: list[object] = [None, -1, True, 1.5, [], "x" * 10, 2**60]
        bad: list[object] = ["", "null", "[]", "{", "[" * 100_000, '{"t": 1}', '{"t": "frame"}', "9" * 5_000, '{"t": "ack", "n": 1e400}']
        for field in whole:
            if field not in ("t", "kind"):
                bad += [{**whole, field: wrong} for wrong in wrongs]
        state = keyframe()
        for field in ("config", "seats", "hand", "chips"):
            bad += [{**whole, "state": {**state, field: wrong}} for wrong in [7, [7], {"a": None}]]
        events: list[object] = [None, [], {}, {"e": 5}, {"e": "turn"}, {"e": "acted", "seat": 0, "amount": 1}, {"e": "runs_agreed", "boards": 2**40}]
        for event in events:
            bad.append({"t": "frame", "room": "t1", "epoch": 3, "seq": 1042, "events": [event]})
        for private in (None, {"hand": -1, "cards": []}, {"hand": 17, "cards": ["1x"]}, {"hand": 17, "cards": [], "declined": {"amount": "all"}}):
            bad.append({"t": "private", "room": "t1", "epoch": 3, "seq": 1041, "private": private})
        bad += [{"t": "refused", "n": 1, "room": "t1", "code": "illegal", "legal": {"turn": {"turn": "x"}}}, {"t": "lobby", "rows": [{"room": 5}]}]
        bad += [welcome(), {"t": "reconnect", "after_ms": "soon"}]
        for message in bad:
            with self.subTest(str(message)[:80]):
                talk = Talk().at_table()
                talk.client.command("t1", {"a": "leave"}, 0.0)
                talk.hear(message)
                # Either it is asked for again, or (a room that is not watched) it is nothing.
                room = talk.client.rooms["t1"]
                self.assertTrue(talk.client.wants_reconnect or (room.epoch, room.seq) == (3, 1041))
                self.assertEqual(len(talk.client.pending), 1)
                self.assertLessEqual(room.seq, 1042)

    def test_what_is_not_known_is_passed_over(self) -> None:
        talk = Talk().at_table()
        for message in [{"t": "stream", "x": 1}, {"t": "rail", "room": "t1", "epoch": 9, "seq": 9, "rail": {}}, {"t": "answer", "n": 1}]:
            self.assertEqual(talk.hear(message), Nothing())
        talk.hear({"t": "frame", "room": "t1", "epoch": 3, "seq": 1042, "events": [{"e": "insured"}, {**AWAY, "why": "?"}], "more": 1})
        self.assertEqual((talk.position(), talk.events, talk.client.wants_reconnect), ((3, 1042), ["away"], False))

    def test_every_example_of_what_the_house_sends_can_be_read(self) -> None:
        for message in document.examples("house"):
            talk = Talk()
            talk.client.connected(0.0)
            if message["t"] != "welcome":
                talk.hear(welcome())
            talk.client.watch("t1", 0.0)
            talk.hear(message)
            self.assertEqual(talk.client.unreadable, 0, message)

    def test_every_close_code_of_the_document_is_obeyed(self) -> None:
        told = {int(code): does for [code, _, does] in document.table_rows("code") if code.isdigit()}
        self.assertIn(4008, told)
        for code, does in told.items():
            if code == SESSION_TAKEN:
                self.assertIn("does not reconnect with it", does)
            elif code in NEVER:
                self.assertRegex(does, "mend the client|does not send it again")
            elif code in NEW_TOKEN:
                self.assertIn("gets a new one", does)
            elif code in SOME_SECONDS:
                self.assertIn("some seconds", does)
            elif code == RESTART:
                self.assertIn("random time below a second", does)
            else:
                self.assertRegex(does, "^reconnects", code)


if __name__ == "__main__":
    unittest.main()
