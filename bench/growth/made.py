"""Completed intents in any number, made by the operator's own controller, and a line for each of what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec

from bench.ledger import Ledger
from bench.micro.house import NAMESPACE, house
from bench.workload import Intents
from nephoran.api import NetworkIntent, NetworkIntentStatus
from nephoran.api.names import INTENT_FINALIZER
from nephoran.controllers import Settings, intent_controller
from nephoran.intent.interpret import RuleInterpreter
from nephoran.knowledge import knowledge
from nephoran.repository import Record
from steady import Context, Controller, Result
from steady.objects.meta import ObjectMeta
from steady.objects.raw import RawObject

_AT_ONCE = 500
_SENTENCES = 10_000  # each has another size of memory, and those have a limit


class Life(msgspec.Struct, frozen=True):
    """One intent: its object as the server lists it, and the record of its directory."""

    namespace: str
    name: str
    object: msgspec.Raw
    record: Record


def intents_controller(count: int) -> tuple[Controller[Any, Any], Ledger, asyncio.Event]:
    """The operator's controller, the repository it writes to, and what is set when it has reconciled `count` times."""
    ledger, done = Ledger(), asyncio.Event()
    images = {component: f"registry.example/{component}:1" for component in knowledge().components}
    controller = intent_controller(RuleInterpreter(), ledger, Settings(images=images))
    controller.reconcile = _counting(controller.reconcile, count, done)
    return controller, ledger, done


def _counting(reconcile: Callable[..., Any], count: int, done: asyncio.Event) -> Callable[..., Any]:
    left = count

    async def counted(intent: NetworkIntent, context: Context[NetworkIntentStatus]) -> Result[NetworkIntentStatus]:
        nonlocal left
        result: Result[NetworkIntentStatus] = await reconcile(intent, context)
        left -= 1
        if not left:
            done.set()
        return result

    return counted


async def make(path: Path, count: int) -> AsyncIterator[int]:
    """Write `count` lines to `path`; how many there are, from time to time."""
    controller, ledger, _ = intents_controller(0)
    fresh = _fresh(count)
    with path.open("wb") as file:
        for start in range(0, count, _AT_ONCE):
            some = [obj for _, obj in zip(range(_AT_ONCE), fresh, strict=False)]
            async with house(controller, some) as it:
                await it.change(some)
                for obj in it.store:
                    key = obj.key
                    life = Life(key.namespace, key.name, msgspec.Raw(msgspec.json.encode(obj)), ledger.records[key])
                    file.write(msgspec.json.encode(life) + b"\n")
            ledger.records.clear()
            yield start + len(some)


def _fresh(count: int) -> Iterator[RawObject]:
    resource = NetworkIntent.declaration.resource
    specs = [msgspec.Raw(msgspec.json.encode(body["spec"])) for body in Intents(min(count, _SENTENCES)).bodies()]
    for number, spec in zip(range(count), cycle(specs), strict=False):
        metadata = ObjectMeta(
            f"intent-{number}",
            NAMESPACE,
            f"00000000-0000-4000-8000-{number:012}",
            str(number + 1),
            0,
            "2026-01-01T00:00:00Z",
            finalizers=(INTENT_FINALIZER,),
        )
        yield RawObject(resource.api_version, resource.kind, metadata, spec)
