"""The annotations that people give an object: suspend, and reconcile once more. For any kind; requests are counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest

from examples.echo import Echo, EchoSpec, EchoStatus
from steady import (
    Again,
    ConfigMap,
    Context,
    Controller,
    Done,
    Failed,
    Manager,
    Object,
    Owned,
    Result,
    Status,
    Waiting,
    resource,
)
from steady.client import Request
from steady.controller.wishes import Wishes
from steady.errors import Forbidden
from steady.objects import Key, ObjectMeta, RawObject
from steady.testing.memory import MemoryTransport
from tests.behaviour.house import Json, condition, pass_time, requests, running
from tests.unit.steady.widgets import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("rules_of_conditions")]

SUSPEND, RECONCILE = "example.com/suspend", "example.com/reconcile"
STATUS, FINALIZER = ("patch", "echoes", "status"), ("patch", "echoes", "")
CHILD = ("patch", "configmaps", "")
ECHO = "/apis/example.com/v1/namespaces/default/echoes/a"


class Narrow(Status, frozen=True):
    said: Literal["bye"] = "bye"


def narrow_kind() -> type[Object[EchoSpec, Narrow]]:
    """Echoes as somebody declares them who does not know what others write."""

    @resource("example.com/v1", plural="echoes")
    class Echo(Object[EchoSpec, Narrow]):
        """The same kind."""

    return Echo


class Reconciler:
    """Says what it is told, remembers how it was called, and fails or waits when told to."""

    def __init__(self) -> None:
        self.forced: list[bool] = []
        self.cleaned: list[Key] = []
        self.paused: list[Key] = []
        self.failures: list[Exception] = []
        self.raises: list[Exception] = []
        self.waits = 0
        self.again = 0.0
        self.leaves = False

    async def reconcile(self, echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        self.forced.append(context.forced)
        if self.raises:
            raise self.raises.pop()
        await context.apply(ConfigMap(echo.metadata.name, {"text": echo.spec.text}))
        if self.leaves:
            return Done(None)
        status = EchoStatus(said=echo.spec.text)
        if self.failures:
            return Failed(status, self.failures.pop())
        if self.waits:
            self.waits -= 1
            return Waiting(status, after=1.0)
        return Again(status, after=self.again) if self.again else Done(status)

    async def cleanup(self, echo: Echo, context: Context[EchoStatus]) -> None:
        self.cleaned.append(echo.key)


async def slowly(request: Request) -> None:
    """Holds every write for three seconds."""
    if request.method == "PATCH":
        await asyncio.sleep(3.0)


class Here:
    """One server and one reconciler; the operator may run several times on them."""

    def __init__(self, it: World) -> None:
        self.world = it
        self.reconciler = Reconciler()

    @asynccontextmanager
    async def operator(self, **options: Any) -> AsyncIterator[Manager]:
        """The operator at work."""
        own = {"owns": [ConfigMap], "pause": self.reconciler.paused.append, **options}
        controller = Controller(Echo, self.reconciler.reconcile, **own)
        async with running(self.world.server, controller, clock=self.world.clock) as manager:
            yield manager

    async def annotate(self, **annotations: str | None) -> None:
        """Annotate the object, or take an annotation back; nothing but what follows is counted afterwards."""
        names = {"suspend": SUSPEND, "reconcile": RECONCILE}
        self.world.server.log.clear()
        self.reconciler.forced.clear()
        await self.world.edit("a", {"metadata": {"annotations": {names[k]: v for k, v in annotations.items()}}})
        await pass_time()

    async def create(self, annotations: dict[str, str] | None = None) -> None:
        """The object."""
        head = {"apiVersion": "example.com/v1", "kind": "Echo", "metadata": {"name": "a", "annotations": annotations}}
        path = "/apis/example.com/v1/namespaces/default/echoes"
        await self.world.user.send("POST", path, {**head, "spec": {"text": "hello"}})
        await pass_time()

    async def echo(self) -> Json:
        """The object as it is."""
        return await self.world.get("a")

    def spent(self) -> dict[tuple[str, str, str], int]:
        """Requests since the last annotation."""
        return dict(requests(self.world.server))


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    async with world() as it:
        yield Here(it)


# Suspend.


async def test_suspending_costs_one_patch_that_says_so(here: Here) -> None:
    """What was last seen stays, with Suspended; an hour of child changes and a restart cost nothing more."""
    async with here.operator():
        await here.create()
        before = (await here.echo())["status"]
        await here.annotate(suspend="true")
        assert here.spent() == {STATUS: 1}
        echo = await here.echo()
        assert condition(echo, "Suspended") == ("True", "SuspendedByAnnotation")
        assert condition(echo, "Ready") == condition({"status": before}, "Ready")
        assert echo["status"]["said"] == before["said"]
        await here.world.user.send("DELETE", "/api/v1/namespaces/default/configmaps/a")
        await pass_time(3600.0)
        assert here.spent() == {STATUS: 1}
    async with here.operator():
        await pass_time(10.0)
        assert here.spent() == {STATUS: 1}
        assert here.reconciler.forced == []


async def test_an_object_that_comes_suspended_is_not_touched(here: Here) -> None:
    """No finalizer, no child, no reconcile; Ready is Unknown, as nobody looked."""
    async with here.operator(cleanup=here.reconciler.cleanup):
        await here.create({SUSPEND: "true"})
        assert here.spent() == {STATUS: 1}
        echo = await here.echo()
        assert condition(echo, "Suspended") == ("True", "SuspendedByAnnotation")
        assert condition(echo, "Ready") == ("Unknown", "Pending")
        assert "finalizers" not in echo["metadata"]
        assert here.reconciler.forced == []


async def test_an_object_without_any_condition_is_not_taken_for_a_ready_one(here: Here) -> None:
    """Readers of conditions take an absent Ready for True."""
    await here.create({SUSPEND: "true"})
    await here.world.user.merge(f"{ECHO}/status", {"status": {"conditions": None}})
    async with here.operator():
        await pass_time()
        assert condition(await here.echo(), "Ready") == ("Unknown", "Suspended")
        assert here.spent() == {STATUS: 1}


async def test_an_edit_of_a_suspended_object_waits_until_it_is_resumed(here: Here) -> None:
    """`observedGeneration` stays behind, so nobody takes it for ready; then one child and one status patch."""
    async with here.operator():
        await here.create()
        await here.annotate(suspend="true")
        await here.world.edit("a", {"spec": {"text": "bye"}})
        await pass_time()
        echo = await here.echo()
        assert here.spent() == {STATUS: 1}
        assert (echo["status"]["observedGeneration"], echo["metadata"]["generation"]) == (1, 2)
        await here.annotate(suspend=None)
        echo = await here.echo()
        assert here.spent() == {CHILD: 1, STATUS: 1}
        assert (echo["status"]["said"], echo["status"]["observedGeneration"]) == ("bye", 2)
        assert condition(echo, "Suspended") is None


async def test_resuming_an_unchanged_object_costs_one_patch(here: Here) -> None:
    """The one that takes Suspended away; any value but "true" resumes."""
    async with here.operator():
        await here.create()
        await here.annotate(suspend="true")
        await here.annotate(suspend="false")
        assert here.spent() == {STATUS: 1}
        assert condition(await here.echo(), "Suspended") is None
        await here.annotate(suspend="no")
        assert here.spent() == {}


async def test_a_suspended_object_is_still_cleaned_up(here: Here) -> None:
    """Deleting it calls the cleanup and removes the finalizer, for one patch."""
    async with here.operator(cleanup=here.reconciler.cleanup):
        await here.create()
        await here.annotate(suspend="true")
        here.world.server.log.clear()
        await here.world.delete("a")
        await pass_time()
        assert here.spent() == {FINALIZER: 1}
        assert here.reconciler.cleaned == [Key("default", "a")]
        assert here.world.server.objects("echoes.example.com") == []


async def test_neither_a_retry_nor_another_look_reaches_a_suspended_object(here: Here) -> None:
    """What backoff or `Again` had planned does not happen, and Reconciling is no longer claimed."""
    here.reconciler.failures = [Forbidden(403)]
    here.reconciler.again = 1.0
    async with here.operator():
        await here.create()
        assert condition(await here.echo(), "Reconciling") == ("True", "Retrying")
        await here.annotate(suspend="true")
        await pass_time(600.0)
        echo = await here.echo()
        assert (condition(echo, "Reconciling"), here.reconciler.forced) == (None, [])
        assert here.spent() == {STATUS: 1}
        assert here.reconciler.paused
        await here.annotate(suspend=None)
        assert here.reconciler.forced
        assert condition(await here.echo(), "Ready") == ("True", "Reconciled")


async def test_progress_that_still_waits_goes_with_the_suspension(here: Here) -> None:
    """One patch tells both: nothing is lost, and nothing goes backwards."""
    here.reconciler.waits = 1_000
    async with here.operator():
        await here.create()
        await pass_time(5.0)
        await here.world.edit("a", {"spec": {"text": "bye"}})
        await pass_time(0.1)
        await here.annotate(suspend="true")
        await pass_time(10.0)
        echo = await here.echo()
        assert condition(echo, "Suspended") == ("True", "SuspendedByAnnotation")
        assert condition(echo, "Reconciling") is None
        assert (echo["status"]["observedGeneration"], echo["status"]["said"]) == (2, "bye")
        assert here.spent() == {STATUS: 1}


async def test_progress_in_flight_does_not_outlive_the_suspension(here: Here) -> None:
    """Nor is it overwritten by what was known before it landed."""
    here.reconciler.waits = 1_000
    async with here.operator() as manager:
        await here.create()
        await pass_time(5.0)
        transport = manager.loops[0]._client.transport
        assert isinstance(transport, MemoryTransport)
        transport.before = slowly
        await here.world.edit("a", {"spec": {"text": "bye"}})
        await pass_time(3.0)
        await here.annotate(suspend="true")
        await pass_time(20.0)
        echo = await here.echo()
        assert condition(echo, "Suspended") == ("True", "SuspendedByAnnotation")
        assert (echo["status"]["observedGeneration"], echo["status"]["said"]) == (2, "bye")


async def test_a_resumed_object_is_tried_as_if_it_had_never_failed(here: Here) -> None:
    """Whoever resumes has changed something: one more failure does not stall it."""
    here.reconciler.failures = [ValueError("wrong")] * 2
    async with here.operator():
        await here.create()
        await pass_time(600.0)
        await here.annotate(suspend="true")
        here.reconciler.failures = [ValueError("wrong")]
        await here.annotate(suspend=None)
        await pass_time(600.0)
        assert condition(await here.echo(), "Ready") == ("True", "Reconciled")


async def test_a_failing_reconcile_after_a_suspension_does_not_keep_it(here: Here) -> None:
    """A raised exception writes the last status again, but not its Suspended."""
    async with here.operator():
        await here.create()
        await here.annotate(suspend="true")
        here.reconciler.raises = [Forbidden(403)]
        await here.annotate(suspend=None)
        assert condition(await here.echo(), "Reconciling") == ("True", "Retrying")
        assert condition(await here.echo(), "Suspended") is None


async def test_a_status_that_cannot_be_read_is_kept(here: Here) -> None:
    """Whatever others wrote stays as they wrote it; nothing is said twice."""

    async def never(_: Any, __: Any) -> Result[Narrow]:
        raise AssertionError("called for a suspended object")

    await here.create({SUSPEND: "true"})
    await here.world.user.merge(f"{ECHO}/status", {"status": {"said": "hello"}})
    for _ in range(2):
        async with running(here.world.server, Controller(narrow_kind(), never)):
            await pass_time()
            assert here.spent() == {STATUS: 1}
            echo = await here.echo()
            assert (echo["status"]["said"], condition(echo, "Suspended")) == (
                "hello",
                ("True", "SuspendedByAnnotation"),
            )


# Reconcile once more.


async def test_a_new_value_runs_everything_once_for_one_patch(here: Here) -> None:
    """Nothing differs but the note of the value; an hour, the same value again, and a restart cost nothing."""
    async with here.operator():
        await here.create()
        await here.annotate(reconcile="one")
        assert here.reconciler.forced == [True]
        assert here.spent() == {STATUS: 1}
        assert (await here.echo())["status"]["lastHandledReconcile"] == "one"
        await pass_time(3600.0)
        await here.world.edit("a", {"metadata": {"annotations": {RECONCILE: "one"}}})
        await pass_time()
        assert here.spent() == {STATUS: 1}
        await here.annotate(reconcile="two")
        assert (here.reconciler.forced, here.spent()) == ([True], {STATUS: 1})
    here.world.server.log.clear()
    here.reconciler.forced.clear()
    async with here.operator():
        await pass_time(10.0)
        assert here.spent() == {}
        assert True not in here.reconciler.forced


async def test_a_value_that_was_taken_back_and_given_again_is_the_same_value(here: Here) -> None:
    """Neither costs a request, also after a restart."""
    async with here.operator():
        await here.create()
        await here.annotate(reconcile="one")
        await here.annotate(reconcile=None)
        assert here.spent() == {}
        await here.annotate(reconcile="one")
        assert (here.spent(), True in here.reconciler.forced) == ({}, False)
    async with here.operator():
        await here.annotate(reconcile=None)
        await here.annotate(reconcile="one")
        assert (here.spent(), True in here.reconciler.forced) == ({}, False)


async def test_an_ordinary_status_keeps_the_note(here: Here) -> None:
    """A later edit writes it with the rest; it is not lost and not handled again."""
    async with here.operator():
        await here.create()
        await here.annotate(reconcile="one")
        await here.world.edit("a", {"spec": {"text": "bye"}})
        await pass_time()
        assert (await here.echo())["status"]["lastHandledReconcile"] == "one"
        assert here.reconciler.forced == [True, False]


async def test_an_object_that_comes_with_a_value_is_created_as_ever(here: Here) -> None:
    """The note goes with the first status."""
    async with here.operator():
        await here.create({RECONCILE: "one"})
        assert here.spent() == {("create", "configmaps", ""): 1, STATUS: 1}
        assert (await here.echo())["status"]["lastHandledReconcile"] == "one"


async def test_a_reconciler_that_leaves_the_status_alone_is_forced_once(here: Here) -> None:
    """Only the note is added to what others wrote, for one patch; a restart does not repeat it."""
    here.reconciler.leaves = True
    async with here.operator():
        await here.create()
        await here.annotate(reconcile="one")
        assert (here.reconciler.forced, here.spent()) == ([True], {STATUS: 1})
        assert (await here.echo())["status"]["lastHandledReconcile"] == "one"
    async with here.operator():
        await pass_time(10.0)
        assert (here.reconciler.forced, here.spent()) == ([True, False], {STATUS: 1})


async def test_a_failure_that_is_tried_again_is_tried_with_force(here: Here) -> None:
    """The value is handled once it has come to something."""
    async with here.operator():
        await here.create()
        here.reconciler.failures = [Forbidden(403)]
        await here.annotate(reconcile="one")
        assert "lastHandledReconcile" not in (await here.echo())["status"]
        await pass_time(60.0)
        assert here.reconciler.forced == [True, True]
        assert here.spent() == {STATUS: 2}
        assert (await here.echo())["status"]["lastHandledReconcile"] == "one"


async def test_a_failure_for_good_is_handled(here: Here) -> None:
    """It is written with the failure, so that a restart does not repeat it."""
    async with here.operator():
        await here.create()
        here.reconciler.failures = [ValueError("wrong")] * 3
        await here.annotate(reconcile="one")
        await pass_time(600.0)
        echo = await here.echo()
        assert condition(echo, "Stalled") == ("True", "ValueError")
        assert echo["status"]["lastHandledReconcile"] == "one"


async def test_a_new_value_does_not_wait_for_backoff(here: Here) -> None:
    """Whoever asks has changed something: a stalled object is tried, and one more failure does not stall it again."""
    here.reconciler.failures = [ValueError("wrong")] * 2
    async with here.operator():
        await here.create()
        await pass_time(600.0)
        assert condition(await here.echo(), "Stalled") == ("True", "ValueError")
        here.reconciler.failures = [ValueError("wrong")]
        await here.annotate(reconcile="one")
        await pass_time(600.0)
        assert here.reconciler.forced == [True, True]
        assert condition(await here.echo(), "Ready") == ("True", "Reconciled")


async def test_a_new_object_of_the_same_name_has_asked_for_nothing(here: Here) -> None:
    """What its predecessor asked for is forgotten with it."""
    async with here.operator():
        await here.create()
        await here.annotate(reconcile="one")
        await here.world.delete("a")
        await pass_time()
        await here.create()
        assert "lastHandledReconcile" not in (await here.echo())["status"]


async def test_waiting_is_forced_once(here: Here) -> None:
    """What comes after is ordinary, although the note is still on its way."""
    async with here.operator():
        await here.create()
        here.reconciler.waits = 3
        await here.annotate(reconcile="one")
        await pass_time(10.0)
        assert here.reconciler.forced == [True, False, False, False]


async def test_a_suspended_object_is_reconciled_when_it_is_resumed(here: Here) -> None:
    """The value waits."""
    async with here.operator():
        await here.create()
        await here.annotate(suspend="true", reconcile="one")
        assert (here.reconciler.forced, here.spent()) == ([], {STATUS: 1})
        await here.annotate(suspend=None)
        assert (here.reconciler.forced, here.spent()) == ([True], {STATUS: 1})


async def test_a_child_that_only_its_mark_tells_is_written_again(here: Here) -> None:
    """What somebody did to it while nobody watched is undone; content that is in the cache is compared as ever."""
    maps = "/api/v1/namespaces/default/configmaps/a"
    owns = [Owned(ConfigMap, metadata_only=True)]
    async with here.operator(owns=owns):
        await here.create()
    await here.world.user.merge(maps, {"data": {"text": "spoilt"}})
    async with here.operator(owns=owns):
        await pass_time()
        assert (await here.world.user.send("GET", maps))["data"]["text"] == "spoilt"
        await here.annotate(reconcile="one")
        assert here.spent() == {CHILD: 1, STATUS: 1}
        assert (await here.world.user.send("GET", maps))["data"]["text"] == "hello"


async def test_another_domain_may_be_chosen(here: Here) -> None:
    """Then the group's own annotations mean nothing."""
    async with here.operator(domain="ops.example"):
        await here.create()
        await here.annotate(suspend="true")
        assert here.spent() == {}
        await here.world.edit("a", {"metadata": {"annotations": {"ops.example/suspend": "true"}}})
        await pass_time()
        assert here.spent() == {STATUS: 1}


def test_a_long_value_counts_by_its_beginning() -> None:
    """A status stays small whatever an annotation holds."""
    wishes = Wishes("d")
    one, two = (
        RawObject(metadata=ObjectMeta(name="a", annotations={"d/reconcile": "x" * 128 + end})) for end in ("1", "2")
    )
    assert wishes.forced(one)
    wishes.handled(one)
    assert not wishes.forced(two)
    assert wishes.noted(one, EchoStatus()).last_handled_reconcile == "x" * 128
