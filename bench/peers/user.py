"""The user of a run: creates, changes and deletes objects, and what they wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import aiohttp
import msgspec

from bench.peers.sightings import Sighting
from nephoran.api.names import GROUP, VERSION
from steady.tasks import Scope

_AT_ONCE: Final = 32
"""Requests of the user at a time: enough to keep an API server busy."""
_AGAIN_SECONDS: Final = 0.2
_MERGE: Final = {"content-type": "application/merge-patch+json"}
_METADATA: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_PLURALS: Final = {"NetworkIntent": "networkintents", "E2NodeSet": "e2nodesets"}

Body = Mapping[str, Any]
Times = dict[str, float]
"""Seconds of the loop's clock by object name."""


class User:
    """Somebody who may do everything in `namespace`. A `patient` one asks again where the server is away."""

    def __init__(self, session: aiohttp.ClientSession, namespace: str) -> None:
        self.patient = False
        self._session = session
        self._namespace = namespace

    async def create(self, path: str, body: Body) -> None:
        """POST `body` to `path`."""
        await self._ask("POST", path, body)

    async def put(self, body: Body) -> float:
        """Create an intent or a set; when that was asked."""
        return await self._ask("POST", self._path(_PLURALS[body["kind"]]), body)

    async def change(self, plural: str, name: str, spec: Body) -> float:
        """Merge `spec` into an object's; when that was asked."""
        return await self._ask("PATCH", f"{self._path(plural)}/{name}", {"spec": spec}, _MERGE)

    async def remove(self, plural: str, name: str) -> float:
        """Delete an object; when that was asked."""
        return await self._ask("DELETE", f"{self._path(plural)}/{name}")

    async def generation(self, plural: str, name: str) -> int:
        """The generation that an object has now."""
        async with self._session.get(f"{self._path(plural)}/{name}") as response:
            assert response.status == 200, await response.text()
            return int(msgspec.json.decode(await response.read())["metadata"]["generation"])

    async def names(self, plural: str) -> set[str]:
        """The objects that there are."""
        async with self._session.get(self._path(plural), headers={"accept": _METADATA}) as response:
            assert response.status == 200, await response.text()
            return {each["metadata"]["name"] for each in msgspec.json.decode(await response.read())["items"]}

    async def put_all(self, bodies: Iterable[Body]) -> Times:
        """Create all as fast as the server takes them; when each was asked for."""
        asked: Times = {}
        waiting = iter(bodies)

        async def some() -> None:
            for body in waiting:
                asked[body["metadata"]["name"]] = await self.put(body)

        await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
        return asked

    async def put_steadily(self, bodies: Iterable[Body], per_second: float) -> Times:
        """Create all at that rate, whatever the answers take; when each was asked for."""
        asked: Times = {}
        clock = asyncio.get_running_loop().time
        begun = clock()

        async def one(body: Body) -> None:
            asked[body["metadata"]["name"]] = await self.put(body)

        async with Scope("user") as scope:
            for number, body in enumerate(bodies):
                await asyncio.sleep(max(0.0, begun + number / per_second - clock()))
                scope.start(one(body), body["metadata"]["name"])
            await scope.drained()
        return asked

    async def remove_all(self, plural: str, names: Iterable[str]) -> Times:
        """Delete all as fast as the server takes them; when each was asked for."""
        asked: Times = {}
        waiting = iter(names)

        async def some() -> None:
            for name in waiting:
                asked[name] = await self.remove(plural, name)

        await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
        return asked

    def _path(self, plural: str) -> str:
        return f"/apis/{GROUP}/{VERSION}/namespaces/{self._namespace}/{plural}"

    async def _ask(self, method: str, path: str, body: Body | None = None, headers: Body | None = None) -> float:
        asked = asyncio.get_running_loop().time()
        while not await self._answered(method, path, body, headers):  # noqa: ASYNC110 - a server tells nobody that it is back
            await asyncio.sleep(_AGAIN_SECONDS)
        return asked

    async def _answered(self, method: str, path: str, body: Body | None, headers: Body | None) -> bool:
        """Whether the request has been carried out, now or by an earlier attempt that seemed to fail."""
        try:
            async with self._session.request(method, path, json=body, headers=headers) as response:
                text = await response.text()
        except aiohttp.ClientError:
            if self.patient:
                return False
            raise
        if self.patient and (response.status == 429 or response.status >= 500):
            return False
        already = self.patient and response.status in {404, 409}
        assert response.status < 300 or already, f"{method} {path}: {response.status} {text}"
        return True


class Reached:
    """The goal that each of `names` is seen `met`; `again` counts those that were so, were not, and were so again."""

    def __init__(self, resource: str, names: Iterable[str], met: Callable[[Sighting], bool]) -> None:
        self.times: Times = {}
        self.again = 0
        self._resource = resource
        self._names = set(names)
        self._met = met
        self._left: set[str] = set()

    def see(self, sighting: Sighting) -> None:
        """Take note of one sighting."""
        if sighting.resource != self._resource or sighting.name not in self._names or sighting.change == "DELETED":
            return
        if not self._met(sighting):
            self._left.add(sighting.name)
        elif sighting.name not in self.times:
            self.times[sighting.name] = sighting.at
            self._left.discard(sighting.name)
        elif sighting.name in self._left:
            self._left.discard(sighting.name)
            self.again += 1

    @property
    def reached(self) -> int:
        """How many are there."""
        return len(self.times)

    @property
    def complete(self) -> bool:
        """Whether all are."""
        return len(self.times) == len(self._names)


class Gone:
    """The goal that each of `names` is seen deleted."""

    def __init__(self, resource: str, names: Iterable[str]) -> None:
        self.times: Times = {}
        self._resource = resource
        self._names = set(names)

    def see(self, sighting: Sighting) -> None:
        """Take note of one sighting."""
        if sighting.resource == self._resource and sighting.change == "DELETED" and sighting.name in self._names:
            self.times.setdefault(sighting.name, sighting.at)

    @property
    def reached(self) -> int:
        """How many are gone."""
        return len(self.times)

    @property
    def complete(self) -> bool:
        """Whether all are."""
        return len(self.times) == len(self._names)


def waits(asked: Times, seen: Times) -> list[float]:
    """Seconds from the request to what it led to, for every object that got there, in the order of arrival."""
    return [at - asked[name] for name, at in seen.items() if name in asked]
