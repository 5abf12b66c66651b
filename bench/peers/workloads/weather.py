"""W6: bad weather, and an API server that restarts in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bench.peers.contenders import Contender
from bench.peers.stage import Stage
from bench.peers.user import Body, Times
from bench.peers.workloads.base import Workload
from bench.peers.workloads.intents import fill, suits_in_time
from bench.workload import intents

_SHARE = 0.05
_PER_SECOND = 20.0


class Storm(Workload):
    """`size` intents in calm weather; as many again while 5 % of the requests fail and the API server restarts."""

    name = "storm"
    title = "W6: bad weather"
    sizes = (200,)
    smoke = 20
    seconds = 60.0
    weathered = True

    def suits(self, contender: Contender, size: int) -> bool:
        """Those whose intents are completed in time."""
        return contender.completes and suits_in_time(contender, size)

    async def run(self, stage: Stage, size: int) -> None:
        """Fill in calm, then in the storm."""
        bodies = intents(2 * size)
        steadily = _Steadily(stage)
        for name, half, put in (("calm", bodies[:size], steadily.calm), ("storm", bodies[size:], steadily.storm)):
            asked, restarts = stage.weather.asked, stage.restarts
            await fill(stage, half, put, name)
            stage.run.phases[-1].notes = {
                "asked": stage.weather.asked - asked,
                "faults": stage.weather.faults.total(),
                "restarts": stage.restarts - restarts,
            }


class _Steadily:
    """Creates intents at a rate that leaves room for a restart."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def calm(self, bodies: Sequence[Body]) -> Times:
        """Nothing else happens."""
        return await self._stage.user.put_steadily(bodies, _PER_SECOND)

    async def storm(self, bodies: Sequence[Body]) -> Times:
        """Requests fail, and half-way the server restarts."""
        self._stage.weather.share = _SHARE
        self._stage.user.patient = True
        async with asyncio.TaskGroup() as group:
            putting = group.create_task(self.calm(bodies))
            await asyncio.sleep(len(bodies) / _PER_SECOND / 2)
            await self._stage.server.plane.restart_apiserver()
        return putting.result()
