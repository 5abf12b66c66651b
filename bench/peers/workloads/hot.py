"""W5: one object that is edited all the time, among others."""

from __future__ import annotations

import asyncio

from bench.peers.contenders import Contender
from bench.peers.sightings import Sighting
from bench.peers.stage import Stage
from bench.peers.user import Reached, Times, waits
from bench.peers.workloads.base import Workload, completed
from bench.peers.workloads.intents import fill, suits_in_time
from bench.workload import intent, intents

_KIND = "networkintents"
_NAME = "hot"
_EDITS_PER_SECOND = 100.0
_LEAST_SECONDS = 10.0
_LAST_SECONDS = 30.0


class Hot(Workload):
    """100 edits a second of one intent, while `size` others are created at once; it is to end at its last edit."""

    name = "hot"
    title = "W5: a hot object"
    sizes = (200,)
    smoke = 20

    def suits(self, contender: Contender, size: int) -> bool:
        """Those whose intents are completed in time."""
        return contender.completes and suits_in_time(contender, size)

    async def run(self, stage: Stage, size: int) -> None:
        """Edit and create, stop editing when all others are completed, and wait for the last edit to be carried out."""
        await fill(stage, [intent(_NAME, _sentence(0))], stage.user.put_all, "hot")
        others = intents(size)
        goal = Reached(_KIND, [body["metadata"]["name"] for body in others], completed)
        edited = _Edited()
        stage.watcher.show(edited)
        async with stage.phase("among", units=size, objects=size) as phase:
            enough = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                editing = group.create_task(_edit(stage, enough))
                asked = await stage.user.put_all(others)
                await stage.until("among", goal, of=size, limit=stage.limit(size))
                enough.set()
            edits, last = editing.result()
            edited.aim(edits + 1)
            await stage.until("last edit", edited, of=1, limit=_LAST_SECONDS)
            phase.waits = waits(asked, goal.times)
            phase.notes = {"edits": edits, "last edit": edited.at - last if edited.complete else -1.0}


class _Edited:
    """The goal that the hot intent is completed at one generation, the newest."""

    def __init__(self) -> None:
        self._times: Times = {}
        self._generation = 0

    def aim(self, generation: int) -> None:
        """It is this generation that matters."""
        self._generation = generation

    def see(self, sighting: Sighting) -> None:
        """Take note of one sighting."""
        if sighting.name == _NAME and completed(sighting):
            self._times.setdefault(str(sighting.observed), sighting.at)

    @property
    def at(self) -> float:
        """When that was."""
        return self._times[str(self._generation)]

    @property
    def complete(self) -> bool:
        """Whether it is so."""
        return str(self._generation) in self._times

    @property
    def reached(self) -> int:
        """The same as a number."""
        return int(self.complete)


async def _edit(stage: Stage, enough: asyncio.Event) -> tuple[int, float]:
    """Edit until it is enough, but for some seconds at least; how often, and when last."""
    clock = asyncio.get_running_loop().time
    begun, edits, last = clock(), 0, 0.0
    while not enough.is_set() or clock() - begun < _LEAST_SECONDS:
        edits += 1
        last = await stage.user.change(_KIND, _NAME, {"intent": _sentence(edits)})
        await asyncio.sleep(max(0.0, begun + edits / _EDITS_PER_SECOND - clock()))
    return edits, last


def _sentence(number: int) -> str:
    return f"Deploy AMF with {2 + number % 4} replicas and {128 + number}Mi memory"
