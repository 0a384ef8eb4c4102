"""What events do to a table, held against the document."""

import copy
import unittest

from cardhouse.reading import Object, Unreadable
from cardhouse.table import _EVENTS, Table

from . import document


def keyframe() -> Object:
    """The keyframe of the document: ann and bob in a hand, ann to act."""
    found: Object = next(message["state"] for message in document.examples("house") if message["t"] == "keyframe")
    return copy.deepcopy(found)


class TheDocument(unittest.TestCase):
    def test_every_event_of_the_document_is_known(self) -> None:
        told = {name.strip("`") for [name, *_] in document.table_rows("event")}
        self.assertEqual(told, set(_EVENTS))

    def test_every_example_of_an_event_can_be_read(self) -> None:
        """An example may not fit the state, but each of its fields is there and of the type that is read."""
        for event in document.examples("event"):
            table = Table.read(keyframe())
            try:
                self.assertTrue(table.apply(event), event)
            except Unreadable as why:
                self.assertNotRegex(str(why), "is no |is neither", event)

    def test_the_frame_behind_the_keyframe_fits_it(self) -> None:
        table = Table.read(keyframe())
        frame = next(message for message in document.examples("house") if message["t"] == "frame")
        for event in frame["events"]:
            table.apply(event)
            self.assertTrue(table.conserves_chips(), event)
        assert table.hand and table.hand.turn and table.hand.turn.raise_
        self.assertEqual((table.hand.turn.seat, table.hand.turn.call, table.hand.turn.raise_.max), (1, None, 150))


class Events(unittest.TestCase):
    def test_a_hand_adds_up_after_each_event(self) -> None:
        table = Table.read({**keyframe(), "seats": [None, None, None, None], "hand": None, "chips": {"bought": 0, "cashed": 0, "raked": 0}})

        def acted(seat: int, kind: str, amount: int, to: int) -> Object:
            return {"e": "acted", "seat": seat, "kind": kind, "amount": amount, "to": to, "all_in": False, "timeout": False}

        def seated(seat: int, name: str, stack: int) -> Object:
            return {"e": "seated", "seat": seat, "user": name, "name": name, "bot": False, "stack": stack, "status": "playing", "bank_ms": 0}

        for event in [
            seated(0, "ann", 100),
            seated(3, "bob", 80),
            {"e": "hand_started", "hand": 1, "button": 0, "seats": [3, 0]},
            {"e": "posted", "seat": 0, "blind": "ante", "amount": 1},
            {"e": "posted", "seat": 3, "blind": "ante", "amount": 1},
            {"e": "posted", "seat": 0, "blind": "small", "amount": 1},
            {"e": "posted", "seat": 3, "blind": "big", "amount": 6},
            acted(0, "raise", 9, 10),
            acted(3, "fold", 0, 6),
            {"e": "returned", "seat": 0, "amount": 4},
            {"e": "collected", "pots": [{"amount": 14, "seats": [0]}]},
            {"e": "raked", "pot": 0, "amount": 1},
            {"e": "won", "seat": 0, "pot": 0, "amount": 13, "run": 0},
            {"e": "hand_ended", "hand": 1, "next_ms": 5, "hands": []},
            {"e": "left", "seat": 3, "stack": 73},
        ]:
            table.apply(event)
            self.assertTrue(table.conserves_chips(), event)
        self.assertEqual((table.chips.bought, table.chips.cashed, table.chips.raked), (180, 73, 1))

    def test_an_event_that_makes_chips_does_not_fit(self) -> None:
        for event in [
            {"e": "left", "seat": 0, "stack": 200},
            {"e": "won", "seat": 0, "pot": 0, "amount": 1, "run": 0},
            {"e": "posted", "seat": 0, "blind": "big", "amount": 1_000},
            {"e": "acted", "seat": 0, "kind": "call", "amount": 1, "to": 3, "all_in": False, "timeout": False},
            {"e": "returned", "seat": 0, "amount": 9},
            {"e": "topped_up", "seat": 0, "amount": -5},
            {"e": "topped_up", "seat": 0, "amount": True},
            {"e": "status", "seat": 7, "status": "playing"},
        ]:
            with self.subTest(event), self.assertRaises(Unreadable):
                Table.read(keyframe()).apply(event)

    def test_an_event_of_a_later_house_is_passed_over(self) -> None:
        table, same = Table.read(keyframe()), Table.read(keyframe())
        self.assertFalse(table.apply({"e": "insured", "seat": "all", "amount": None}))
        self.assertEqual(table, same)


if __name__ == "__main__":
    unittest.main()
