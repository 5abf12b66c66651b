"""W2: sets of E2 nodes to Ready, smaller, larger, of another version, and gone."""

from __future__ import annotations

from typing import NamedTuple

from bench.peers.contenders import Contender
from bench.peers.sightings import Sighting
from bench.peers.stage import Stage
from bench.peers.user import Body, Gone, waits
from bench.peers.workloads.base import Workload
from bench.workload import node_set

_KIND = "e2nodesets"
_NAME = "set"
_VERSION, _OTHER_VERSION = "v3.0", "v2.1"
_EXTRA_SECONDS = 90.0


class Shape:
    """The goal that a set has `replicas` nodes of `version`, all ready, and says so of its newest generation.

    It is watched from the first node on; `aim` sets the next goal. `at` is when the goal was reached.
    """

    def __init__(self, name: str) -> None:
        self.at: float | None = None
        self.nodes: dict[str, str] = {}
        self.duplicated = 0
        self._name = name
        self._status: Sighting | None = None
        self._replicas = 0
        self._version = ""
        self._right: set[str] = set()

    def aim(self, replicas: int, version: str) -> None:
        """Wait for this from now on."""
        self.at, self._replicas, self._version = None, replicas, version
        self._right = {name for name, found in self.nodes.items() if found == version}

    def see(self, sighting: Sighting) -> None:
        """Take note of one sighting."""
        if sighting.resource == _KIND and sighting.name == self._name:
            self._status = sighting
        elif sighting.owner == self._name:
            self._node(sighting)
        if self.at is None and self._there():
            self.at = sighting.at

    @property
    def reached(self) -> int:
        """How many nodes are right."""
        return len(self._right)

    @property
    def complete(self) -> bool:
        """Whether the goal is reached."""
        return self.at is not None

    def _node(self, sighting: Sighting) -> None:
        name = sighting.name
        self._right.discard(name)
        if sighting.change == "DELETED":
            self.nodes.pop(name, None)
            return
        self.nodes[name] = sighting.version
        if sighting.version == self._version:
            self._right.add(name)

    def _there(self) -> bool:
        status = self._status
        return (
            status is not None
            and len(self.nodes) == len(self._right) == self._replicas == status.ready == status.updated
            and status.observed in {0, status.generation}  # the original tells no generation
        )


class _Step(NamedTuple):
    """One change of the set (None creates it), and the nodes and their version that it is to end with."""

    name: str
    change: Body | None
    replicas: int
    version: str
    units: int


async def grown(stage: Stage, size: int) -> bool:
    """Create a set of `size` nodes and wait until it is ready; whether it came to that."""
    return await _taken(stage, Shape(_NAME), _Step("create", None, size, _VERSION, size))


class NodeSets(Workload):
    """One set of `size` nodes."""

    name = "nodes"
    title = "W2: a set of nodes"
    sizes = (10, 100, 1000)
    smoke = 10

    def suits(self, contender: Contender, size: int) -> bool:  # noqa: ARG002 - any size
        """Those that know sets."""
        return contender.sets

    async def run(self, stage: Stage, size: int) -> None:
        """Create, shrink, grow, change, delete; what comes after a goal that was missed is left out."""
        half = size // 2
        version = {"template": {"spec": {"e2InterfaceVersion": _OTHER_VERSION}}}
        shape = Shape(_NAME)
        for step in (
            _Step("create", None, size, _VERSION, size),
            _Step("shrink", {"replicas": half}, half, _VERSION, size - half),
            _Step("grow", {"replicas": size}, size, _VERSION, size - half),
            _Step("change", version, size, _OTHER_VERSION, size),
        ):
            if not await _taken(stage, shape, step):
                return
        gone = Gone(_KIND, [_NAME])
        async with stage.phase("delete", units=size, objects=1) as phase:
            asked = await stage.user.remove(_KIND, _NAME)
            await stage.until("delete", gone, of=1, limit=stage.limit(size, _EXTRA_SECONDS))
            phase.waits = waits({_NAME: asked}, gone.times)


async def _taken(stage: Stage, shape: Shape, step: _Step) -> bool:
    """Ask for one step and wait until it is done; whether it was."""
    shape.aim(step.replicas, step.version)
    async with stage.phase(step.name, units=step.units, objects=1) as phase:
        if step.change is None:
            asked = await stage.user.put(node_set(_NAME, step.replicas, stage.ric.url))
        else:
            asked = await stage.user.change(_KIND, _NAME, step.change)
        await stage.until(step.name, shape, of=step.replicas, limit=stage.limit(step.units, _EXTRA_SECONDS))
        if shape.at is not None:
            phase.waits = [shape.at - asked]
    phase.lost = max(0, step.replicas - len(shape.nodes))
    phase.duplicated = max(0, len(shape.nodes) - step.replicas)
    return shape.complete
