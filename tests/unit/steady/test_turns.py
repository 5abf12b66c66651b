"""How long a controller keeps the event loop: the lease, the probes and the watches need their turn as well."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from examples.echo import Echo, EchoStatus
from steady import Context, Controller, Done, Result
from tests.behaviour.house import pass_time, running
from tests.unit.steady.widgets import world

pytestmark = pytest.mark.looptime

OBJECTS, SLOTS = 100, 4


async def test_reconciles_that_await_nothing_leave_turns_to_others() -> None:
    """After a start all objects are queued, and most of them need nothing: no more than one per slot goes at a time."""
    reconciled, rows = 0, [0]

    async def reconcile(_: Echo, __: Context[EchoStatus]) -> Result[EchoStatus]:
        nonlocal reconciled
        reconciled += 1
        return Done(None)

    async def others() -> None:
        while reconciled < OBJECTS:
            rows.append(reconciled)
            await asyncio.sleep(0)
        rows.append(reconciled)

    async with world() as it:
        for number in range(OBJECTS):
            await it.create(f"a-{number}")
        turns = asyncio.create_task(others())
        async with running(it.server, Controller(Echo, reconcile, concurrency=SLOTS), clock=it.clock):
            await pass_time()
        await turns
    assert max(after - before for before, after in pairwise(rows)) <= SLOTS
    assert reconciled == OBJECTS
