"""Backoff through the whole house: what the API server is asked for while something is wrong, on virtual time."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest

from examples.echo import Echo, EchoStatus, reconcile
from steady import (
    BackoffManager,
    ConfigMap,
    Context,
    Controller,
    Done,
    Failed,
    Manager,
    Options,
    Priority,
    Result,
    errors,
)
from steady.backoff import Outcome
from steady.cache.store import Change
from steady.client.transport import Request
from steady.tasks import Scope
from steady.writes import Gone
from tests.behaviour.house import Json, condition
from tests.unit.steady.widgets import World, key, world

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("rules_of_conditions")]

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
Reconcile = Callable[[Echo, Context[EchoStatus]], Awaitable[Result[EchoStatus]]]


def forbidden(request: Request) -> errors.ApiError:
    """As a server says it that has lost a rule of its rights."""
    return errors.Forbidden(403, "Forbidden", "no", request=f"{request.method} {request.path}")


class House:
    """A running operator whose requests for children can be refused; `asked` holds the moments of those requests."""

    def __init__(self, it: World) -> None:
        self.world = it
        self.backoff = BackoffManager(rng=random.Random(1))
        self.refusal: Callable[[Request], Exception] | None = forbidden
        self.asked: list[float] = []
        self.names: list[str] = []
        self.manager: Manager | None = None
        it.transport.before = self._before

    async def _before(self, request: Request) -> None:
        if request.path != CONFIGMAPS or request.method != "POST":
            return
        self.asked.append(round(asyncio.get_running_loop().time() - self.began, 3))
        self.names.append(name_in(request))
        if self.refusal:
            raise self.refusal(request)

    def start(self) -> None:
        """Count from now."""
        self.began = asyncio.get_running_loop().time()
        self.taken()

    def taken(self) -> list[str]:
        """The children that were asked for since the last look."""
        names, self.names, self.asked = self.names, [], []
        return names

    def outcome(self, name: str) -> Outcome | None:
        """What backoff says of an echo."""
        wait = self.backoff.explain(("echo", key(name)))
        return wait.outcome if wait else None

    def outcomes(self, *names: str) -> Counter[Outcome | None]:
        """The same, counted."""
        return Counter(self.outcome(name) for name in names)

    def probing(self, *names: str) -> str:
        """The one echo that tries for all."""
        [found] = [name for name in names if self.outcome(name) is Outcome.PROBING]
        return found

    async def children(self) -> int:
        """How many there are."""
        return len((await self.world.user.send("GET", CONFIGMAPS))["items"])

    async def said(self, name: str, type_: str) -> tuple[str, str] | None:
        """A condition of an echo."""
        obj: Json = await self.world.get(name)
        return condition(obj, type_)


def name_in(request: Request) -> str:
    """The child's name."""
    name: str = json.loads(request.body)["metadata"]["name"]
    return name


@asynccontextmanager
async def house(
    run: Reconcile = reconcile, *, cleanup: Callable[..., Awaitable[None]] | None = None
) -> AsyncIterator[House]:
    """An operator for echoes at work."""
    async with world() as it:
        house = House(it)
        controller = Controller(Echo, run, owns=[ConfigMap], cleanup=cleanup)
        house.manager = Manager(
            controller,
            transport=lambda: it.transport,
            clock=it.clock,
            options=Options(name="test"),
            backoff=house.backoff,
        )
        async with Scope("test") as scope:
            scope.start(house.manager.serve(), "manager")
            await house.manager.started.wait()
            house.start()
            yield house
            house.manager.stop()
            await scope.drained()


FIFTY = [f"e{number}" for number in range(50)]


async def test_fifty_objects_without_a_right_make_one_stream_of_requests_and_all_go_on_when_it_is_back() -> None:
    """Three tries each, 30 s apart; then one request per 30 s in all; within a minute of the cure all is there."""
    async with house() as it:
        for name in FIFTY:
            await it.world.create(name)
        await asyncio.sleep(61.0)
        assert len(it.asked) == 3 * 50
        assert it.outcomes(*FIFTY) == {Outcome.PROBING: 1, Outcome.PARKED: 49}

        it.start()
        await asyncio.sleep(3600.0)
        assert len(it.asked) == 120
        assert all(later - earlier <= 60.0 for earlier, later in zip(it.asked, it.asked[1:], strict=False))
        assert set(it.taken()) == set(FIFTY)  # they take turns
        assert it.world.server.log
        statuses = Counter(entry.name for entry in it.world.server.log if entry.subresource == "status")
        assert set(statuses.values()) == {1}  # the same trouble is told once

        it.refusal = None
        it.start()
        await asyncio.sleep(60.0)
        assert await it.children() == 50
        assert sorted(it.taken()) == sorted(FIFTY)
        assert it.outcomes(*FIFTY) == {None: 50}
        assert await it.said("e7", "Ready") == ("True", "Reconciled")


async def test_an_object_that_comes_while_the_right_is_missing_costs_one_request() -> None:
    """It learns what is known, and is released with the others."""
    async with house() as it:
        await it.world.create("old")
        await asyncio.sleep(61.0)
        it.taken()
        await it.world.create("new")
        await asyncio.sleep(20.0)
        assert it.taken() == ["new"]
        assert (it.outcome("old"), it.outcome("new")) == (Outcome.PROBING, Outcome.PARKED)
        it.refusal = None
        await asyncio.sleep(10.0)
        assert it.taken() == ["old", "new"]
        assert await it.children() == 2


async def test_waiting_for_others_is_no_stall_and_changes_no_condition() -> None:
    """Whoever's turn it is: the object is being worked on, and no status is written for a change of turns."""
    async with house() as it:
        for name in "ab":
            await it.world.create(name)
        await asyncio.sleep(61.0)
        assert await it.said("a", "Reconciling") == ("True", "Retrying")
        assert await it.said("b", "Reconciling") == ("True", "Retrying")
        assert await it.said("a", "Stalled") is None
        it.world.server.log.clear()
        await asyncio.sleep(300.0)
        assert set(it.world.verbs()) <= {"watch"}


async def test_when_the_probing_object_is_deleted_another_takes_over() -> None:
    """At its time; the last one that is left probes alone."""
    async with house() as it:
        names = ["a", "b", "c"]
        for name in names:
            await it.world.create(name)
        await asyncio.sleep(61.0)
        for left in (2, 1):
            gone = it.probing(*names)
            names.remove(gone)
            await it.world.delete(gone)
            it.start()
            await asyncio.sleep(61.0)
            assert len(it.asked) == 2
            assert gone not in it.taken()
            assert len(names) == left
            assert it.probing(*names)
        it.refusal = None
        await asyncio.sleep(31.0)
        assert await it.children() == 1


async def test_when_the_probing_object_is_changed_another_takes_over() -> None:
    """What it succeeds with then proves nothing for the others: no burst, and nobody is lost."""

    async def asks_if_told(echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        if echo.spec.text != "nothing":
            await context.apply(ConfigMap(echo.metadata.name, {"text": echo.spec.text}))
        return Done(EchoStatus(said=echo.spec.text))

    async with house(asks_if_told) as it:
        names = ["a", "b", "c"]
        for name in names:
            await it.world.create(name)
        await asyncio.sleep(61.0)
        changed = it.probing(*names)
        it.taken()
        await it.world.edit(changed, {"spec": {"text": "nothing"}})
        await asyncio.sleep(28.0)
        assert await it.said(changed, "Ready") == ("True", "Reconciled")
        assert it.taken() == []
        names.remove(changed)
        it.start()
        await asyncio.sleep(60.0)
        assert len(it.asked) == 2
        assert set(it.taken()) == set(names)
        it.refusal = None
        await asyncio.sleep(31.0)
        assert await it.children() == 2


async def test_when_the_probing_object_fails_otherwise_another_takes_over() -> None:
    """The server is away for a while: its object goes by its own count, the next one probes on."""
    async with house() as it:
        names = ["a", "b", "c"]
        for name in names:
            await it.world.create(name)
        await asyncio.sleep(61.0)
        other = it.probing(*names)
        it.taken()
        it.refusal = lambda request: (
            errors.ServerError(503, "ServiceUnavailable") if name_in(request) == other else forbidden(request)
        )
        await asyncio.sleep(60.0)
        assert it.outcome(other) in {Outcome.RETRY, Outcome.SPENT}
        assert it.probing(*(set(names) - {other}))
        it.refusal = None
        await asyncio.sleep(120.0)
        assert await it.children() == 3


async def test_when_the_probing_object_is_found_gone_another_takes_over() -> None:
    """What it wanted to write is not there any more: that is no failure, and no success either."""
    gone: set[str] = set()

    async def writes(echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        if echo.metadata.name in gone:
            raise Gone("the child")
        return await reconcile(echo, context)

    async with house(writes) as it:
        names = ["a", "b"]
        for name in names:
            await it.world.create(name)
        await asyncio.sleep(61.0)
        gone.add(it.probing(*names))
        it.taken()
        await asyncio.sleep(60.0)
        [left] = set(names) - gone
        assert it.taken() == [left]
        assert it.outcomes(*names) == {Outcome.PROBING: 1, None: 1}


async def test_an_object_that_is_being_deleted_takes_no_turn() -> None:
    """It failed while its deletion began, and stays for the sake of another's finalizer."""

    async def slowly(echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        if echo.metadata.name == "c":
            await asyncio.sleep(5.0)
        return await reconcile(echo, context)

    async with house(slowly) as it:
        for name in "ab":
            await it.world.create(name)
        await asyncio.sleep(61.0)
        it.taken()
        await it.world.create("c")
        await it.world.edit("c", {"metadata": {"finalizers": ["example.com/another"]}})
        await asyncio.sleep(1.0)
        await it.world.delete("c")
        await asyncio.sleep(10.0)
        assert it.taken() == ["c"]
        assert it.outcome("c") is None
        await asyncio.sleep(300.0)
        assert sorted(it.taken()) == ["a"] * 5 + ["b"] * 5
        assert it.outcomes("a", "b") == {Outcome.PROBING: 1, Outcome.PARKED: 1}


async def test_a_cleanup_that_succeeds_releases_those_that_wait_for_the_same() -> None:
    """Although the objects stay, for the sake of another's finalizer."""
    refusing = True
    cleaned: list[float] = []

    async def cleanup(echo: Echo, context: Context[EchoStatus]) -> None:
        if refusing:
            raise errors.Forbidden(403, "Forbidden", request="POST /api/v1/secrets")
        cleaned.append(round(asyncio.get_running_loop().time(), 3))

    async with house(cleanup=cleanup) as it:
        it.refusal = None
        for name in "ab":
            await it.world.create(name)
            await asyncio.sleep(1.0)
            finalizers = (await it.world.get(name))["metadata"]["finalizers"]
            await it.world.edit(name, {"metadata": {"finalizers": [*finalizers, "example.com/another"]}})
            await it.world.delete(name)
        await asyncio.sleep(100.0)
        assert it.outcomes("a", "b") == {Outcome.PROBING: 1, Outcome.PARKED: 1}
        refusing = False
        await asyncio.sleep(31.0)
        assert len(cleaned) == 2
        assert cleaned[0] == cleaned[1]
        assert it.outcomes("a", "b") == {None: 2}


async def test_bad_content_is_tried_twice_and_then_waits_for_a_change() -> None:
    """No request for a day; an edit is tried at once, with retries of its own."""
    async with house() as it:
        it.refusal = lambda _: errors.Invalid(422, "Invalid", details={"name": "a"})
        await it.world.create("a")
        await asyncio.sleep(86_400.0)
        assert it.asked == [0.0, 15.0]
        assert await it.said("a", "Stalled") == ("True", "Invalid")
        await it.world.edit("a", {"spec": {"text": "other"}})
        it.start()
        await asyncio.sleep(86_400.0)
        assert it.asked == [0.0, 15.0]
        it.refusal = None
        await it.world.edit("a", {"spec": {"text": "good"}})
        await asyncio.sleep(1.0)
        assert await it.children() == 1
        assert await it.said("a", "Stalled") is None


async def test_another_object_of_the_same_name_starts_anew() -> None:
    """Its generation may be the same: a relist shows only the new one."""
    async with house() as it:
        await it.world.create("a")
        await asyncio.sleep(0.5)
        assert it.manager
        loop = it.manager.loops[0]
        old = loop._store.get(key("a"))
        assert old
        assert it.outcome("a") is Outcome.RETRY
        echoed = msgspec.structs.replace(old, status=msgspec.Raw(b'{"said": "by another"}'))
        loop._own_change(Change(key("a"), old, echoed))
        assert it.outcome("a") is Outcome.RETRY
        reborn = msgspec.structs.replace(old, metadata=msgspec.structs.replace(old.metadata, uid="other"))
        loop._own_change(Change(key("a"), old, reborn))
        assert it.outcome("a") is None


async def test_a_new_configuration_releases_what_waits_for_one() -> None:
    """What was held by its content, and what a reconciler refused outright; each is tried once."""

    async def picky(echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        if echo.spec.text == "refused" and allowed is False:
            return Failed(EchoStatus(), errors.SteadyError("not allowed here"), terminal=True)
        return await reconcile(echo, context)

    allowed = False
    async with house(picky) as it:
        it.refusal = lambda _: errors.Invalid(422, "Invalid", details={"name": "a"})
        await it.world.create("a")
        await it.world.create("b", "refused")
        await asyncio.sleep(60.0)
        assert it.outcomes("a", "b") == {Outcome.HELD: 2}
        assert await it.said("b", "Stalled") == ("True", "SteadyError")
        it.taken()
        assert it.backoff.reconsider() == 2
        await asyncio.sleep(3600.0)
        assert it.taken() == ["a"]
        assert it.outcomes("a", "b") == {Outcome.HELD: 2}
        allowed, it.refusal = True, None
        it.backoff.reconsider()
        await asyncio.sleep(1.0)
        assert await it.children() == 2


async def test_a_wake_up_during_the_wait_moves_nothing() -> None:
    """A child's change every second: each is looked at, the count stays, and the retry comes when it was due."""
    async with house() as it:
        assert it.manager
        await it.world.create("a")
        for number in range(28):
            await asyncio.sleep(1.0)
            it.manager.loops[0].enqueue(key("a"), f"child {number}")
        await asyncio.sleep(1.5)
        assert it.backoff.attempts(("echo", key("a"))) == 1
        await asyncio.sleep(25.0)
        assert it.backoff.attempts(("echo", key("a"))) == 2
        assert it.asked == [*map(float, range(29)), 30.0]


async def test_what_has_spent_its_retries_waits_in_the_low_lane() -> None:
    """Behind everything that users do; what was released goes there too."""
    async with house() as it:
        it.refusal = lambda _: errors.Interrupted("lost")
        await it.world.create("a")
        await asyncio.sleep(0.5)
        assert it.manager
        entries = it.manager.loops[0].queue._entries
        assert entries[key("a")].priority is Priority.MEDIUM
        await asyncio.sleep(300.0)
        assert it.outcome("a") is Outcome.SPENT
        assert entries[key("a")].priority is Priority.LOW
        it.refusal = forbidden
        names = ["a", "b", "c"]
        for name in names[1:]:
            await it.world.create(name)
        await asyncio.sleep(100.0)
        probing = it.probing(*names)
        assert entries[key(probing)].priority is Priority.LOW
        await it.world.delete(probing)
        await asyncio.sleep(1.0)
        assert entries[key(it.probing(*names))].priority is Priority.LOW


async def test_a_failure_is_tried_again_after_its_delay_and_not_before() -> None:
    """There is one answer to when: an error never comes with a second one that overrules the delay."""
    async with house() as it:
        await it.world.create("a")
        await asyncio.sleep(60.5)
        assert it.asked == [0.0, 30.0, 60.0]


async def test_a_status_that_cannot_be_written_is_no_way_out_of_waiting() -> None:
    """The child is forbidden, and so is the status: whichever comes last counts, and nothing is lost."""
    async with house() as it:
        refused = it.world.transport.before
        allowed = asyncio.Event()

        async def before(request: Request) -> None:
            if request.path.endswith("/status") and not allowed.is_set():
                raise forbidden(request)
            assert refused
            await refused(request)

        it.world.transport.before = before
        for name in "ab":
            await it.world.create(name)
        await asyncio.sleep(600.0)
        allowed.set()
        it.refusal = None
        await asyncio.sleep(120.0)
        assert await it.children() == 2
        assert await it.said("a", "Ready") == ("True", "Reconciled")
        assert await it.said("b", "Ready") == ("True", "Reconciled")


async def test_a_deletion_is_tried_again_whatever_refuses_it() -> None:
    """What is being deleted will not be changed by anybody: its cleanup is not held."""
    refusing = True

    async def cleanup(echo: Echo, context: Context[EchoStatus]) -> None:
        if refusing:
            raise errors.Invalid(422, "Invalid", details={"name": "a"})

    async with house(cleanup=cleanup) as it:
        it.refusal = None
        await it.world.create("a")
        await asyncio.sleep(1.0)
        await it.world.delete("a")
        await asyncio.sleep(120.0)
        assert it.outcome("a") is Outcome.SPENT
        refusing = False
        await asyncio.sleep(16.0)
        assert (await it.world.user.send("GET", "/apis/example.com/v1/namespaces/default/echoes"))["items"] == []
        assert len(it.backoff) == 0
