"""Benchmarks of what is made anew for each reconcile, and so of what a pool of objects could save at most."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from bench.micro.case import Case, Prepare, Prepared, Step
from bench.micro.house import echo_controller, echoes
from examples.echo import Echo, EchoStatus
from steady.cache import Store
from steady.client import Request
from steady.clock import SystemClock
from steady.controller import Context
from steady.controller.children import Family
from steady.metrics import Metrics
from steady.objects.conditions import true
from steady.objects.patches import add, test
from steady.queue import Priority
from steady.status.pending import Pending, Share
from steady.status.statistics import Flush, Tally
from steady.status.ticket import Ticket
from steady.trace import Trace

_RAW: Final = echoes(1)[0]
_STATUS: Final = EchoStatus(1, (true("Ready", "Reconciled"),), "hello 2")


def _made(make: Callable[[], object]) -> Prepare:
    """A benchmark of `make`."""

    @asynccontextmanager
    async def prepare(_: int) -> Prepared:
        async def run(times: int) -> None:
            for _ in range(times):
                make()

        yield Step(run)

    return prepare


@asynccontextmanager
async def _timeouts(_: int) -> Prepared:
    async def run(times: int) -> None:
        for _ in range(times):
            async with asyncio.timeout(300.0):  # noqa: ASYNC100 - what it costs is the question
                pass

    yield Step(run)


@asynccontextmanager
async def _contexts(_: int) -> Prepared:
    """A context with one kind of children, and the functions that it is given."""
    controller = echo_controller()
    store, clock = Store(controller.resource), SystemClock()
    stores = {owned.child.resource: Store(owned.child.resource) for owned in controller.owns}
    counters = Metrics().controller("echo")
    owned = controller.owns[0]

    async def run(times: int) -> None:
        for _ in range(times):
            family = Family(stores[owned.child.resource], None, _RAW, owned.labels, metadata_only=False)  # type: ignore[arg-type]

            def event(type_: str, reason: str, message: str) -> None:
                """Stands for the one that tells the recorder."""

            Context[EchoStatus](
                store,
                clock,
                stores=stores,
                families={owned.child.resource: family},
                report=lambda _: None,
                event=event,
                phase=counters.phase,
                cause="changed",
            )

    yield Step(run)


def _encoders() -> tuple[Prepare, Prepare]:
    """The two encodings of a status write: into new bytes, and into one buffer that is used again."""
    status, patch = msgspec.json.Encoder(order="sorted"), msgspec.json.Encoder()
    buffer = bytearray(4096)

    def fresh() -> bytes:
        raw = msgspec.Raw(status.encode(_STATUS))
        return patch.encode([test("/metadata/uid", "uid-0"), add("/status", raw)])

    def again() -> bytes:
        # What is sent and what the cache keeps outlive the buffer, so both are copied out of it.
        status.encode_into(_STATUS, buffer)
        raw = msgspec.Raw(bytes(buffer))
        patch.encode_into([test("/metadata/uid", "uid-0"), add("/status", raw)], buffer)
        return bytes(buffer)

    assert fresh() == again()
    return _made(fresh), _made(again)


def _request() -> Request:
    headers = {"accept": "application/json", "content-type": "application/json-patch+json"}
    path = "/apis/example.com/v1/namespaces/bench/echoes/echo-0/status"
    return Request("PATCH", path, {"fieldManager": "steady"}, headers, b"", 30.0)


_FRESH, _AGAIN = _encoders()
_SHARE: Final = Share(Store(Echo.declaration.resource), "echoes.example.com", Tally())

POOLS: Final = (
    Case("pool-context", _contexts, "Context, its families and functions"),
    Case("pool-view", _made(lambda: Echo(_RAW)), "the view, undecoded"),
    Case("pool-timeout", _timeouts, "asyncio.timeout: made, entered, left (a pool cannot save the timer)"),
    Case("pool-pending", _made(lambda: Pending(_SHARE, _RAW, _RAW.metadata.uid, 0.0)), "Pending"),
    Case("pool-ticket", _made(Ticket), "Ticket"),
    Case("pool-flush", _made(lambda: Flush("echoes", Priority.HIGH, 0.0, print)), "Flush"),
    Case("pool-trace", _made(lambda: Trace("echo", "bench/echo-0")), "Trace, its id and counter"),
    Case("pool-request", _made(_request), "Request and its headers"),
    Case("pool-encode", _FRESH, "status and patch, encoded into new bytes"),
    Case("pool-encode-again", _AGAIN, "the same into a buffer that is used again"),
)
