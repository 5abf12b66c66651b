"""W3 and W4: nothing to do, with nodes that are alive and with intents that are completed; and a restart amid them."""

from __future__ import annotations

import asyncio

from bench.peers.contenders import Contender
from bench.peers.stage import Stage
from bench.peers.user import Reached, waits
from bench.peers.workloads.base import Workload, completed
from bench.peers.workloads.intents import fill, suits_in_time
from bench.peers.workloads.nodesets import grown
from bench.workload import intent, intents

_KIND = "networkintents"
_SETTLE_SECONDS = 5.0
_RESTART_SECONDS = 300.0
_VARIANTS = {"ours-ordinary", "right-ours"}


class Heartbeats(Workload):
    """`size` nodes that are ready, for five minutes in which nothing happens."""

    name = "heartbeats"
    title = "W3: heartbeats"
    sizes = (100, 1000)
    smoke = 10
    seconds = 300.0
    once = True

    def suits(self, contender: Contender, size: int) -> bool:  # noqa: ARG002 - any size
        """Those that know sets, but no second time for another CRD: there is nothing to write."""
        return contender.sets and contender.name not in _VARIANTS

    async def run(self, stage: Stage, size: int) -> None:
        """Create, wait until all is ready, then only watch."""
        if await grown(stage, size):
            await _nothing(stage, "heartbeats", size, self.seconds)


class Idle(Workload):
    """`size` completed intents: a while in which nothing happens, then a restart of the contender.

    Ours keeps its manifests in a repository of its own, as it does when it is installed without a remote: a restart
    finds them there.
    """

    name = "idle"
    title = "W4: idle, and a restart"
    sizes = (10_000,)
    smoke = 20
    seconds = 600.0
    once = True
    local = True

    def suits(self, contender: Contender, size: int) -> bool:
        """Those whose intents are completed in time, but no second time for another CRD: there is nothing to write."""
        return contender.completes and contender.name not in _VARIANTS and suits_in_time(contender, size)

    async def run(self, stage: Stage, size: int) -> None:
        """Fill, do nothing, restart."""
        await fill(stage, intents(size), stage.user.put_all, "fill")
        await _nothing(stage, "idle", size, self.seconds)
        await self._restart(stage, size)

    async def _restart(self, stage: Stage, size: int) -> None:
        """What a start costs that finds everything done; a new intent shows when it works again."""
        await stage.stop()
        goal = Reached(_KIND, ["after-restart"], completed)
        async with stage.phase("restart", units=size, objects=1) as phase:
            begun = asyncio.get_running_loop().time()
            await stage.start()
            await stage.user.put(intent("after-restart", "Deploy AMF with 2 replicas and 128Mi memory"))
            await stage.until("restart", goal, of=1, limit=_RESTART_SECONDS)
            await asyncio.sleep(_SETTLE_SECONDS)
            phase.waits = waits({"after-restart": begun}, goal.times)


async def _nothing(stage: Stage, name: str, units: int, seconds: float) -> None:
    async with stage.phase(name, units=units, objects=0):
        await stage.until(name, _never, of=0, limit=seconds)


class _Never:
    """A goal that nothing reaches."""

    reached = 0
    complete = False

    def see(self, _: object) -> None:
        """Take no note."""


_never = _Never()
