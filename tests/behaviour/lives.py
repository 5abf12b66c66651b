"""The whole operator, which dies at a write that was chosen, and lives again on what it has left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import NamedTuple

from nephoran.controllers import Settings, intent_controller, node_set_controller
from nephoran.e2.fleet import Fleet
from nephoran.e2.nodes import RanFunction
from nephoran.e2.simulator import MemoryRic, NodeTable
from nephoran.intent.interpret import RuleInterpreter
from nephoran.knowledge import knowledge
from nephoran.repository.memory import MemoryRemote, MemoryRepository, Point
from steady import Key, Manager, Options
from steady.apiserver import Server
from steady.client import Request
from steady.clock import ManualClock
from steady.errors import NotLeader
from steady.tasks import Scope
from steady.testing.memory import MemoryTransport

IMAGES = {component: f"registry.example/{component}:1" for component in knowledge().components}
LEASE = Key("default", "nephoran")


class Moment(StrEnum):
    """When, seen from a write, the process ends."""

    UNSENT = "before it was sent"
    LOST = "when it had taken effect, its answer lost"
    ANSWERED = "right after its answer"


class Death(NamedTuple):
    """The write, counted from 0, and the moment at which the process ends."""

    write: int
    moment: Moment


class Fate:
    """Every write of every life passes here, on its way out (`leave`) and back (`arrive`).

    `left` has those that were about to be sent, `landed` those that took effect. A renewal of the lease is none: there
    is one every few seconds, and nothing depends on any of them.
    """

    def __init__(self, death: Death | None = None) -> None:
        self.left: list[str] = []
        self.landed: list[str] = []
        self.met = False
        self._death = death

    def leave(self, life: Life, what: str) -> None:
        """`what` is about to be sent. Raises CancelledError."""
        life.check()
        self.left.append(what)
        if self._is(len(self.left) - 1, Moment.UNSENT):
            life.end()
            raise asyncio.CancelledError

    def arrive(self, life: Life, what: str) -> None:
        """`what` took effect, and here is its answer. Raises CancelledError."""
        number = len(self.left) - 1 - self.left[::-1].index(what)
        self.landed.append(what)
        life.check()
        if self._is(number, Moment.LOST):
            life.end()
            raise asyncio.CancelledError
        if self._is(number, Moment.ANSWERED):
            asyncio.get_running_loop().call_soon(life.end)

    def _is(self, number: int, moment: Moment) -> bool:
        if self._death != (number, moment):
            return False
        self.met = True
        return True


class Life:
    """One process, from its start to its end."""

    def __init__(self, fate: Fate) -> None:
        self.ended = asyncio.Event()
        self._fate = fate

    def check(self) -> None:
        """Raise CancelledError if it has ended."""
        if self.ended.is_set():
            raise asyncio.CancelledError

    def end(self) -> None:
        """No request leaves from now on."""
        self.ended.set()

    async def before(self, request: Request) -> None:
        """A request to the API server is about to be sent."""
        self.check()
        if what := _write(request):
            self._fate.leave(self, what)

    async def after(self, request: Request) -> None:
        """A request to the API server has its answer."""
        if what := _write(request):
            self._fate.arrive(self, what)

    def at(self, point: Point) -> None:
        """A group of changes is on its way to the remote."""
        when, what = point.split()
        (self._fate.leave if when == "before" else self._fate.arrive)(self, what)


def _write(request: Request) -> str:
    """The write's name; nothing for a read or a renewal of the lease."""
    if request.method == "GET" or (request.method == "PUT" and request.path.endswith(LEASE.name)):
        return ""
    name = f"/{json.loads(request.body)['metadata']['name']}" if request.method == "POST" else ""
    return f"{request.method} {request.path}{name}"


class Ric(MemoryRic):
    """The RIC as one life sees it."""

    def __init__(self, table: NodeTable, life: Life, fate: Fate) -> None:
        super().__init__(table)
        self._life = life
        self._fate = fate

    async def register(self, node_id: str, functions: Sequence[RanFunction]) -> None:
        self._fate.leave(self._life, f"register {node_id}")
        await super().register(node_id, functions)
        self._fate.arrive(self._life, f"register {node_id}")

    async def update(self, node_id: str, functions: Sequence[RanFunction]) -> None:
        self._fate.leave(self._life, f"update {node_id}")
        await super().update(node_id, functions)
        self._fate.arrive(self._life, f"update {node_id}")

    async def deregister(self, node_id: str) -> None:
        self._fate.leave(self._life, f"deregister {node_id}")
        await super().deregister(node_id)
        self._fate.arrive(self._life, f"deregister {node_id}")


class World:
    """What outlives every process: the API server, the remote, the RICs by endpoint, and the date."""

    def __init__(self, server: Server, clock: ManualClock) -> None:
        self.server = server
        self.clock = clock
        self.transport: Callable[[], MemoryTransport] = lambda: MemoryTransport(server)
        self.remote = MemoryRemote()
        self.rics: defaultdict[str, NodeTable] = defaultdict(NodeTable)

    @asynccontextmanager
    async def lived_in(self, fate: Fate | None = None) -> AsyncIterator[None]:
        """One process after another, until left; without a `fate` that ends it, one."""
        async with Scope("lives") as scope:
            scope.start(self._live_on(fate or Fate()), "lives")
            yield

    async def _live_on(self, fate: Fate) -> None:
        number = 0
        while True:
            number += 1
            others = asyncio.all_tasks()
            life = Life(fate)
            process = asyncio.ensure_future(self._manager(life, fate, f"life-{number}").serve())
            ended = asyncio.ensure_future(life.ended.wait())
            try:
                await asyncio.wait([process, ended], return_when=asyncio.FIRST_COMPLETED)
                if process.done():
                    with contextlib.suppress(NotLeader):
                        process.result()
            finally:
                life.end()
                # All memory of it is gone at once: each await, those of a graceful stop too, is its last.
                while left := asyncio.all_tasks() - others:
                    for task in left:
                        task.cancel()
                    await asyncio.sleep(0)

    def _manager(self, life: Life, fate: Fate, name: str) -> Manager:
        def transport() -> MemoryTransport:
            made = self.transport()
            made.before, made.after = life.before, life.after
            return made

        repository = MemoryRepository(self.remote, clock=self.clock, fault=life.at)
        fleet = Fleet(lambda endpoint: Ric(self.rics[endpoint], life, fate), self.clock)
        settings = Settings(images=IMAGES)
        return Manager(
            intent_controller(RuleInterpreter(), repository, settings),
            node_set_controller(fleet),
            transport=transport,
            clock=self.clock,
            options=Options(name="nephoran", lease=LEASE, identity=name),
            services=[repository, fleet],
        )
