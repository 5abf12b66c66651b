"""W1: intents, many at once or steadily, and all of them deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from bench.peers.contenders import Contender
from bench.peers.stage import Stage
from bench.peers.user import Body, Gone, Reached, Times, waits
from bench.peers.workloads.base import Workload, completed
from bench.workload import intents

_KIND = "networkintents"
_STEADY_RATE = 50.0
_LONGEST_SECONDS = 900.0

Put = Callable[[Sequence[Body]], Awaitable[Times]]


class Burst(Workload):
    """`size` intents at once, then all of them deleted at once."""

    name = "burst"
    title = "W1: intents at once"
    sizes: ClassVar[tuple[int, ...]] = (1, 20, 200, 2000)
    smoke = 20
    with_git = True

    def suits(self, contender: Contender, size: int) -> bool:
        """Those that need too long are left out."""
        return suits_in_time(contender, size)

    async def run(self, stage: Stage, size: int) -> None:
        """Create, wait, delete, wait."""
        names = await fill(stage, intents(size), stage.user.put_all)
        await clear(stage, names)


class Steady(Workload):
    """`size` intents, 50 a second; then all of them deleted at once."""

    name = "steady"
    title = "W1: 50 intents a second"
    sizes = (3000,)
    smoke = 100

    def suits(self, contender: Contender, size: int) -> bool:
        """Those that need too long are left out."""
        return suits_in_time(contender, size)

    async def run(self, stage: Stage, size: int) -> None:
        """Create, wait, delete, wait."""
        names = await fill(stage, intents(size), lambda bodies: stage.user.put_steadily(bodies, _STEADY_RATE))
        await clear(stage, names)


class Slow(Burst):
    """The same with an interpretation that takes two seconds for every intent, as a language model does."""

    name = "slow"
    title = "W6: interpretation takes 2 s"
    sizes = (200,)
    with_git = False
    slow = 2.0

    def suits(self, contender: Contender, size: int) -> bool:
        """Those whose intents are completed at all."""
        return contender.completes and contender.name != "original-sleep" and suits_in_time(contender, size)


def suits_in_time(contender: Contender, size: int) -> bool:
    """Whether the contender is done with so many intents in a time that can be waited for."""
    return size * contender.patience <= _LONGEST_SECONDS


async def fill(stage: Stage, bodies: Sequence[Body], put: Put, phase_name: str = "create") -> list[str]:
    """Create intents and wait until they are carried out; their names."""
    names = [body["metadata"]["name"] for body in bodies]
    goal = Reached(_KIND, names, completed)
    async with stage.phase(phase_name, units=len(names), objects=len(names)) as phase:
        asked = await put(bodies)
        await stage.until(phase_name, goal, of=len(names), limit=stage.limit(len(names)))
        phase.waits = waits(asked, goal.times)
    phase.duplicated = goal.again
    phase.lost = len(set(names) - await stage.user.names(_KIND))
    return names


async def clear(stage: Stage, names: Sequence[str]) -> None:
    """Delete intents and wait until they are gone."""
    goal = Gone(_KIND, names)
    async with stage.phase("delete", units=len(names), objects=len(names)) as phase:
        asked = await stage.user.remove_all(_KIND, names)
        await stage.until("delete", goal, of=len(names), limit=stage.limit(len(names)))
        phase.waits = waits(asked, goal.times)
