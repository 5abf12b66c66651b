"""What the operator is given to do, and an independent user who does it and watches."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

from nephoran.api.names import GROUP, VERSION
from steady.tasks import Scope

_API: Final = f"{GROUP}/{VERSION}"
_AT_ONCE: Final = 32
"""Requests of the user at a time: enough to keep an API server busy."""
COMPONENTS: Final = ("AMF", "SMF", "UPF", "NRF", "PCF", "UDM", "AUSF", "NSSF")
"""Network functions that the sentences deploy."""

Body = dict[str, Any]
Seen = Callable[[int], None]
"""Is told how many objects have reached their goal."""


class _Metadata(msgspec.Struct):
    name: str


class _Status(msgspec.Struct, frozen=True):
    phase: str = ""


class _Object(msgspec.Struct):
    metadata: _Metadata
    status: _Status = _Status()


class Event(msgspec.Struct):
    """What a user reads of one event of a watch."""

    type: str
    object: _Object


_event = msgspec.json.Decoder(Event)


class Workload(ABC):
    """Objects of one kind, created at once. `units` is how many things they ask for; `goal` the phase to be reached."""

    plural: str
    goal: str
    units: int

    @abstractmethod
    def bodies(self) -> list[Body]:
        """The objects to create."""


class Intents(Workload):
    """`units` NetworkIntents, each with a sentence of its own."""

    plural = "networkintents"
    goal = "Completed"

    def __init__(self, units: int) -> None:
        self.units = units

    def bodies(self) -> list[Body]:
        """The objects to create."""
        return intents(self.units)


class NodeSet(Workload):
    """One E2NodeSet of `units` nodes at the RIC `endpoint`."""

    plural = "e2nodesets"
    goal = "Ready"

    def __init__(self, units: int, endpoint: str) -> None:
        self.units = units
        self._endpoint = endpoint

    def bodies(self) -> list[Body]:
        """The object to create."""
        return [node_set("set", self.units, self._endpoint)]


def intents(count: int) -> list[Body]:
    """That many NetworkIntents, each with a sentence of its own."""
    sentences = itertools.product(range(128, 128 * 1024, 128), range(2, 6), COMPONENTS)
    return [
        intent(f"intent-{number}", f"Deploy {what} with {many} replicas and {size}Mi memory")
        for number, (size, many, what) in zip(range(count), sentences, strict=False)
    ]


def intent(name: str, sentence: str) -> Body:
    """A NetworkIntent."""
    return _body("NetworkIntent", name, {"intent": sentence})


def node_set(name: str, replicas: int, endpoint: str) -> Body:
    """An E2NodeSet of `replicas` nodes at the RIC `endpoint`."""
    return _body("E2NodeSet", name, {"replicas": replicas, "ricConfiguration": {"ricEndpoint": endpoint}})


def bare_repository(folder: Path) -> Path:
    """A bare git repository in `folder` that takes pushes."""
    path = folder / "remote.git"
    subprocess.run(["git", "init", "--bare", "--quiet", "--initial-branch=main", path], check=True)
    return path


async def durations(
    session: aiohttp.ClientSession, namespace: str, workload: Workload, seen: Seen, limit: float
) -> list[float]:
    """Create the workload; seconds from each creation's sending until its goal was seen by a watch of the user's own.

    Objects that did not get there within `limit` seconds are left out.
    """
    path = f"/apis/{_API}/namespaces/{namespace}/{workload.plural}"
    clock = asyncio.get_running_loop().time
    begun: dict[str, float] = {}
    ended: dict[str, float] = {}
    bodies = workload.bodies()

    async def watch() -> None:
        async with aclosing(events(session, path)) as found:
            async for event in found:
                name = event.object.metadata.name
                if event.object.status.phase == workload.goal and name not in ended:
                    ended[name] = clock()
                    seen(len(ended))
                    if len(ended) == len(bodies):
                        return

    async with Scope("workload") as scope:
        watching = scope.start(watch(), "watch")
        await _create(session, path, bodies, begun, clock)
        await asyncio.wait([watching], timeout=limit)
        if watching.done():
            watching.result()
    return [ended[name] - begun[name] for name in ended]


async def _create(
    session: aiohttp.ClientSession, path: str, bodies: list[Body], begun: dict[str, float], clock: Callable[[], float]
) -> None:
    """Create all, `_AT_ONCE` at a time; `begun` gets when each was sent."""
    waiting = iter(bodies)

    async def some() -> None:
        for body in waiting:
            begun[body["metadata"]["name"]] = clock()
            async with session.post(path, json=body) as answer:
                assert answer.status == 201, await answer.text()

    await asyncio.gather(*(some() for _ in range(_AT_ONCE)))


async def events(session: aiohttp.ClientSession, path: str) -> AsyncGenerator[Event, None]:
    """What is there, then what changes; all over again when the server ends the watch, as it does with slow readers."""
    while True:
        rest = b""
        async with session.get(path, params={"watch": "1"}) as answer:
            assert answer.status == 200, await answer.text()
            async for piece in answer.content.iter_any():
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    yield _event.decode(line)


def _body(kind: str, name: str, spec: Body) -> Body:
    return {"apiVersion": _API, "kind": kind, "metadata": {"name": name}, "spec": spec}
