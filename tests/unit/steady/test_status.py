"""The status batcher: what is sent, when, and what becomes of the rest."""

from __future__ import annotations

import asyncio
import sys
from itertools import pairwise

import pytest

from examples.echo import Echo, EchoStatus
from steady import errors
from steady.apiserver import Server
from steady.cache import Store
from steady.client import Client
from steady.objects.conditions import false, true
from steady.objects.meta import ObjectMeta
from steady.objects.raw import RawObject
from steady.queue import Priority
from steady.reasons import Reason
from steady.status import BatchConfig, Outcome, StatusBatcher, Update, Why
from steady.testing.memory import MemoryTransport
from steady.writes import Writes
from tests.unit.steady.batching import Fault, LoopClock, batching, now, outcomes

pytestmark = pytest.mark.looptime


async def test_a_status_lands_whole_with_times_and_generation() -> None:
    """What the submission leaves out is filled in."""
    async with batching() as it:
        ticket = it.submit("a", "hi", Priority.HIGH, true("Ready", "Fine"))
        assert await ticket.wait() is Outcome.LANDED
        assert await it.status("a") == {
            "observedGeneration": 1,
            "said": "hi",
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "Fine",
                    "observedGeneration": 1,
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                }
            ],
        }


async def test_progress_that_is_superseded_costs_nothing() -> None:
    """Three reports and a result are one patch, that of the result, and it does not wait for the batch."""
    async with batching() as it:
        start = now()
        reports = [it.submit("a", said, Priority.MEDIUM) for said in ("1", "2", "3")]
        result = it.submit("a", "done")
        assert await result.wait() is Outcome.LANDED
        assert now() - start < 0.1
        assert {await report.wait() for report in reports} == {Outcome.SUPERSEDED}
        assert it.names == ["a"]
        assert (await it.status("a"))["said"] == "done"


@pytest.mark.parametrize(("priority", "after"), [(Priority.LOW, 5.0), (Priority.MEDIUM, 2.0), (Priority.HIGH, 0.0)])
async def test_each_priority_waits_its_own_time(priority: Priority, after: float) -> None:
    """LOW for the flush interval, MEDIUM for the batch timeout, HIGH not at all."""
    async with batching() as it:
        start = now()
        await it.submit("a", "hi", priority).wait()
        assert now() - start == pytest.approx(after, abs=0.01)


async def test_a_full_batch_leaves_early() -> None:
    """With as many objects as a batch holds, nobody waits for the time to pass."""
    async with batching(BatchConfig(max_batch_size=3), names="abc") as it:
        tickets = [it.submit(name, "hi", Priority.LOW) for name in "abc"]
        await asyncio.sleep(0.1)
        assert [ticket.outcome for ticket in tickets] == [Outcome.LANDED] * 3


async def test_what_the_cluster_shows_already_is_not_sent() -> None:
    """Not even when the date has moved on: the transition time is the old one."""
    async with batching() as it:
        await it.submit("a", "hi", Priority.HIGH, true("Ready", "Fine")).wait()
        await asyncio.sleep(3600.0)
        assert await it.submit("a", "hi", Priority.CRITICAL, true("Ready", "Fine")).wait() is Outcome.LANDED
        assert it.names == ["a"]
        assert it.avoided("unchanged") == 1


async def test_a_transition_time_moves_only_when_the_status_does() -> None:
    """A new reason or message keeps it; True to False does not."""
    async with batching() as it:
        times = []
        for condition in (true("Ready", "Fine"), true("Ready", "Better", "so much"), false("Ready", "Broken")):
            await it.submit("a", "hi", Priority.HIGH, condition).wait()
            times.append((await it.status("a"))["conditions"][0]["lastTransitionTime"])
            await asyncio.sleep(60.0)
        assert times == ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:02:00Z"]


async def test_a_removed_condition_stays_removed() -> None:
    """A submission is the whole status."""
    async with batching() as it:
        await it.submit("a", "hi", Priority.HIGH, true("Ready", "Fine"), true("Odd", "Odd")).wait()
        await it.submit("a", "hi", Priority.HIGH, true("Ready", "Fine")).wait()
        assert [it["type"] for it in (await it.status("a"))["conditions"]] == ["Ready"]


async def test_the_observed_generation_never_goes_down() -> None:
    """Neither against what waits nor against what the cluster shows."""
    async with batching() as it:
        await it.edit("a", {"spec": {"text": "two"}})
        await asyncio.sleep(1.0)
        newer = it.submit("a", "two", Priority.MEDIUM, generation=2)
        assert await it.submit("a", "one", Priority.CRITICAL, generation=1).wait() is Outcome.SUPERSEDED
        assert await newer.wait() is Outcome.LANDED
        assert await it.submit("a", "one", generation=1).wait() is Outcome.SUPERSEDED
        assert (await it.status("a"))["said"] == "two"


async def test_a_foreign_generation_from_the_future_is_put_right() -> None:
    """No object has been observed beyond its own generation."""
    async with batching() as it:
        await it.user.merge(
            "/apis/example.com/v1/namespaces/default/echoes/a/status", {"status": {"observedGeneration": 99}}
        )
        await asyncio.sleep(1.0)
        assert await it.submit("a", "hi").wait() is Outcome.LANDED
        assert (await it.status("a"))["observedGeneration"] == 1


async def test_a_status_of_a_deleted_object_is_not_sent() -> None:
    """Its ticket says gone, without a request."""
    async with batching() as it:
        ticket = it.submit("a", "hi", Priority.MEDIUM)
        await it.delete("a")
        assert await ticket.wait() is Outcome.GONE
        assert it.names == []


async def test_a_status_never_lands_on_the_next_object_of_the_same_name() -> None:
    """Even if the deletion is not known here yet: the request names the UID and is refused."""
    async with batching() as it:
        it.door.lag = 60.0
        await it.delete("a")
        await it.create("a", known=False)
        assert await it.submit("a", "hi").wait() is Outcome.GONE
        assert it.names == ["a"]
        assert await it.said("a") is None


async def test_a_failed_write_is_told_to_whoever_holds_the_ticket() -> None:
    """Nothing is tried again here."""
    async with batching() as it:
        it.door.faults.append(Fault.LOST)
        ticket = it.submit("a", "hi")
        assert await ticket.wait() is Outcome.FAILED
        assert isinstance(ticket.error, errors.Interrupted)
        await asyncio.sleep(60.0)
        assert it.names == ["a"]


async def test_one_write_of_an_object_is_in_flight_at_a_time() -> None:
    """What comes meanwhile goes with the next, and only the newest of it."""
    async with batching() as it:
        it.door.slow = 1.0
        first = it.submit("a", "1")
        await asyncio.sleep(0.5)
        tickets = [it.submit("a", str(number)) for number in range(2, 6)]
        assert await first.wait() is Outcome.LANDED
        assert [await ticket.wait() for ticket in tickets] == [Outcome.SUPERSEDED] * 3 + [Outcome.LANDED]
        assert it.door.most == 1
        assert it.names == ["a", "a"]
        assert (await it.status("a"))["said"] == "5"


async def test_critical_goes_ahead_of_everything_that_waits() -> None:
    """With one place in flight, the order of departure is that of the priorities."""
    async with batching(BatchConfig(max_in_flight=1), names="abcd") as it:
        it.door.slow = 1.0
        it.submit("a", "1", Priority.HIGH)
        await asyncio.sleep(0.5)
        last = [
            it.submit("b", "1", Priority.HIGH),
            it.submit("c", "1", Priority.HIGH),
            it.submit("d", "1", Priority.CRITICAL),
        ]
        for ticket in last:
            await ticket.wait()
        assert it.names == ["a", "d", "b", "c"]


async def test_no_more_than_the_limit_is_in_flight() -> None:
    """Whatever the number of objects."""
    async with batching(BatchConfig(max_in_flight=2), names="abcdef") as it:
        it.door.slow = 1.0
        tickets = [it.submit(name, "hi") for name in "abcdef"]
        assert [await ticket.wait() for ticket in tickets] == [Outcome.LANDED] * 6
        assert it.door.most == 2


async def test_a_full_queue_makes_the_submitter_wait() -> None:
    """Until something has left; nothing is dropped."""
    async with batching(BatchConfig(max_queue_size=2), names="abc") as it:
        tickets = [it.submit(name, "hi", Priority.MEDIUM) for name in "ab"]
        start = now()
        await it.batcher.room(it.stores["echoes"], it.obj("c"))
        assert now() - start == pytest.approx(2.0, abs=0.01)
        tickets.append(it.submit("c", "hi"))
        assert [await ticket.wait() for ticket in tickets] == [Outcome.LANDED] * 3


async def test_stopping_sends_what_waits() -> None:
    """At once, whatever its priority."""
    async with batching(names="ab") as it:
        tickets = [it.submit("a", "hi", Priority.LOW), it.submit("b", "hi", Priority.MEDIUM)]
        start = now()
    assert now() - start < 0.1
    assert [ticket.outcome for ticket in tickets] == [Outcome.LANDED] * 2


async def test_stopping_ends_within_its_grace_and_loses_nothing_silently() -> None:
    """What could not leave in time is told as failed."""
    async with batching(BatchConfig(max_in_flight=1), names="ab") as it:
        it.door.slow = 3600.0
        tickets = [it.submit("a", "hi", Priority.LOW), it.submit("b", "hi", Priority.LOW)]
        start = now()
    assert now() - start == pytest.approx(10.0, abs=0.1)
    assert [ticket.outcome for ticket in tickets] == [Outcome.FAILED] * 2


# Partial updates.


async def test_a_partial_update_changes_what_it_names_and_nothing_else() -> None:
    """On top of what the cluster shows."""
    async with batching() as it:
        await it.submit("a", "hi", Priority.HIGH, true("Ready", "Fine"), true("Odd", "Odd")).wait()
        update = Update({}, (false("Synced", "No"),), without=frozenset({"Odd"}))
        assert await it.update("a", update).wait() is Outcome.LANDED
        status = await it.status("a")
        assert [(it["type"], it["status"]) for it in status["conditions"]] == [("Ready", "True"), ("Synced", "False")]
        assert status["said"] == "hi"
        assert status["conditions"][1]["observedGeneration"] == 1


async def test_partial_updates_compose_into_one_write() -> None:
    """A removal survives, a later value wins, and every ticket is told."""
    async with batching() as it:
        await it.submit("a", "hi", Priority.HIGH, true("Odd", "Odd")).wait()
        tickets = [
            it.update("a", Update({}, without=frozenset({"Odd"})), Priority.LOW),
            it.update("a", Update({"said": "one"}), Priority.MEDIUM),
            it.update("a", Update({"said": "two"}, (true("Ready", "Fine"),)), Priority.MEDIUM),
        ]
        assert await outcomes(*tickets) == [Outcome.LANDED] * 3
        assert len(it.names) == 2
        status = await it.status("a")
        assert (status["said"], [it["type"] for it in status["conditions"]]) == ("two", ["Ready"])
        assert it.avoided("merged") == 2


async def test_a_partial_update_composes_onto_the_complete_status_that_waits() -> None:
    """Both land, in one write."""
    async with batching() as it:
        complete = it.submit("a", "hi", Priority.MEDIUM, true("Ready", "Fine"))
        partial = it.update("a", Update({}, (true("Odd", "Odd"),)), Priority.LOW)
        assert await outcomes(complete, partial) == [Outcome.LANDED] * 2
        status = await it.status("a")
        assert (status["said"], [it["type"] for it in status["conditions"]]) == ("hi", ["Ready", "Odd"])
        assert it.names == ["a"]


async def test_a_complete_status_supersedes_the_partial_updates_that_wait() -> None:
    """It is the whole status."""
    async with batching() as it:
        partial = it.update("a", Update({}, (true("Odd", "Odd"),)), Priority.LOW)
        complete = it.submit("a", "hi", Priority.HIGH, true("Ready", "Fine"))
        assert await outcomes(partial, complete) == [Outcome.SUPERSEDED, Outcome.LANDED]
        assert [it["type"] for it in (await it.status("a"))["conditions"]] == ["Ready"]


async def test_a_complete_status_of_an_older_generation_does_not_supersede_a_partial_update() -> None:
    """Nothing goes back, whichever waits and whichever is shown."""
    async with batching() as it:
        await it.edit("a", {"spec": {"text": "two"}})
        await asyncio.sleep(1.0)
        partial = it.update("a", Update({}, (true("Ready", "Two"),)), Priority.MEDIUM)
        assert await it.submit("a", "one", generation=1).wait() is Outcome.SUPERSEDED
        assert await partial.wait() is Outcome.LANDED
        assert await it.submit("a", "one", generation=1).wait() is Outcome.SUPERSEDED
        assert (await it.status("a"))["conditions"][0]["observedGeneration"] == 2


async def test_a_removal_is_not_lost_to_a_complete_status_of_an_older_generation() -> None:
    """Found by the model: an update that names no condition to show was observed at a generation all the same."""
    async with batching() as it:
        await it.submit("a", "said", Priority.HIGH, true("Odd", "Yes")).wait()
        await it.edit("a", {"spec": {"text": "two"}})
        await asyncio.sleep(1.0)
        removal = it.update("a", Update({}, without=frozenset({"Odd"})), Priority.MEDIUM)
        old = it.submit("a", "said", Priority.MEDIUM, true("Odd", "Yes"), generation=1)
        assert await outcomes(removal, old) == [Outcome.LANDED, Outcome.SUPERSEDED]
        assert "Odd" not in {condition["type"] for condition in (await it.status("a"))["conditions"]}


async def test_an_update_survives_the_complete_status_that_it_was_put_upon() -> None:
    """That one turns out to be older than what is shown by now; the update lands alone."""
    async with batching() as it:
        await it.edit("a", {"spec": {"text": "two"}})
        await asyncio.sleep(1.0)
        it.door.slow = 1.0
        newest = it.submit("a", "two", generation=2)
        await asyncio.sleep(0.5)
        stale = it.submit("a", "one", generation=1)
        update = it.update("a", Update({}, (true("Odd", "Odd"),)))
        assert await outcomes(newest, stale, update) == [Outcome.LANDED, Outcome.SUPERSEDED, Outcome.LANDED]
        status = await it.status("a")
        assert (status["said"], status["observedGeneration"]) == ("two", 2)
        assert [it["type"] for it in status["conditions"]] == ["Odd"]


# What the cache does not show yet.


async def test_a_partial_update_does_not_undo_what_the_cache_does_not_show_yet() -> None:
    """A label of somebody else made the answer unpredictable, and the watch is late."""
    async with batching() as it:
        it.door.lag = 60.0
        await it.edit("a", {"metadata": {"labels": {"x": "y"}}})
        assert await it.submit("a", "hi").wait() is Outcome.LANDED
        assert it.obj("a").status.copy() != b"hi"
        assert await it.update("a", Update({}, (true("Odd", "Odd"),))).wait() is Outcome.LANDED
        assert await it.said("a") == "hi"


async def test_what_landed_but_is_not_shown_yet_is_not_sent_again() -> None:
    """Nor is what the late cache shows taken for what the cluster has."""
    async with batching() as it:
        await it.submit("a", "old").wait()
        it.door.lag = 60.0
        await it.edit("a", {"metadata": {"labels": {"x": "y"}}})
        await it.submit("a", "new").wait()
        assert await it.submit("a", "new").wait() is Outcome.LANDED
        assert len(it.names) == 2
        assert await it.submit("a", "old").wait() is Outcome.LANDED
        assert len(it.names) == 3
        assert await it.said("a") == "old"


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.BROKEN_ANSWER])
async def test_after_a_lost_answer_the_cache_is_not_believed(fault: Fault) -> None:
    """It shows the old status, the cluster has the new one: the old one is sent, and lands."""
    async with batching() as it:
        await it.submit("a", "old", Priority.HIGH, true("Ready", "Fine")).wait()
        it.door.lag = 60.0
        it.door.faults.append(fault)
        assert await it.submit("a", "new", Priority.HIGH, false("Ready", "Broken")).wait() is Outcome.FAILED
        assert await it.said("a") == "new"
        assert await it.submit("a", "old", Priority.HIGH, true("Ready", "Fine")).wait() is Outcome.LANDED
        assert await it.said("a") == "old"


async def test_a_lost_status_is_sent_again_when_it_is_submitted_again() -> None:
    """Nobody knows whether it arrived: this one did not."""
    async with batching() as it:
        it.door.faults.append(Fault.LOST)
        assert await it.submit("a", "hi").wait() is Outcome.FAILED
        assert await it.submit("a", "hi").wait() is Outcome.LANDED
        assert it.names == ["a", "a"]
        assert await it.said("a") == "hi"


async def test_the_doubt_ends_when_the_cache_shows_what_was_lost() -> None:
    """Then saying it again needs no request."""
    async with batching() as it:
        it.door.faults.append(Fault.LOST_ANSWER)
        assert await it.submit("a", "hi").wait() is Outcome.FAILED
        await asyncio.sleep(1.0)
        assert await it.submit("a", "hi").wait() is Outcome.LANDED
        assert it.names == ["a"]


async def test_the_cache_is_believed_again_once_it_has_passed_what_was_sent() -> None:
    """What somebody else wrote after us is what is shown, and what an update is put upon."""
    async with batching() as it:
        it.door.lag = 60.0
        await it.edit("a", {"metadata": {"labels": {"x": "y"}}})
        await it.submit("a", "ours").wait()
        await it.user.merge(it.path("a") + "/status", {"status": {"said": "theirs"}})
        await asyncio.sleep(300.0)
        assert await it.update("a", Update({}, (true("Odd", "Odd"),))).wait() is Outcome.LANDED
        assert await it.said("a") == "theirs"


async def test_nothing_is_remembered_of_an_object_that_is_forgotten() -> None:
    """Neither a status nor a doubt."""
    async with batching(names="ab") as it:
        it.door.faults.extend([Fault.LOST, Fault.LOST])
        await outcomes(it.submit("a", "hi"), it.submit("b", "hi"))
        it.submit("a", "ho", Priority.LOW)
        assert len(it.batcher._sent) == 2
        for name in "ab":
            it.batcher.forget(it.obj(name).metadata.uid)
        assert len(it.batcher._sent) == len(it.batcher) == 0


async def test_a_lost_status_still_dates_the_next_transition() -> None:
    """What was sent last counts, whether or not it arrived: the time of a transition does not go back."""
    async with batching() as it:
        await it.submit("a", "1", Priority.HIGH, true("Ready", "Fine")).wait()
        await asyncio.sleep(60.0)
        it.door.lag = 3600.0
        it.door.faults.append(Fault.LOST_ANSWER)
        await it.submit("a", "2", Priority.HIGH, false("Ready", "Broken")).wait()
        await asyncio.sleep(60.0)
        await it.submit("a", "3", Priority.HIGH, true("Ready", "Fine")).wait()
        assert (await it.status("a"))["conditions"][0]["lastTransitionTime"] == "2026-01-01T00:02:00Z"


async def test_a_refused_status_leaves_no_doubt() -> None:
    """The cache shows what the cluster has: saying that again needs no request."""
    async with batching() as it:
        await it.submit("a", "old").wait()
        it.door.faults.append(Fault.CONFLICT)
        assert await it.submit("a", "new").wait() is Outcome.FAILED
        assert await it.submit("a", "old").wait() is Outcome.LANDED
        assert len(it.names) == 2


# When what leaves.


async def test_a_change_of_mind_keeps_the_earlier_moment_and_the_higher_priority() -> None:
    """LOW after MEDIUM does not postpone it; MEDIUM after LOW brings it forward, unless LOW was due earlier."""
    async with batching(names="abc") as it:
        it.submit("a", "1", Priority.MEDIUM)
        it.submit("b", "1", Priority.LOW)
        it.submit("c", "1", Priority.LOW)
        await asyncio.sleep(1.0)
        a, b = it.submit("a", "2", Priority.LOW), it.submit("b", "2", Priority.MEDIUM)
        await asyncio.sleep(0.999)
        assert [ticket.outcome for ticket in (a, b)] == [None, None]
        await asyncio.sleep(0.002)
        assert a.outcome is Outcome.LANDED
        await asyncio.sleep(1.0)
        assert b.outcome is Outcome.LANDED
        await asyncio.sleep(1.0)
        c = it.submit("c", "2", Priority.MEDIUM)
        await asyncio.sleep(1.0)
        assert c.outcome is Outcome.LANDED


async def test_critical_leaves_right_behind_the_write_of_its_own_object() -> None:
    """Ahead of all that waited longer, and takes along what waited for the object."""
    async with batching(BatchConfig(max_in_flight=1), names="abc") as it:
        it.door.slow = 1.0
        it.submit("a", "1")
        await asyncio.sleep(0.5)
        waiting = [it.submit(name, "1") for name in "bc"]
        it.update("a", Update({}, (true("Odd", "Odd"),)), Priority.LOW)
        critical = it.update("a", Update({"said": "now"}), Priority.CRITICAL)
        await outcomes(critical, *waiting)
        assert it.names == ["a", "a", "b", "c"]
        assert [it["type"] for it in (await it.status("a"))["conditions"]] == ["Odd"]


async def test_a_raised_priority_takes_effect_at_once() -> None:
    """For what waits for its time and for what waits for its turn."""
    async with batching(BatchConfig(max_in_flight=1), names="abcd") as it:
        it.door.slow = 1.0
        for name in "abc":
            it.submit(name, "1", Priority.HIGH)
        it.submit("d", "1", Priority.LOW)
        await asyncio.sleep(0.5)
        late = it.submit("d", "2", Priority.CRITICAL)
        lifted = it.submit("c", "2", Priority.CRITICAL)
        await outcomes(late, lifted)
        assert it.names[:3] == ["a", "d", "c"]


async def test_a_batch_is_of_one_kind() -> None:
    """One kind's full batch does not make another's statuses leave early."""
    async with batching(BatchConfig(max_batch_size=3), names="abc", noises="ab") as it:
        noises = [it.submit(name, "hi", Priority.MEDIUM, kind="noises") for name in "ab"]
        echoes = [it.submit(name, "hi", Priority.MEDIUM) for name in "abc"]
        await asyncio.sleep(1.0)
        assert [ticket.outcome for ticket in echoes] == [Outcome.LANDED] * 3
        assert [ticket.outcome for ticket in noises] == [None] * 2


async def test_without_priorities_everything_waits_alike() -> None:
    """And leaves in the order in which it came."""
    async with batching(BatchConfig(priorities=False, max_in_flight=1), names="abcd") as it:
        began = now()
        tickets = [it.submit(name, "hi", priority) for name, priority in zip("abcd", Priority, strict=True)]
        await outcomes(*tickets)
        assert now() - began == pytest.approx(2.0, abs=0.01)
        assert it.names == ["a", "b", "c", "d"]


async def test_one_kinds_flood_does_not_hold_up_another() -> None:
    """Of the same priority, with one write in flight: from the next turn on every second is the other's."""
    letters = "abcdefghijklmnopqrst"
    async with batching(BatchConfig(max_in_flight=1), names=letters, noises="ab") as it:
        it.door.slow = 1.0
        flood = [it.submit(name, "hi") for name in letters]
        await asyncio.sleep(0.5)
        others = [it.submit(name, "hi", kind="noises") for name in "ab"]
        await outcomes(*others)
        assert [write.kind for write in it.door.sent][:5] == ["echoes", "echoes", "noises", "echoes", "noises"]
        assert await outcomes(*flood) == [Outcome.LANDED] * len(letters)


async def test_nothing_starves_under_a_flood_of_higher_priority() -> None:
    """With one write in flight and always something urgent, LOW leaves soon after it has aged."""
    async with batching(BatchConfig(max_in_flight=1, ageing=5.0), names="abcdefgh") as it:
        it.door.slow = 0.5
        low = it.submit("a", "patient", Priority.LOW)
        began = now()
        for number in range(200):
            for name in "bcdefgh":
                it.submit(name, str(number), Priority.CRITICAL)
            await asyncio.sleep(0.25)
            if low.outcome:
                break
        assert low.outcome is Outcome.LANDED
        assert now() - began <= 5.0 + 5.0 + 4 * 0.5 + 0.25


async def test_a_full_queue_of_one_kind_leaves_room_for_another() -> None:
    """And room comes as soon as something leaves, for as many as there is room."""
    async with batching(BatchConfig(max_queue_size=1), names="abc", noises="a") as it:
        it.submit("a", "hi", Priority.MEDIUM)
        async with asyncio.timeout(0.1):
            await it.batcher.room(it.stores["noises"], it.obj("a", "noises"))
        pending = []

        async def submitter(name: str) -> None:
            await it.batcher.room(it.stores["echoes"], it.obj(name))
            it.submit(name, "hi", Priority.MEDIUM)
            pending.append(it.batcher.statistics["echoes.example.com"].pending)

        async with asyncio.TaskGroup() as group:
            for name in "bc":
                group.create_task(submitter(name))
        assert pending == [1, 1]
        assert now() == pytest.approx(4.0, abs=0.1)


async def test_retry_after_holds_back_all_but_critical() -> None:
    """The refused one fails; what comes later waits, until the server has what it asked for."""
    async with batching(names="abc") as it:
        it.door.faults.append(Fault.THROTTLED)
        refused = it.submit("a", "hi")
        assert await refused.wait() is Outcome.FAILED
        assert isinstance(refused.error, errors.TooManyRequests)
        began = now()
        held, critical = it.submit("b", "hi"), it.submit("c", "hi", Priority.CRITICAL)
        assert await critical.wait() is Outcome.LANDED
        assert now() - began < 0.1
        assert await held.wait() is Outcome.LANDED
        assert now() - began == pytest.approx(it.door.retry_after, abs=0.01)


async def test_a_pause_lets_critical_ones_pass_and_not_what_has_aged() -> None:
    """However many there are in a row."""
    async with batching(BatchConfig(ageing=0.0), names="abcdefgh") as it:
        it.door.faults.append(Fault.THROTTLED)
        it.door.retry_after = 20
        await it.submit("a", "hi").wait()
        held = it.submit("b", "hi", Priority.HIGH)
        await asyncio.sleep(10.0)
        await outcomes(*(it.submit(name, "hi", Priority.CRITICAL) for name in "cdefgh"))
        assert it.names == list("acdefgh")
        assert await held.wait() is Outcome.LANDED
        assert now() == pytest.approx(20.0, abs=0.1)


async def test_slow_critical_writes_take_no_place_from_others() -> None:
    """Beside a window full of them the others leave as before."""
    async with batching(names="abc") as it:
        it.batcher.budget.window = 1.0
        it.door.slow = 10.0
        critical = [it.submit(name, "hi", Priority.CRITICAL) for name in "ab"]
        await asyncio.sleep(1.0)
        it.door.slow = 0.0
        assert await it.submit("c", "hi", Priority.HIGH).wait() is Outcome.LANDED
        assert now() == pytest.approx(1.0, abs=0.1)
        assert await outcomes(*critical) == [Outcome.LANDED] * 2


async def test_writes_per_second_is_kept() -> None:
    """By all priorities together."""
    async with batching(BatchConfig(writes_per_second=2.0), names="abcd") as it:
        await outcomes(*(it.submit(name, "hi", p) for name, p in zip("abcd", Priority, strict=True)))
        moments = [write.moment for write in it.door.sent]
        assert all(after - before >= 0.499 for before, after in pairwise(moments))
        assert it.names[:2] == ["d", "c"]


# Looking on.


async def test_waiting_tells_priority_times_and_reason() -> None:
    """Of what waits for its time, for the object's last write, and for its turn."""
    async with batching(BatchConfig(max_in_flight=1), names="abc") as it:
        it.door.slow = 1.0
        assert it.waiting("a") is None
        began = now()
        it.submit("a", "1", Priority.LOW)
        it.submit("b", "1", Priority.HIGH)
        await asyncio.sleep(0.5)
        assert it.waiting("b") == (Priority.HIGH, began, began, Why.SENDING)
        it.submit("a", "2", Priority.MEDIUM)
        it.submit("b", "2", Priority.HIGH)
        it.submit("c", "1", Priority.CRITICAL)
        assert it.waiting("a") == (Priority.MEDIUM, began, began + 2.5, Why.TIME)
        assert it.waiting("b") == (Priority.HIGH, began + 0.5, began + 0.5, Why.WRITE)
        assert it.waiting("c") == (Priority.CRITICAL, began + 0.5, began + 0.5, Why.TURN)


async def test_waiting_tells_of_the_servers_pause_and_of_the_rate() -> None:
    """Which hold back what is ready."""
    async with batching(BatchConfig(writes_per_second=1.0), names="abc") as it:
        it.door.faults.append(Fault.THROTTLED)
        await it.submit("a", "hi").wait()
        it.submit("b", "hi", Priority.HIGH)
        it.submit("c", "hi", Priority.CRITICAL)
        found = it.waiting("b"), it.waiting("c")
        assert [one and one.why for one in found] == [Why.PAUSE, Why.RATE]


async def test_a_batch_is_told_of_when_its_last_status_is_settled() -> None:
    """How many left together, and how long it took."""
    async with batching(BatchConfig(max_in_flight=2), names="abcd") as it:
        it.door.slow = 1.0
        await outcomes(*(it.submit(name, "hi", Priority.LOW) for name in "abcd"))
        assert [(it.kind, it.priority, it.size) for it in it.batches] == [("echoes.example.com", Priority.LOW, 4)]
        assert it.batches[0].seconds == pytest.approx(2.0, abs=0.01)


async def test_what_is_ready_before_the_first_has_left_is_of_the_same_batch() -> None:
    """What comes later is of the next one; what is forgotten does not keep a batch open."""
    async with batching(BatchConfig(max_in_flight=1), names="abcd") as it:
        it.door.slow = 1.0
        first = [it.submit(name, "1") for name in "abc"]
        await asyncio.sleep(0.5)
        later = [it.submit("d", "1"), it.submit("a", "2")]
        it.batcher.forget(it.obj("a").metadata.uid)
        await outcomes(*first, *later)
        assert [batch.size for batch in it.batches] == [3, 2]
        assert [batch.seconds for batch in it.batches] == pytest.approx([3.0, 3.5])


async def test_every_submission_is_counted_once_as_queued_and_once_as_settled() -> None:
    """By priority."""
    async with batching(names="ab") as it:
        it.submit("a", "1", Priority.LOW)
        await it.submit("a", "2", Priority.HIGH).wait()
        it.door.faults.append(Fault.INVALID)
        await it.submit("b", "1", Priority.CRITICAL).wait()
        it.update("b", Update({"said": "2"}), Priority.LOW)
        tally = it.batcher.statistics["echoes.example.com"]
        assert tally.queued == [2, 0, 1, 1]
        assert tally.settled[Outcome.LANDED] == [0, 0, 1, 0]
        assert tally.settled[Outcome.SUPERSEDED] == [1, 0, 0, 0]
        assert tally.settled[Outcome.FAILED] == [0, 0, 0, 1]
        assert tally.pending == len(it.batcher) == 1


# Starting and stopping.


async def test_what_is_submitted_before_the_start_leaves_at_the_start() -> None:
    """It waits, it is not lost."""
    async with batching() as it:
        again = StatusBatcher(Writes(it.client), LoopClock())
        ticket = again.submit(it.stores["echoes"], it.obj("a"), EchoStatus(said="early"), Priority.HIGH, Reason.STATUS)
        await asyncio.sleep(1.0)
        assert ticket.outcome is None
        async with again:
            assert await ticket.wait() is Outcome.LANDED


async def test_draining_sends_all_and_work_goes_on() -> None:
    """Also what is submitted while it drains."""
    async with batching(names="abc") as it:
        it.door.slow = 1.0
        early = it.submit("a", "hi", Priority.LOW)
        drain = asyncio.ensure_future(it.batcher.drain(2.0))
        await asyncio.sleep(0.5)
        late = it.submit("b", "hi", Priority.LOW)
        assert await drain
        assert await outcomes(early, late) == [Outcome.LANDED] * 2
        began = now()
        assert await it.submit("c", "hi", Priority.MEDIUM).wait() is Outcome.LANDED
        assert now() - began == pytest.approx(3.0, abs=0.01)
        it.submit("a", "ho", Priority.LOW)
        assert not await it.batcher.drain(0.5)


@pytest.mark.parametrize(("retry_after", "outcome"), [(5, Outcome.LANDED), (50, Outcome.LANDED)])
async def test_stopping_waits_for_a_pause_that_ends_in_time_and_for_no_other(
    retry_after: int, outcome: Outcome
) -> None:
    """What the server asks for is kept where that loses nothing."""
    async with batching(names="ab") as it:
        it.door.faults.append(Fault.THROTTLED)
        it.door.retry_after = retry_after
        await it.submit("a", "hi").wait()
        ticket = it.submit("b", "hi", Priority.LOW)
        began = now()
    assert ticket.outcome is outcome
    assert now() - began == pytest.approx(5.0 if retry_after < 10 else 0.0, abs=0.01)


async def test_after_the_stop_a_submission_fails_at_once() -> None:
    """Its ticket says why."""
    async with batching() as it:
        pass
    ticket = it.submit("a", "hi")
    assert ticket.outcome is Outcome.FAILED
    assert "stopped" in str(ticket.error)
    assert it.update("a", Update({"said": "hi"})).outcome is Outcome.FAILED
    assert it.batcher.statistics["echoes.example.com"].dropped == [0, 0, 2, 0]


async def test_a_stop_that_is_itself_cancelled_settles_every_ticket() -> None:
    """A second signal, for example."""
    async with batching(BatchConfig(max_in_flight=1), names="abc") as it:
        it.door.slow = 3600.0
        tickets = [it.submit(name, "hi", Priority.HIGH) for name in "abc"]
        await asyncio.sleep(1.0)
        stop = asyncio.ensure_future(it.batcher.__aexit__(None, None, None))
        await asyncio.sleep(1.0)
        stop.cancel()
        await asyncio.wait([stop])
        assert [ticket.outcome for ticket in tickets] == [Outcome.FAILED] * 3
        assert all("stopped" in str(ticket.error) for ticket in tickets)
        assert len(it.batcher) == 0


@pytest.mark.parametrize("waiting", [100, 2000])
async def test_submitting_costs_the_same_whatever_waits(waiting: int) -> None:
    """The number of function calls does not grow with the number of objects, batches that leave included."""
    store = Store(Echo.declaration.resource)
    store.replace((RawObject(metadata=ObjectMeta(name=str(n), uid=str(n), generation=1)) for n in range(waiting)), "1")
    batcher = StatusBatcher(
        Writes(Client(MemoryTransport(Server()))), LoopClock(), config=BatchConfig(max_batch_size=50)
    )
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        for obj in store:
            batcher.submit(store, obj, EchoStatus(said="hi"), Priority.MEDIUM, Reason.STATUS)
    finally:
        sys.setprofile(None)
    assert calls / waiting < 120
