"""One contender on a control plane of its own, with a user, an independent watcher and a RIC around it."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from bench.child import Child
from bench.measure import Usage, process_usage
from bench.peers.audit import Tally
from bench.peers.contenders import Contender, Site
from bench.peers.record import Phase, Run
from bench.peers.sightings import Goal, Sighting, Watcher
from bench.peers.templates import write_templates
from bench.peers.user import Gone, Reached, User
from bench.peers.weather import Weather
from bench.server import RealServer
from bench.workload import bare_repository, intent
from nephoran.e2.simulator import RicSimulator
from steady.testing.controlplane import ADMIN, OPERATOR
from steady.testing.controlplane.process import Process

NAMESPACE = "bench"
_READY_SECONDS = 90.0
_QUIET_SECONDS = 1.0
_SETTLE_SECONDS = 6.0
_IDLE_SHARE = 0.06  # of one core: what a control plane uses that nobody asks anything, and a little more
_IDLE_LIMIT_SECONDS = 20.0
_IDLE_SECONDS = 3.0
_NOTHING = Usage(0.0, 0.0, 0.0)

Told = Callable[[str, int, int], None]
"""Is told how far a run is: phase, reached, of how many."""


class ContenderEnded(Exception):
    """The contender's process ended by itself or does nothing; `log` is the end of what it said."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log


class _Look(NamedTuple):
    at: float
    requests: Counter[str]
    usage: Usage
    server: float
    etcd: float
    events: Counter[str]
    bytes: Counter[str]


class Stage:
    """Enter it to have `contender` ready and everything else quiet; phases are added to `run`.

    `local` and `slow` are told to the contender (see `Site`); a `weathered` one reaches the server through `weather`.
    """

    def __init__(
        self,
        contender: Contender,
        run: Run,
        told: Told,
        *,
        local: bool = False,
        slow: float = 0.0,
        weathered: bool = False,
    ) -> None:
        self.contender = contender
        self.run = run
        self._told = told
        self._local = local
        self._slow = slow
        self._weathered = weathered
        self._stack = AsyncExitStack()
        self._process: Process | None = None
        self._idle = 0.0
        self.restarts = 0
        """How often it has ended by itself and was started again."""
        self.said: list[str] = []
        """The end of its log where objects were stuck."""

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.server = await stack.enter_async_context(RealServer(self.contender.installed()))
            if self.contender.policy:
                await self.server.take_policy()
            self.weather = await stack.enter_async_context(Weather(self.server))
            self.ric = await stack.enter_async_context(RicSimulator())
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-peer-")))
            self.user = User(await stack.enter_async_context(self.server.user()), NAMESPACE)
            await self.user.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
            self.watcher = await self._watching(stack)
            self._tally = Tally(self.server.plane.folder / "audit.log", OPERATOR.username)
            self.site = self._site()
            stack.push_async_callback(self.stop)
            await self.start()
            await self._ready()
            await self._calm()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def start(self) -> None:
        """Start the contender's process."""
        self._process = await asyncio.to_thread(self._begun)

    async def stop(self) -> None:
        """Stop it; its memory is noted first."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.running:
            self._usage(process)
        await process.stop()

    def _usage(self, process: Process | None) -> Usage:
        """What the contender's process has used; its memory goes into the run."""
        if process is None:
            return _NOTHING
        usage = process_usage(process.pid)
        self.run.peak, self.run.settled = max(self.run.peak, usage.peak), usage.resident
        return usage

    @asynccontextmanager
    async def phase(self, name: str, *, units: int, objects: int) -> AsyncIterator[Phase]:
        """Measure what happens inside, and what follows from it until all is quiet."""
        phase = Phase(name=name, units=units, objects=objects)
        before = await self._look()
        yield phase
        phase.seconds = asyncio.get_running_loop().time() - before.at
        await self.watcher.quiet(_QUIET_SECONDS, _SETTLE_SECONDS)
        after = await self._look()
        phase.requests = dict(sorted((after.requests - before.requests).items()))
        # In bad weather a process may be another one than before, and have used less.
        phase.controller = max(0.0, after.usage.cpu - before.usage.cpu)
        phase.children = max(0.0, after.usage.children - before.usage.children)
        phase.server = max(0.0, after.server - before.server)
        phase.etcd = after.etcd - before.etcd
        phase.idle = self._idle * (after.at - before.at)
        phase.events, phase.bytes = dict(after.events - before.events), dict(after.bytes - before.bytes)
        self.run.phases.append(phase)
        if phase.stuck and self.contender.completes:
            self.said.append(f"{phase.name}: {phase.stuck} stuck\n{self._log()}")

    async def until(self, phase: str, *goals: Goal, of: int, limit: float) -> None:
        """Wait until all goals are complete, at most `limit` seconds."""

        def tell() -> None:
            self._told(phase, sum(goal.reached for goal in goals), of)
            self._alive()

        await self.watcher.until(*goals, limit=limit, each=tell)

    def limit(self, objects: int, extra: float = 60.0) -> float:
        """How long to wait for that many objects, in seconds."""
        return extra + objects * (self.contender.patience + self._slow)

    async def requests(self) -> Counter[str]:
        """All requests of the contender so far."""
        await self.server.plane.audit()
        return self._tally.counts()

    async def _look(self) -> _Look:
        self._alive()
        requests = await self.requests()
        await self.watcher.take()
        plane = self.server.plane
        return _Look(
            asyncio.get_running_loop().time(),
            requests,
            self._usage(self._process),
            process_usage(plane.apiserver_pid).cpu,
            process_usage(plane.etcd_pid).cpu,
            self.watcher.events.copy(),
            self.watcher.bytes.copy(),
        )

    def _begun(self) -> Process:
        command, environment = self.contender.started(self.site)
        return Process(command, self.folder / "contender.log", environment)

    def _alive(self) -> None:
        """Raises ContenderEnded where the process is gone. In bad weather that may be: it is started again."""
        if self._process is None or self._process.running:
            return
        if not self._weathered:
            raise ContenderEnded("it has ended by itself", self._log())
        self.restarts += 1
        self._process = self._begun()

    def _site(self) -> Site:
        manifests = self.folder / "manifests"
        git = ""
        if self.run.git:
            write_templates(manifests)
            git = str(bare_repository(self.folder))
        return Site(
            kubeconfig=self.weather.kubeconfig if self._weathered else self.server.kubeconfig(),
            namespace=NAMESPACE,
            ric=self.ric.url,
            work=self.folder,
            manifests=manifests,
            git=git,
            local=self._local,
            slow=self._slow,
        )

    async def _watching(self, stack: AsyncExitStack) -> Watcher:
        token = self.folder / "token"
        token.touch(mode=0o600)
        token.write_text(self.server.plane.tokens[ADMIN.key], encoding="utf-8")
        arguments = (
            f"--url={self.server.url}",
            f"--token-file={token}",
            f"--ca={self.server.plane.ca_path}",
            f"--namespace={NAMESPACE}",
        )
        return Watcher(await stack.enter_async_context(Child("bench.peers.sightings", *arguments)))

    async def _ready(self) -> None:
        """One intent that is looked at and goes again shows that the contender works; it is not measured."""
        body = intent("probe", "Deploy AMF with 2 replicas and 128Mi memory")
        noticed, gone = Reached("networkintents", ["probe"], _noticed), Gone("networkintents", ["probe"])
        await self.user.put(body)
        await self.watcher.until(noticed, limit=_READY_SECONDS, each=self._alive)
        await self.user.remove("networkintents", "probe")
        await self.watcher.until(gone, limit=_READY_SECONDS, each=self._alive)
        if not (noticed.complete and gone.complete):
            raise ContenderEnded("it does nothing", self._log())

    async def _calm(self) -> None:
        """Wait until the servers have nothing left to do, and note what they use then."""
        clock = asyncio.get_running_loop().time
        end = clock() + _IDLE_LIMIT_SECONDS
        while await self._share(_QUIET_SECONDS) > _IDLE_SHARE and clock() < end:
            pass
        self._idle = await self._share(_IDLE_SECONDS)

    async def _share(self, seconds: float) -> float:
        """What the servers use in that time, as a share of one core."""
        clock = asyncio.get_running_loop().time
        before, begun = self._servers(), clock()
        await asyncio.sleep(seconds)
        return (self._servers() - before) / (clock() - begun)

    def _servers(self) -> float:
        plane = self.server.plane
        return process_usage(plane.apiserver_pid).cpu + process_usage(plane.etcd_pid).cpu

    def _log(self) -> str:
        return self._process.tail() if self._process else ""


def _noticed(sighting: Sighting) -> bool:
    return sighting.phase not in {"", "Pending"}
