"""Agents at a real house, with connections that break and a house that dies."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
import unittest
import unittest.mock
from collections.abc import Callable, Iterator
from typing import Any

from cardhouse import Action, Agent, Call, Fold, Hand, HouseAway, Mismatch, NoSeat, ReceptionRefused, Report, Result, play
from cardhouse import client
from cardhouse.client import Client, Heard
from cardhouse.reading import Object

from .house import SOON_S, Between, House, Watcher


class Caller(Agent):
    """Checks and calls; counts what it is asked and told."""

    def __init__(self, does: Callable[[Hand], object] | None = None) -> None:
        self.asked = 0
        self.results: list[Result] = []
        self._does = does

    def act(self, hand: Hand) -> Action:
        self.asked += 1
        assert len(hand.cards) == 2 and hand.me.in_hand
        if self._does:
            self._does(hand)
        return hand.passive()

    def ended(self, result: Result) -> None:
        self.results.append(result)


async def played(agent: Agent, url: str, **more: Any) -> Report:
    return await asyncio.wait_for(play(agent, url, **{"table": "t1", "hands": 8, **more}), SOON_S)


def applied_once(report: Report, agent: Caller, seen: Watcher, user: str) -> None:
    """Each answer of the agent was applied once, nothing else was, and each chip was brought once: by what the house told a stranger."""
    assert report.complete, "nothing was missed"
    assert report.refusals == {}, f"refused: {report.refusals}"
    assert seen.misfits == 0, "chips add up after each event"
    assert seen.by_clock[user] == 0, "the clock acted for the agent"
    assert seen.acted[user] == report.acted == agent.asked, (seen.acted[user], report.acted, agent.asked)
    assert seen.brought[user] == report.brought, (seen.brought[user], report.brought)
    assert seen.took[user] == report.took, (seen.took[user], report.took)
    nets = [result.net for result in agent.results]
    assert None not in nets and sum(net or 0 for net in nets) == report.net, (nets, report.net)


class AtAHouse(unittest.IsolatedAsyncioTestCase):
    """One house for all of a class."""

    FLAGS: tuple[str, ...] = ()
    DURABLE = False
    house: House

    @classmethod
    def setUpClass(cls) -> None:
        cls.house = House(*cls.FLAGS, durable=cls.DURABLE)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.house.close()

    async def through(self, between: Between, name: str, agent: Caller, **more: Any) -> tuple[Report, Watcher, str]:
        """Plays through what stands between, with a watcher that does not."""
        token = await self.house.token(name)
        async with Watcher(self.house) as seen:
            playing = asyncio.create_task(played(agent, between.url, token=token, **more))
            await seen.until(lambda: bool(seen.table and any(seat and seat.name == name for seat in seen.table.seats)))
            user = seen.user(name)
            try:
                report = await playing
            except TimeoutError:
                raise AssertionError(f"{name} has not ended: {seen.table}") from None
            await seen.until(lambda: bool(seen.table and seen.table.seat_of(user) is None))
            return report, seen, user


class Plays(AtAHouse):
    async def test_an_agent_sits_plays_and_leaves(self) -> None:
        agent = Caller()
        async with Watcher(self.house) as seen:
            report = await played(agent, self.house.url, name="Ann", hands=12)
            self.assertEqual((report.ended, report.sessions, report.reconnects, report.gaps), ("hands", 1, 0, 0))
            self.assertGreaterEqual(report.hands, 12)
            self.assertEqual(len(agent.results), report.hands)
            user = seen.named("Ann")
            applied_once(report, agent, seen, user)

    async def test_an_async_agent_and_four_at_once_in_one_loop(self) -> None:
        class Thinker(Agent):
            async def act(self, hand: Hand) -> Action:
                await asyncio.sleep(0)
                return hand.passive()

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(played(Thinker(), self.house.url, table=None, name=f"Ann{n}", hands=4)) for n in range(4)]
        for task in tasks:
            self.assertGreaterEqual(task.result().hands, 4)

    async def test_what_cannot_be_is_said(self) -> None:
        with self.assertRaises(NoSeat):
            await played(Caller(), self.house.url, table="t99")
        with self.assertRaises(ReceptionRefused) as refused:
            await played(Caller(), self.house.url, name="x" * 50)
        self.assertEqual(refused.exception.code, "bad_name")
        with self.assertRaises(Mismatch):
            await played(Caller(), f"{self.house.url}/nowhere", token="x")
        with self.assertRaises(HouseAway):
            await played(Caller(), "http://127.0.0.1:1", patience_s=1.0)

    async def test_ctrl_c_ends_a_program_when_the_hand_is_over(self) -> None:
        program = """
from cardhouse import *
class Caller(Agent):
    def act(self, hand):
        return hand.passive()
report = run(Caller(), URL, table="t1", name="Stops")
print(report.ended, report.hands, report.took > 0, report.complete)
"""
        words = [sys.executable, "-c", program.replace("URL", repr(self.house.url))]
        async with Watcher(self.house) as seen:
            with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
                await seen.until(lambda: bool(seen.table and any(seat and seat.name == "Stops" and seat.in_hand for seat in seen.table.seats)))
                user = seen.user("Stops")
                running.send_signal(signal.SIGINT)
                await seen.until(lambda: user in seen.took)
                out, err = await asyncio.to_thread(running.communicate, timeout=SOON_S)
        self.assertEqual((running.returncode, out.split()[0], out.split()[2:]), (0, "stopped", ["True", "True"]), err)


class Breaks(AtAHouse):
    """With something between the agent and the house."""

    async def test_a_connection_that_breaks_in_mid_hand_is_mended(self) -> None:
        """Again and again, wherever in a hand it happens to be."""
        async with Between(self.house) as between:
            count = 0

            def cuts(message: Object) -> list[str | bytes]:
                nonlocal count
                count += message["t"] == "frame"
                if message["t"] == "frame" and count % 17 == 0 and between.connections <= 6:
                    between.cut()
                return [json.dumps(message)]

            between.to_agent = cuts
            agent = Caller()
            report, seen, user = await self.through(between, "Cut", agent, hands=12)
        self.assertGreaterEqual(report.reconnects, 3)
        self.assertEqual(report.sessions, 1)
        applied_once(report, agent, seen, user)

    async def without_answers(self) -> tuple[Report, Caller, Watcher, str]:
        """Each command reaches the house, and the connection breaks before its answer: each is repeated."""
        async with Between(self.house) as between:
            heard: list[Object] = []

            def cut_behind(message: Object) -> None:
                if message["t"] == "do" and message["do"] not in heard:
                    heard.append(message["do"])
                    between.cut()

            between.to_house = cut_behind
            agent = Caller()
            report, seen, user = await self.through(between, "Once", agent, hands=4, rebuy="always")
            return report, agent, seen, user

    async def test_what_was_not_answered_is_repeated_and_applied_once(self) -> None:
        report, agent, seen, user = await self.without_answers()
        self.assertGreaterEqual(report.repeated, 5)
        applied_once(report, agent, seen, user)

    async def test_a_client_that_counts_anew_is_caught(self) -> None:
        """The fault that the test above is for: what has no answer is said again as something new, too."""

        def counts_anew(self: Client, read: Object, now: float) -> Heard:
            waiting = list(self.pending.values())
            heard = Client._welcome(self, read, now)
            for command in waiting:
                self.command(command.room, command.do, now)
            return heard

        with unittest.mock.patch.dict(client._MESSAGES, {"welcome": counts_anew}):
            report, agent, seen, user = await self.without_answers()
        with self.assertRaises(AssertionError):
            applied_once(report, agent, seen, user)

    async def test_a_house_that_stands_still_is_left(self) -> None:
        async with Between(self.house) as between:
            stalled = False

            def stall(hand: Hand) -> None:
                nonlocal stalled
                if not stalled:
                    stalled = between.is_stalled = True

            agent = Caller(stall)
            began = time.monotonic()
            report, seen, user = await self.through(between, "Still", agent, hands=3)
        self.assertEqual(report.reconnects, 1)
        self.assertLess(time.monotonic() - began, 12)
        applied_once(report, agent, seen, user)


class Lies(AtAHouse):
    """With something between that changes what the house says."""

    async def test_what_a_later_house_may_say_is_passed_over(self) -> None:
        async with Between(self.house) as between:

            def says_more(message: Object) -> list[str | bytes]:
                more: Object = {**message, "mood": {"good": True}}
                if message["t"] == "frame":
                    more["events"] = [{"e": "insured", "seat": None}, *({**event, "why": 1} for event in message["events"]), {"e": "cheered"}]
                return [json.dumps({"t": "weather", "room": "t1"}), json.dumps(more)]

            between.to_agent = says_more
            agent = Caller()
            report, seen, user = await self.through(between, "Later", agent)
        self.assertEqual((report.unreadable, report.gaps, report.reconnects), (0, 0, 0))
        applied_once(report, agent, seen, user)

    async def test_hostile_words_in_mid_play_cost_a_connection_and_nothing_else(self) -> None:
        def swallows(frame: Object) -> list[str | bytes]:
            return []

        def breaks() -> Iterator[Callable[[Object], list[str | bytes]]]:
            yield swallows
            yield lambda frame: [json.dumps(frame)[:-9]]
            yield lambda frame: [json.dumps({**frame, "seq": frame["seq"] + 1})]
            yield lambda frame: [json.dumps({**frame, "epoch": frame["epoch"] + 1, "seq": 1})]
            yield lambda frame: [json.dumps({**frame, "events": [{"e": "left", "seat": 0, "stack": 7}]})]
            yield lambda frame: [json.dumps({**frame, "events": [{"e": "acted", "seat": -1}]})]
            yield lambda frame: [b"\x00\x01"]
            yield lambda frame: ["[" * 50_000, json.dumps(frame)]
            yield lambda frame: [json.dumps({"t": "keyframe", "room": "t1", "epoch": frame["epoch"], "seq": frame["seq"], "state": {"seats": 9}})]
            yield lambda frame: [json.dumps({"t": "reconnect", "after_ms": 0}), json.dumps(frame)]
            yield lambda frame: [json.dumps({"t": "ack", "n": 1, "room": "t1", "epoch": 1, "seq": 2**53}), json.dumps(frame)]
            yield lambda frame: ["x" * (5 * 1024 * 1024)]

        def is_nothing() -> Iterator[Callable[[Object], list[str | bytes]]]:
            yield lambda frame: [json.dumps(frame)] * 2
            yield lambda frame: [json.dumps({"t": "refused", "n": 9**9, "room": "t1", "code": "late"}), json.dumps(frame)]
            yield lambda frame: [json.dumps({"t": "ack", "n": 9**9, "room": "t1", "epoch": 99, "seq": 99}), json.dumps(frame)]

        hostile, costs = [*is_nothing(), *breaks()], len(list(breaks()))
        count = said = on = 0

        def fits(message: Object) -> bool:
            """What is swallowed shows by what comes behind it, as the next hand does by itself."""
            return hostile[said] is not swallows or any(event["e"] == "hand_ended" for event in message["events"])

        async with Between(self.house) as between:

            def lies(message: Object) -> list[str | bytes]:
                nonlocal count, said, on
                count += 1
                is_next = between.connections > on
                if message["t"] == "frame" and count >= 12 and said < len(hostile) and is_next and fits(message):
                    said, count = said + 1, 0
                    if said > len(hostile) - costs:
                        on = between.connections
                    return hostile[said - 1](message)
                return [json.dumps(message)]

            between.to_agent = lies
            agent = Caller()
            report, seen, user = await self.through(between, "Brave", agent, hands=40)
        self.assertEqual(said, len(hostile), "all of it was said")
        self.assertGreaterEqual(report.reconnects, costs)
        self.assertEqual((report.refusals, seen.misfits), ({}, 0))
        self.assertEqual(seen.acted[user], report.acted)
        self.assertEqual(seen.took[user], report.took)


class Slow(AtAHouse):
    """A house with short times: a turn of 1.5 s, no time bank, connections that are silent for 2 s are closed, and tokens that last 10 s."""

    FLAGS = ("--turn-ms", "1500", "--bank-ms", "0", "--bank-refill-ms", "0", "--idle-ms", "2000", "--token-seconds", "10")

    async def test_an_agent_that_blocks_keeps_its_connection(self) -> None:
        agent = Caller(lambda hand: time.sleep(1.2))
        report = await played(agent, self.house.url, hands=2)
        self.assertEqual((report.reconnects, report.late, report.defaulted), (0, 0, 0))
        self.assertEqual(report.acted, agent.asked)

    async def test_who_does_not_answer_is_checked_or_folded_for_and_keeps_the_seat(self) -> None:
        class Asleep(Agent):
            was_cancelled = 0

            async def act(self, hand: Hand) -> Action:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    Asleep.was_cancelled += 1
                    raise
                return Fold()

        async with Watcher(self.house) as seen:
            report = await played(Asleep(), self.house.url, name="Sleep", hands=2)
            user = seen.named("Sleep")
            self.assertEqual((report.acted, report.seats), (0, 1))
            self.assertGreaterEqual(report.defaulted, 1)
            self.assertEqual((report.defaulted, seen.by_clock[user]), (report.late, 0))
            self.assertEqual(Asleep.was_cancelled, report.late)

    async def test_illegal_answers_are_asked_for_once_more(self) -> None:
        class Wrong(Agent):
            def act(self, hand: Hand) -> Action:
                if hand.refusal:
                    return hand.passive()
                if hand.number % 2:
                    raise ValueError("I do not know")
                return "raise" if hand.can_check else Call() if hand.can_check else Fold() if False else None  # type: ignore[return-value]

        with self.assertLogs("cardhouse", "ERROR"):
            report = await played(Wrong(), self.house.url, hands=6)
        self.assertEqual(report.illegal + report.failed, report.acted)
        self.assertGreater(report.illegal, 0)
        self.assertGreater(report.failed, 0)
        self.assertEqual((report.defaulted, report.refusals), (0, {}))

    async def test_a_token_is_renewed_while_it_plays(self) -> None:
        until = time.monotonic() + 12
        stop = asyncio.Event()

        def enough(hand: Hand) -> None:
            if time.monotonic() > until:
                loop.call_soon_threadsafe(stop.set)

        loop = asyncio.get_running_loop()
        report = await played(Caller(enough), self.house.url, hands=None, stop=stop)
        self.assertEqual((report.reconnects, report.sessions, report.ended), (0, 1, "stopped"))


class Near(AtAHouse):
    """A house that asks who has a seat to connect near it."""

    FLAGS = ("--near",)

    async def test_who_has_a_seat_connects_near_it_once(self) -> None:
        agent = Caller()
        async with Watcher(self.house) as seen:
            report = await played(agent, self.house.url, name="Ann", hands=4)
            self.assertEqual((report.reconnects, report.sessions, report.gaps), (1, 1, 0))
            applied_once(report, agent, seen, seen.named("Ann"))


class Purse(AtAHouse):
    """A table whose chips are somebody's: they come from what a guest is given, and go back to it."""

    FLAGS = ("--table-currency", "PLAY")
    DURABLE = True

    async def test_chips_are_brought_topped_up_and_taken_back(self) -> None:
        agent = Caller()
        async with Watcher(self.house) as seen:
            report = await played(agent, self.house.url, name="Ann", hands=8, rebuy="always")
            applied_once(report, agent, seen, seen.named("Ann"))

    async def test_a_buy_in_is_as_near_to_what_is_asked_for_as_the_table_allows(self) -> None:
        report = await played(Caller(), self.house.url, buy_in=100_000, hands=1, rebuy="never")
        self.assertEqual((report.brought, report.refusals), (400, {"bad_amount": 1}))


class Killed(AtAHouse):
    DURABLE = True

    async def test_a_house_that_is_killed_in_the_agents_turn_and_opened_again(self) -> None:
        """As `kill -9` does it, with an answer that comes while there is no house."""
        kills = 0

        def kill(hand: Hand) -> None:
            nonlocal kills
            if kills < 3 and hand.number % 3 == 0 and hand.street != "preflop":
                kills += 1
                self.house.kill()
                self.house.open()

        agent = Caller(kill)
        async with Watcher(self.house) as seen:
            report = await played(agent, self.house.url, name="Ann", hands=20)
            user = seen.named("Ann")
            self.assertEqual(kills, 3)
            self.assertGreaterEqual(report.reconnects, 3)
            self.assertEqual((report.sessions, report.seats), (1, 1))
            applied_once(report, agent, seen, user)


class Forgetful(AtAHouse):
    async def test_a_house_that_has_forgotten_everybody_is_played_at_anew(self) -> None:
        kills = 0

        def kill(hand: Hand) -> None:
            nonlocal kills
            if kills == 0:
                kills = 1
                self.house.kill()
                self.house.open()

        with self.assertLogs("cardhouse", "WARNING") as said:
            report = await played(Caller(kill), self.house.url, hands=4)
        self.assertIn("begins anew as another", str(said.output))
        self.assertEqual((report.sessions, report.complete, report.seats), (2, False, 2))

        with self.assertRaises(ReceptionRefused), contextlib.suppress(asyncio.CancelledError):
            kills = 0
            await played(Caller(kill), self.house.url, token=await self.house.token("Given"))


if __name__ == "__main__":
    unittest.main()
