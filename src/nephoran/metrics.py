"""What the operator counts beside the runtime: interpretations, pushes, calls to RICs, and how its objects stand.

No label names an object. The parts that are counted know nothing of it: each is wrapped where the operator is put
together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import msgspec
from prometheus_client import Histogram
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from nephoran.addresses import AddressForbidden
from nephoran.api import NetworkIntent
from nephoran.api.e2nodeset import NodeState
from nephoran.api.networkintent import IntentPhase
from nephoran.e2.fleet import Connect, Fleet
from nephoran.e2.nodes import RanFunction
from nephoran.e2.ric import Ric, RicRefused, RicUnavailable
from nephoran.intent.interpret import Interpreter, Meaningless
from nephoran.intent.meaning import Meaning
from nephoran.intent.memory import Memory, uses
from nephoran.intent.sanitise import Rejected
from nephoran.repository.drift import Drift
from nephoran.repository.errors import (
    AuthenticationFailed,
    Corrupt,
    Moved,
    Refused,
    RemoteError,
    RemoteUnavailable,
    RepositoryError,
    StorageFull,
)
from nephoran.repository.protocol import Commit
from nephoran.repository.requests import Outcome, Request
from nephoran.repository.writer import Landing
from steady import Metrics
from steady.cache import Store
from steady.objects import RawObject
from steady.objects.keys import Resource

_REFUSALS: Final = (Moved, Refused, RemoteError, RemoteUnavailable, AuthenticationFailed, StorageFull, Corrupt)

INTERPRETED: Final = ("understood", "meaningless", "rejected", "failed")
"""What may become of a sentence. The first three are answers; only the last one is the interpreter's failure."""
LANDED: Final = ("success", "unchanged", *(error.__name__ for error in _REFUSALS))
"""What may become of a push."""
CALLED: Final = ("success", "refused", "unavailable", "forbidden", "timeout")
"""What may become of a call to a RIC."""
OPERATIONS: Final = ("register", "update", "deregister", "states")
READY: Final = ("True", "False", "Unknown")

_PHASES: Final = frozenset(str(phase) for phase in IntentPhase)
_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class OperatorMetrics:
    """The operator's families, on the registry of `runtime`. What alerts ask for exists from the start, at 0."""

    def __init__(self, runtime: Metrics | None = None) -> None:
        self.runtime = runtime or Metrics(name="nephoran")
        declare = self.runtime
        self.interpretations = declare.counter(
            "nephoran_interpretations", "Sentences by what became of them.", ("result",)
        )
        self.interpretation_times = declare.histogram(
            "nephoran_interpretation_duration_seconds", "Time of an interpretation.", ("result",)
        )
        self.pushes = declare.counter("nephoran_git_pushes", "Groups of changes by what became of them.", ("result",))
        self.push_times = declare.histogram(
            "nephoran_git_push_duration_seconds", "Time from taking a group to the remote's word.", ("result",)
        )
        self.group_sizes = Histogram(
            "nephoran_git_group_size", "Directories in a commit.", buckets=_SIZES, registry=declare.registry
        )
        self.ric_calls = declare.counter("nephoran_ric_calls", "Calls to RICs by outcome.", ("operation", "result"))
        self.ric_times = declare.histogram("nephoran_ric_call_duration_seconds", "Time of a call.", ("operation",))
        self.intents = declare.gauge("nephoran_intents", "Intents by phase and condition Ready.", ("phase", "ready"))
        self._begin()

    def interpreter(self, inner: Interpreter) -> Interpreter:
        """`inner`, counted."""
        return _Interpreter(inner, self)

    def landing(self, inner: Landing) -> Landing:
        """`inner`, counted: what `Repository` takes as `meter`."""
        return _Landing(inner, self)

    def connect(self, inner: Connect) -> Connect:
        """`inner`, the RICs that it makes counted."""
        return lambda endpoint: _Ric(inner(endpoint), self)

    def follow(self, fleet: Fleet, stores: Mapping[Resource, Store]) -> None:
        """Read nodes and RICs from `fleet`, and intents from their store once `stores` has it, when scraped."""
        self.runtime.registry.register(_Standing(fleet))
        for phase in IntentPhase:
            for ready in READY:
                self.intents(phase, ready).set_function(partial(_standing_at, stores, (str(phase), ready)))

    def memories(self, **memories: Memory[Any, Any]) -> None:
        """Read how much `memories`, and those of pure functions, are used, when scraped."""
        self.runtime.registry.register(_Memories(memories))

    def watch(self, drift: Drift) -> None:
        """Read what others have done at the remote, when scraped."""
        self.runtime.registry.register(_Remote(drift))

    def _begin(self) -> None:
        for result in INTERPRETED:
            self.interpretations(result)
        for result in LANDED:
            self.pushes(result)
        for operation in OPERATIONS:
            for result in CALLED:
                self.ric_calls(operation, result)


class _Interpreter:
    def __init__(self, inner: Interpreter, metrics: OperatorMetrics) -> None:
        self._inner = inner
        self._metrics = metrics

    async def interpret(self, text: str) -> Meaning:
        began, result = asyncio.get_running_loop().time(), "failed"
        try:
            meaning = await self._inner.interpret(text)
            result = "understood"
            return meaning
        except Meaningless:
            result = "meaningless"
            raise
        except Rejected:
            result = "rejected"
            raise
        finally:
            self._metrics.interpretations(result).inc()
            self._metrics.interpretation_times(result).observe(asyncio.get_running_loop().time() - began)


class _Landing:
    def __init__(self, inner: Landing, metrics: OperatorMetrics) -> None:
        self._inner = inner
        self._metrics = metrics

    async def land(self, group: Sequence[Request]) -> Sequence[Outcome]:
        if not group:
            return await self._inner.land(group)
        began = asyncio.get_running_loop().time()
        try:
            outcomes = await self._inner.land(group)
        except RepositoryError as error:
            self._count(type(error).__name__, began)
            raise
        changed = sum(isinstance(outcome, Commit) and outcome.changed for outcome in outcomes)
        if changed:
            self._metrics.group_sizes.observe(changed)
        self._count("success" if changed else "unchanged", began)
        return outcomes

    def _count(self, result: str, began: float) -> None:
        self._metrics.pushes(result).inc()
        self._metrics.push_times(result).observe(asyncio.get_running_loop().time() - began)


class _Ric:
    def __init__(self, inner: Ric, metrics: OperatorMetrics) -> None:
        self._inner = inner
        self._metrics = metrics

    async def register(self, node_id: str, functions: Sequence[RanFunction]) -> None:
        with self._counted("register"):
            await self._inner.register(node_id, functions)

    async def update(self, node_id: str, functions: Sequence[RanFunction]) -> None:
        with self._counted("update"):
            await self._inner.update(node_id, functions)

    async def deregister(self, node_id: str) -> None:
        with self._counted("deregister"):
            await self._inner.deregister(node_id)

    async def states(self) -> dict[str, NodeState] | None:
        with self._counted("states"):
            return await self._inner.states()

    @contextmanager
    def _counted(self, operation: str) -> Iterator[None]:
        began, result = asyncio.get_running_loop().time(), "timeout"  # the caller's patience ends as a cancellation
        try:
            yield
            result = "success"
        except RicUnavailable:
            result = "unavailable"
            raise
        except RicRefused:
            result = "refused"
            raise
        except AddressForbidden:
            result = "forbidden"
            raise
        finally:
            self._metrics.ric_calls(operation, result).inc()
            self._metrics.ric_times(operation).observe(asyncio.get_running_loop().time() - began)


class _Standing(Collector):
    """How the nodes and RICs of a fleet stand: counted once per scrape, for there may be thousands."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        rics, nodes = self._fleet.rics(), self._fleet.counts()
        yield _gauge(
            "nephoran_rics", "RICs by whether they answer.", {state: rics[state] for state in ("up", "down", "unknown")}
        )
        yield _gauge("nephoran_e2_nodes", "E2 nodes by state.", {str(state): nodes[state] for state in NodeState})


def _gauge(name: str, text: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=("state",))
    for state, value in values.items():
        family.add_metric((state,), value)
    return family


class _Remote(Collector):
    """What others have done at the remote."""

    def __init__(self, drift: Drift) -> None:
        self._drift = drift

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily(
            "nephoran_git_drifts", "Directories of intents that others have changed at the remote.", self._drift.found
        )
        yield CounterMetricFamily(
            "nephoran_git_looks", "Times that the remote was asked whether others were there.", self._drift.looks
        )


class _Memories(Collector):
    """How much the memories are used."""

    def __init__(self, memories: Mapping[str, Memory[Any, Any]]) -> None:
        self._memories = memories

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        asked = CounterMetricFamily(
            "nephoran_cache_requests", "Values asked of a cache, by whether it had them.", labels=("cache", "result")
        )
        held = GaugeMetricFamily("nephoran_cache_entries", "Values that a cache holds.", labels=("cache",))
        for name, use in {**uses(), **{name: memory.use for name, memory in self._memories.items()}}.items():
            asked.add_metric((name, "hit"), use.hits)
            asked.add_metric((name, "miss"), use.misses)
            held.add_metric((name,), use.entries)
        yield from (asked, held)


class _Condition(msgspec.Struct, frozen=True):
    type: str = ""
    status: str = ""


class _Known(msgspec.Struct, frozen=True):
    phase: str = ""
    conditions: tuple[_Condition, ...] = ()


_known = msgspec.json.Decoder(_Known)


def _standing(intent: RawObject) -> Iterable[tuple[str, str]]:
    """Phase and Ready, as the store's index keeps them; what cannot be read counts as new."""
    try:
        status = _known.decode(bytes(intent.status) or b"{}")
    except msgspec.DecodeError:
        status = _Known()
    ready = next((condition.status for condition in status.conditions if condition.type == "Ready"), "")
    phase = status.phase if status.phase in _PHASES else str(IntentPhase.PENDING)
    return [(phase, ready if ready in READY else "Unknown")]


def _standing_at(stores: Mapping[Resource, Store], place: tuple[str, str]) -> int:
    store = stores.get(NetworkIntent.declaration.resource)
    return len(store.index("standing", _standing)[place]) if store is not None else 0
