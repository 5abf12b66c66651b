"""Why an object is as it is: what the running operator tells of one key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from examples.echo import Echo, EchoStatus, reconcile
from steady import ConfigMap, Context, Controller, Manager, Result
from steady.client.transport import Request
from steady.controller import Explanation
from steady.errors import SteadyError
from steady.metrics import Metrics
from steady.probes import Probes
from steady.testing.memory import MemoryTransport
from tests.behaviour.house import pass_time, running
from tests.unit.steady.widgets import World, key, world


class Here:
    """A server, an operator, and what its reconciles raise."""

    def __init__(self, it: World) -> None:
        self.world = it
        self.error: Exception | None = None
        self.manager: Manager | None = None

    async def reconcile(self, echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        """As the example, unless an error is due."""
        if self.error:
            raise self.error
        return await reconcile(echo, context)

    def why(self, name: str = "a") -> Explanation:
        """What the operator tells of an echo."""
        assert self.manager
        told = self.manager.explain("echo", key(name))
        assert told
        return told


@asynccontextmanager
async def operator(concurrency: int = 4) -> AsyncIterator[Here]:
    """A running operator."""
    async with world() as it:
        here = Here(it)
        controller = Controller(Echo, here.reconcile, owns=[ConfigMap], concurrency=concurrency)
        async with running(it.server, controller, clock=it.clock) as manager:
            here.manager = manager
            yield here


@pytest.mark.looptime
async def test_an_object_that_is_as_it_should_be_tells_what_it_cost() -> None:
    """Last cause and result, one reconcile, and its two requests by reason."""
    async with operator() as here:
        await here.world.create("a")
        await pass_time()
        why = here.why()
        assert (why.controller, why.namespace, why.name, why.exists) == ("echo", "default", "a", True)
        assert (why.reconciles, why.requests) == (1, {"child": 1, "status": 1})
        assert why.last
        assert (why.last.cause, why.last.result, why.last.error) == ("created", "success", "")
        assert (why.queue.state, why.backoff, why.status) == ("idle", None, None)


@pytest.mark.looptime
async def test_a_failing_object_tells_of_its_backoff() -> None:
    """Type, strategy, attempt and the next try; when it is well again, nothing is left of it."""
    async with operator() as here:
        here.error = SteadyError("down, password=secret")
        await here.world.create("a")
        await pass_time(0.0)
        await pass_time(0.001)
        why = here.why()
        assert why.last
        assert (why.last.result, why.last.error) == ("error", "SteadyError: down, password=***")
        assert why.backoff
        assert (why.backoff.outcome, why.backoff.error_type, why.backoff.strategy) == (
            "retry",
            "transient",
            "exponential",
        )
        assert why.backoff.attempt == 1
        assert why.backoff.seconds is not None
        assert 0 < why.backoff.seconds <= 2.0
        assert why.queue.state == "delayed"
        assert why.queue.seconds == pytest.approx(why.backoff.seconds, abs=1e-5)
        here.error = None
        await pass_time(10.0)
        why = here.why()
        assert why.last
        assert (why.last.cause, why.last.result) == ("retry after SteadyError", "success")
        assert (why.backoff, why.queue.state) == (None, "idle")


@pytest.mark.looptime
async def test_a_status_on_its_way_says_why_it_waits() -> None:
    """Here the server takes long to answer."""
    async with operator() as here:

        async def slow(request: Request) -> None:
            if request.path.endswith("/status"):
                await asyncio.sleep(3.0)

        transport_of(here.manager).before = slow
        await here.world.create("a")
        await pass_time(2.0)
        why = here.why()
        assert why.status
        assert (why.status.priority, why.status.why) == ("high", "it is being sent")
        assert why.status.waited == pytest.approx(2.0, abs=0.01)
        assert why.queue.state == "running"
        await pass_time(2.0)
        assert here.why().status is None


@pytest.mark.looptime
async def test_a_queued_object_tells_how_many_go_first() -> None:
    """With one slot, which is taken for ten seconds."""
    async with operator(concurrency=1) as here:

        async def slow(request: Request) -> None:
            if request.method == "POST":
                await asyncio.sleep(10.0)

        transport_of(here.manager).before = slow
        for name in "abcd":
            await here.world.create(name)
        await pass_time(1.0)
        assert [(here.why(name).queue.state, here.why(name).queue.position) for name in "abcd"] == [
            ("running", 0),
            ("ready", 0),
            ("ready", 1),
            ("ready", 2),
        ]


@pytest.mark.looptime
async def test_what_is_gone_is_forgotten() -> None:
    """Nothing is kept of an object that does not exist, however it was asked for."""
    async with operator() as here:
        await here.world.create("a")
        await pass_time()
        await here.world.delete("a")
        await pass_time()
        why = here.why()
        assert (why.exists, why.reconciles, why.last) == (False, 0, None)
        assert here.why("never").exists is False
        assert here.manager
        assert here.manager.loops[0]._pasts == {}


@pytest.mark.looptime
async def test_nobody_knows_of_a_controller_that_is_not_there() -> None:
    """Then there is no explanation at all."""
    async with operator() as here:
        assert here.manager
        assert here.manager.explain("other", key("a")) is None


async def test_the_explanation_is_served_beside_the_probes() -> None:
    """As JSON; 404 names a controller that does not exist."""

    def explain(controller: str, of: object) -> Explanation | None:
        return None if controller != "echo" else _some(str(of))

    async with Probes({}, Metrics(), explain=explain) as probes, aiohttp.ClientSession() as session:
        base = f"http://127.0.0.1:{probes.port}/explain"
        async with session.get(f"{base}/echo/default/a") as answer:
            assert (answer.status, (await answer.json())["name"]) == (200, "default/a")
        async with session.get(f"{base}/other/default/a") as answer:
            assert (answer.status, await answer.text()) == (404, "no controller is called 'other'\n")


def _some(name: str) -> Explanation:
    from steady.controller.explanation import Queued

    return Explanation("echo", "default", name, exists=True, queue=Queued("idle"))


def transport_of(manager: Manager | None) -> MemoryTransport:
    """The operator's way to the server."""
    assert manager
    transport = manager.loops[0]._client.transport
    assert isinstance(transport, MemoryTransport)
    return transport
