"""Benchmarks of the queue, the cache and the view."""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count, cycle, islice

import msgspec

from bench.micro.case import Prepared, Step
from bench.micro.house import echoes
from examples.echo import Echo
from steady.cache import Store
from steady.metrics import Metrics
from steady.objects.keys import Key
from steady.objects.raw import decode_event, decode_object
from steady.queue import Queue

_STATUS = (
    b'{"conditions":[{"lastTransitionTime":"2026-01-01T00:00:00Z","message":"","observedGeneration":1,'
    b'"reason":"Reconciled","status":"True","type":"Ready"}],"observedGeneration":1,"said":"hello"}'
)


@asynccontextmanager
async def queue(keys: int) -> Prepared:
    """A key is added, taken and given back, while `keys` others are delayed."""
    rows = cycle([Key("bench", f"echo-{number}") for number in range(keys)])
    it: Queue[Key] = Queue(metrics=Metrics())
    for number in range(keys):
        it.add(Key("delayed", f"echo-{number}"), delay=3600.0)

    async def run(times: int) -> None:
        for key in islice(rows, times):
            it.add(key)
            it.done(await it.get())

    yield Step(run)
    it.close()


@asynccontextmanager
async def event(keys: int) -> Prepared:
    """A line of a watch is decoded and taken into a store with one listener, which hears of a change."""
    store = Store(Echo.declaration.resource)
    store.replace(echoes(keys), "1")
    store.listen(lambda _: None)
    versions = count(1_000_000)
    texts = cycle(["hi", "hello"])
    lines = [
        (
            b'{"type":"MODIFIED","object":{"apiVersion":"example.com/v1","kind":"Echo","metadata":{"name":"%b",'
            b'"namespace":"bench","uid":"%b","creationTimestamp":"2026-01-01T00:00:00Z","generation":1,'
            % (obj.metadata.name.encode(), obj.metadata.uid.encode())
        )
        for obj in store
    ]
    rows = cycle(lines)

    async def run(times: int) -> None:
        for line in islice(rows, times):
            rest = b'"resourceVersion":"%d"},"spec":{"text":"%b"},"status":%b}}' % (
                next(versions),
                next(texts).encode(),
                _STATUS,
            )
            it = decode_event(line + rest)
            store.apply(it.type, decode_object(it.object))

    yield Step(run)


@asynccontextmanager
async def view(_: int) -> Prepared:
    """An object is looked at: metadata, spec and status."""
    raw = msgspec.structs.replace(echoes(1)[0], status=msgspec.Raw(_STATUS))

    async def run(times: int) -> None:
        for _ in range(times):
            echo = Echo(raw)
            assert echo.spec.text == echo.status.said

    yield Step(run)
