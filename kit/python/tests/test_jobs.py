"""Work that somebody wants done and an agent does, at a real house, with connections that break and a house that dies."""

import asyncio
import contextlib
import os
import re
import sys
import time
import unittest
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import cardhouse
from cardhouse import Job, JobFailed, LeaseLost, Refused
from cardhouse.jobs import ANSWER_BYTES_MAX, WHY_BYTES_MAX, leases, own_jobs, reason, room_of
from cardhouse.reading import Object, Unreadable

from .house import PASSWORD, SOON_S, Between, House, Message

Doing = Callable[[Job], Coroutine[Any, Any, None]]


class Readings(unittest.TestCase):
    def test_everybodys_jobs_wait_in_one_of_four_rooms_as_the_house_counts(self) -> None:
        self.assertEqual([room_of(user) for user in ("ann", "bob", "u0", "u1", "u2", "u3")], ["jobs-0", "jobs-0", "jobs-0", "jobs-3", "jobs-2", "jobs-1"])

    def test_nothing_that_a_house_tells_of_jobs_is_believed(self) -> None:
        own: Object = {"job": [1, 2], "work": "coach", "text": "?", "stage": "taken", "attempt": 1, "answer": ""}
        lease: Object = {"job": [1, 2], "attempt": 1, "work": "coach", "text": "?", "user": "ann", "until_ms": 5}
        self.assertEqual(own_jobs({"k": 1, "jobs": [own]})[0].name, (1, 2))
        self.assertEqual((own_jobs({"k": 1}), leases({"k": 1}), leases({"leases": [lease]})[0].user), ([], [], "ann"))
        wrongs: list[Object] = [{"job": [1]}, {"job": "x"}, {"job": [1, "2"]}, {"stage": "sold"}, {"answer": None}, {"why": 3}]
        for wrong in wrongs:
            with self.assertRaises(Unreadable):
                own_jobs({"jobs": [own | wrong]})
        wrongs = [{"job": {}}, {"until_ms": -1}, {"attempt": True}, {"text": 1}]
        for wrong in wrongs:
            with self.assertRaises(Unreadable):
                leases({"leases": [lease | wrong]})

    def test_a_reason_is_as_long_as_a_house_takes_it(self) -> None:
        self.assertEqual(reason("  "), "no reason was given")
        told = reason("x" + "é" * 200)
        self.assertTrue(told.startswith("xé") and len(told.encode()) <= WHY_BYTES_MAX)


class WithAgents(unittest.IsolatedAsyncioTestCase):
    """One house for all of a class, with two agents."""

    FLAGS: tuple[str, ...] = ("--jobs-lease-ms", "2000")
    house: House

    @classmethod
    def setUpClass(cls) -> None:
        cls.house = House(*cls.FLAGS, durable=True)
        cls.house.hire("coach", "other")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.house.close()

    def agent(self, handle: str = "coach", **more: Any) -> cardhouse.House:
        return cardhouse.House(self.house.url, handle=handle, password=PASSWORD, **more)

    def guest(self, **more: Any) -> cardhouse.House:
        return cardhouse.House(self.house.url, name="Ann", **more)

    @contextlib.asynccontextmanager
    async def at_work(self, does: Doing, house: cardhouse.House | None = None, **more: Any) -> AsyncIterator[None]:
        """An agent that does this with each job."""

        async def works() -> None:
            async with house or self.agent() as mine, asyncio.TaskGroup() as group:
                async for job in mine.jobs(["coach"], **more):
                    group.create_task(does(job))

        working = asyncio.create_task(works())
        try:
            yield
        finally:
            working.cancel()
            [ended] = await asyncio.gather(working, return_exceptions=True)
            if not isinstance(ended, asyncio.CancelledError):
                raise ended or AssertionError("it does no work any more")


class Does(WithAgents):
    async def test_a_question_is_answered_and_its_answer_is_seen_as_it_grows(self) -> None:
        heard = asyncio.Event()

        async def does(job: Job) -> None:
            self.assertEqual((job.work, job.text, job.attempt), ("coach", "Was that a fold?", 1))
            await job.tell("Let me see. ")
            await heard.wait()
            await job.done("Yes.")
            self.assertTrue(job.is_over and not job.lost.is_set())

        async with asyncio.timeout(SOON_S), self.at_work(does), self.guest() as ann:
            seen = []
            async for text in ann.ask("coach", "Was that a fold?"):
                seen.append(text)
                heard.set()
            self.assertEqual(seen, ["Let me see. ", "Let me see. Yes."])
            self.assertEqual(await ann.ask("coach", "Was that a fold?"), "Let me see. Yes.")

    async def test_what_is_not_answered_says_why(self) -> None:
        async def does(job: Job) -> None:
            async with job:
                if job.text == "fails":
                    raise ValueError("I do not know")
                if job.text == "too long":
                    with self.assertRaises(Refused) as refused:
                        await job.tell("x" * (ANSWER_BYTES_MAX + 1))
                    self.assertEqual(refused.exception.code, "bad_text")
                    with self.assertRaises(Refused):
                        await job.tell("\ud800")
                await job.reject("this is no question")

        async def forgives(job: Job) -> None:
            with contextlib.suppress(ValueError):
                await does(job)

        async with asyncio.timeout(SOON_S), self.at_work(forgives), self.guest() as ann:
            for text, why in [("what?", "this is no question"), ("too long", "this is no question"), ("fails", "ValueError: I do not know")]:
                with self.assertRaises(JobFailed) as failed:
                    await ann.ask("coach", text)
                self.assertIn(why, str(failed.exception))
            with self.assertRaises(Refused) as refused:
                await ann.ask("coach", "x" * 2_001)
            self.assertEqual(refused.exception.code, "bad_text")

    async def test_what_is_taken_back_ends_the_lease_and_the_agent_goes_on(self) -> None:
        lost, begun = asyncio.Event(), asyncio.Event()

        async def does(job: Job) -> None:
            async with job:
                if job.text == "quick":
                    await job.done("Yes.")
                await job.tell("Hm. ")
                begun.set()
                await job.lost.wait()
                lost.set()
                with self.assertRaises(LeaseLost):
                    await job.done("Never heard.")
                await job.tell("This ends the block.")
                self.fail("it goes on")

        async with asyncio.timeout(SOON_S), self.at_work(does), self.guest() as ann:
            asking = asyncio.ensure_future(ann.ask("coach", "Is it?")._whole())
            await begun.wait()
            asking.cancel()
            await lost.wait()
            self.assertEqual(await ann.ask("coach", "quick"), "Yes.")

    async def test_more_than_two_questions_of_one_user_are_too_many_and_an_agent_has_no_more_than_it_wants(self) -> None:
        at_once, most = 0, 0
        goes_on = asyncio.Event()

        async def does(job: Job) -> None:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await goes_on.wait()
            await job.done("Yes.")
            at_once -= 1

        async with asyncio.timeout(SOON_S), self.at_work(does, most=2), contextlib.AsyncExitStack() as stack:
            guests = [await stack.enter_async_context(self.guest()) for _ in range(4)]
            asked = [asyncio.ensure_future(guest.ask("coach", "Is it?")._whole()) for guest in guests for _ in range(2)]
            # They are said in this order.
            await asyncio.sleep(0)
            with self.assertRaises(Refused) as refused:
                await guests[0].ask("coach", "And this?")
            self.assertEqual(refused.exception.code, "too_many")
            goes_on.set()
            self.assertEqual(await asyncio.gather(*asked), ["Yes."] * 8)
            self.assertEqual(most, 2)

    async def test_who_is_no_agent_does_no_work_and_is_told_so(self) -> None:
        async with asyncio.timeout(SOON_S), self.guest() as ann:
            with self.assertRaises(Refused) as refused:
                async for _ in ann.jobs(["coach"]):
                    self.fail("there is work")
            self.assertEqual(refused.exception.code, "not_allowed")

    async def test_a_lease_lasts_while_the_program_may_think_and_then_somebody_else_gets_it(self) -> None:
        began = time.monotonic()

        async def thinks(job: Job) -> None:
            # Longer than a lease, without a word.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(job.lost.wait(), 3.0)
            await job.done("after a while")

        async with asyncio.timeout(SOON_S), self.at_work(thinks), self.guest() as ann:
            self.assertEqual(await ann.ask("coach", "Is it?"), "after a while")
        self.assertGreater(time.monotonic() - began, 3.0)

        async def answers(job: Job) -> None:
            await job.done(f"attempt {job.attempt}")

        async def hangs(job: Job) -> None:
            # Whom the house asks next is its business.
            if job.attempt > 1:
                return await answers(job)
            await job.tell("Hm. ")
            await job.lost.wait()
            with self.assertRaises(LeaseLost):
                await job.done("too late")

        async with asyncio.timeout(SOON_S), self.at_work(hangs, keep_s=0.0), self.guest() as ann:
            seen: list[str] = []
            async with contextlib.AsyncExitStack() as others:
                async for text in ann.ask("coach", "Is it?"):
                    if not seen:
                        await others.enter_async_context(self.at_work(answers, self.agent("other")))
                    seen.append(text)
        self.assertEqual((seen[0], seen[-1]), ("Hm. ", "attempt 2"))

    async def test_an_agent_that_leaves_gives_back_what_it_has(self) -> None:
        async def leaves(job: Job) -> None:
            raise KeyError("it fails")

        async def answers(job: Job) -> None:
            await job.done(f"attempt {job.attempt}")

        async with asyncio.timeout(SOON_S), self.guest() as ann:
            async with self.agent() as house:
                asked = asyncio.ensure_future(ann.ask("coach", "Is it?")._whole())
                async for job in house.jobs("coach"):
                    self.assertEqual(job.attempt, 1)
                    break
            async with self.at_work(answers):
                self.assertEqual(await asked, "attempt 2")

    async def test_the_lines_of_the_readme_answer_as_they_say(self) -> None:
        readme = (Path(__file__).resolve().parents[1] / "README.md").read_text()
        blocks = [block for block in re.findall(r"^```py\n(.*?)^```", readme, re.M | re.S) if "house.jobs" in block]
        [coach] = [block for block in blocks if "run(" in block]
        self.assertLessEqual(len([line for line in coach.splitlines() if line and "import" not in line]), 10)
        program = coach.replace("http://127.0.0.1:8080", self.house.url)
        words = [sys.executable, "-c", program]
        running = await asyncio.create_subprocess_exec(*words, env={**os.environ, "COACH_PASSWORD": PASSWORD})
        try:
            async with asyncio.timeout(SOON_S), self.guest() as ann:
                self.assertEqual(await ann.ask("coach", "Was that a fold?"), "Let me see. Fold.")
        finally:
            running.kill()
            await running.wait()


class Breaks(WithAgents):
    async def test_each_piece_is_told_once_however_often_connections_are_cut(self) -> None:
        """After each command of the agent's and of who asks."""
        token = await asyncio.to_thread(self.house.asked, "POST", "/sessions", {"handle": "coach", "password": PASSWORD})

        async def does(job: Job) -> None:
            for piece in ("one ", "two ", "three "):
                await job.tell(piece)
            await job.done("four")

        async with asyncio.timeout(4 * SOON_S), Between(self.house) as between:
            cut: set[str] = set()

            def cuts(told: Message) -> None:
                what = told.get("do", {})
                if what.get("a") in ("put", "tell", "done") and what["text"] and str(told) not in cut:
                    cut.add(str(told))
                    between.cut()

            between.to_house = cuts
            ann = cardhouse.House(between.url, token=await self.house.token("Ann"))
            async with self.at_work(does, cardhouse.House(between.url, token=token["token"])), ann:
                for _ in range(3):
                    told = await ann.ask("coach", "Is it?")
                    self.assertEqual(told, "one two three four")
            self.assertGreater(between.connections, 8)

    async def test_a_house_that_is_killed_goes_on_with_the_question(self) -> None:
        kills = 0

        async def does(job: Job) -> None:
            nonlocal kills
            async with job:
                await job.tell("Let me see. ")
                if kills == 0:
                    kills = 1
                    self.house.kill()
                    self.house.open()
                await job.done("Yes.")

        async with asyncio.timeout(4 * SOON_S), self.at_work(does), self.guest() as ann:
            self.assertEqual(await ann.ask("coach", "Is it?"), "Let me see. Yes.")
            self.assertEqual(await ann.ask("coach", "And this?"), "Let me see. Yes.")


class WithoutJobs(unittest.IsolatedAsyncioTestCase):
    async def test_a_house_in_which_no_work_is_done_says_so(self) -> None:
        house = House("--jobs=false")
        try:
            async with asyncio.timeout(SOON_S), cardhouse.House(house.url) as ann:
                with self.assertRaises(Refused) as refused:
                    await ann.ask("coach", "Is it?")
                self.assertEqual(refused.exception.code, "no_such_room")
        finally:
            house.close()


if __name__ == "__main__":
    unittest.main()
