"""What an independent watcher sees: one entry per watch event, written down in a process of its own.

It answers `take` with what is new: `python -m bench.peers.sightings --help`.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Protocol

import aiohttp
import msgspec

from bench.child import Child, answer
from nephoran.api.names import E2_VERSION_ANNOTATION, GROUP, NODE_SET_LABEL, VERSION
from steady.tasks import Scope

_AGAIN_SECONDS = 0.2
_POLL_SECONDS = 0.2
RESOURCES = {
    "networkintents": f"/apis/{GROUP}/{VERSION}/namespaces/{{}}/networkintents",
    "e2nodesets": f"/apis/{GROUP}/{VERSION}/namespaces/{{}}/e2nodesets",
    "configmaps": "/api/v1/namespaces/{}/configmaps",
}
"""What is watched, by the path of its list."""


class Sighting(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One watch event: when it came (seconds of the machine's monotonic clock), its size in bytes, what it showed."""

    at: float
    resource: str
    change: str
    size: int
    name: str
    uid: str = ""
    generation: int = 0
    phase: str = ""
    observed: int = 0
    ready: int = 0
    updated: int = 0
    owner: str = ""
    version: str = ""


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class _Status(msgspec.Struct, rename="camel"):
    phase: str = ""
    observed_generation: int = 0
    ready_replicas: int = 0
    updated_replicas: int = 0


class _Object(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    status: _Status | str = msgspec.field(default_factory=_Status)  # a Status, such as 410, has a word there


class _Event(msgspec.Struct):
    type: str
    object: _Object


_event = msgspec.json.Decoder(_Event)


class Goal(Protocol):
    """Something to be waited for: it is shown every sighting, and tells how far it is."""

    def see(self, sighting: Sighting) -> None:
        """Take note of one sighting."""
        ...

    @property
    def reached(self) -> int:
        """How much of it is reached."""
        ...

    @property
    def complete(self) -> bool:
        """Whether there is nothing more to wait for."""
        ...


class Watcher:
    """The process that watches, asked from here. `events` and `bytes` count what has been taken, by resource."""

    def __init__(self, child: Child) -> None:
        self.events: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self._child = child
        self._goals: list[Goal] = []

    async def take(self) -> int:
        """Show what is new to all goals that were ever waited for; how much that was."""
        fresh = msgspec.convert(await self._child.ask("take"), list[Sighting])
        for sighting in fresh:
            self.events[sighting.resource] += 1
            self.bytes[sighting.resource] += sighting.size
            for goal in self._goals:
                goal.see(sighting)
        return len(fresh)

    def show(self, *goals: Goal) -> None:
        """Show all that is taken from now on to these goals, too."""
        self._goals += [goal for goal in goals if goal not in self._goals]

    async def until(self, *goals: Goal, limit: float, each: Callable[[], None]) -> None:
        """Wait until every goal is complete, at most `limit` seconds; `each` is called now and then."""
        self.show(*goals)
        clock = asyncio.get_running_loop().time
        end = clock() + limit
        while clock() < end:
            await self.take()
            each()
            if all(goal.complete for goal in goals):
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def quiet(self, seconds: float, limit: float) -> bool:
        """Wait until nothing has been seen for `seconds`, at most `limit`; whether it came to that."""
        clock = asyncio.get_running_loop().time
        end, calm = clock() + limit, clock() + seconds
        while clock() < calm:
            if clock() > end:
                return False
            await asyncio.sleep(_POLL_SECONDS)
            if await self.take():
                calm = clock() + seconds
        return True


async def main() -> None:
    """Watch until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--namespace", required=True)
    arguments = parser.parse_args()
    seen: list[Sighting] = []

    def take() -> list[Sighting]:
        taken = seen.copy()
        seen.clear()
        return taken

    trust = ssl.create_default_context(cafile=arguments.ca)
    session = aiohttp.ClientSession(
        arguments.url,
        headers={"authorization": f"Bearer {arguments.token_file.read_text()}"},
        connector=aiohttp.TCPConnector(limit=0, ssl=trust),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
        read_bufsize=2**20,
    )
    async with session, Scope("watcher") as scope:
        opened = []
        for resource, path in RESOURCES.items():
            ready = asyncio.Event()
            scope.start(_watch(session, resource, path.format(arguments.namespace), seen, ready), resource)
            opened.append(ready)
        await asyncio.gather(*(ready.wait() for ready in opened))
        await answer({"take": take})


async def _watch(
    session: aiohttp.ClientSession, resource: str, path: str, seen: list[Sighting], ready: asyncio.Event
) -> None:
    async with aclosing(_lines(session, path, ready)) as lines:
        async for line, event in lines:
            metadata, status = event.object.metadata, event.object.status
            if isinstance(status, str):
                continue
            seen.append(
                Sighting(
                    time.monotonic(),
                    resource,
                    event.type,
                    len(line),
                    metadata.name,
                    metadata.uid,
                    metadata.generation,
                    status.phase,
                    status.observed_generation,
                    status.ready_replicas,
                    status.updated_replicas,
                    metadata.labels.get(NODE_SET_LABEL, ""),
                    metadata.annotations.get(E2_VERSION_ANNOTATION, ""),
                )
            )


async def _lines(
    session: aiohttp.ClientSession, path: str, ready: asyncio.Event
) -> AsyncGenerator[tuple[bytes, _Event], None]:
    """Every event and its line; where a watch ends, the next one goes on from the last version that was seen.

    An error in the stream, such as 410, has no version: all is listed again.
    """
    version = ""
    while True:
        rest = b""
        try:
            async with session.get(path, params={"watch": "1", "resourceVersion": version or "0"}) as response:
                if response.status != 200:
                    version = "" if response.status == 410 else version
                    await asyncio.sleep(_AGAIN_SECONDS)
                    continue
                ready.set()
                async for piece in response.content.iter_any():
                    *lines, rest = (rest + piece).split(b"\n")
                    for line in lines:
                        event = _event.decode(line)
                        version = event.object.metadata.resource_version
                        yield line, event
        except aiohttp.ClientError:
            await asyncio.sleep(_AGAIN_SECONDS)


if __name__ == "__main__":
    asyncio.run(main())
