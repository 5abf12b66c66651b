"""All families of one process: bounded series, no object names in labels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.metrics_core import Metric

from steady.metrics.aliases import Aliases
from steady.metrics.children import Children
from steady.metrics.controller import ControllerMetrics
from steady.metrics.instruments import Counter, Gauge, Histogram
from steady.metrics.process import ProcessMetrics
from steady.metrics.queue import QueueMetrics
from steady.metrics.statuses import Counts, StatusMetrics
from steady.metrics.watch import WatchMetrics

# Seconds. The seed promises a 95th percentile under 2 s, so there is a bound at exactly 2.
DURATIONS: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
# Seconds. The longest delay that backoff has by default is 600.
_DELAYS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_ATTEMPTS: Final = (1, 2, 3, 5, 8, 13, 21, 50)
_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_LAGS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)


class Metrics:
    """The families of one process, on one registry (a new one unless given), so that several fit into a process.

    `name` is the process's. Each attribute is called with the values of its labels, in the order declared here; parts
    that count often take a bundle (`controller`, `queue`) whose children are resolved once.
    """

    def __init__(self, registry: CollectorRegistry | None = None, *, name: str = "steady") -> None:
        self.registry = registry or CollectorRegistry()
        self.name = name
        self._owners: dict[str, str] = {}
        self._declare_controllers()
        self._declare_statuses()
        self._declare_calls()
        self._declare_queues()
        self._declare_process()

    def controller(self, name: str, concurrency: int = 1) -> ControllerMetrics:
        """The counters of the controller called `name`."""
        return ControllerMetrics(self, name, concurrency)

    def queue(self, name: str, *, depth: Callable[[], int], ages: Callable[[], Collection[float]]) -> QueueMetrics:
        """The counters of the queue called `name`; `depth` and `ages` (seconds since keys were taken) are read late."""
        return QueueMetrics(self, name, depth=depth, ages=ages)

    def watch(self, resource: str, *, objects: Callable[[], int], age: Callable[[], float]) -> WatchMetrics:
        """The counters of the watch of `resource`; `objects` and `age` (seconds of quiet) are read late."""
        return WatchMetrics(self, resource, objects=objects, age=age)

    def statuses(self, counts: Mapping[str, Counts], priorities: Sequence[str]) -> None:
        """Show what a batcher counts, by kind and priority."""
        self.registry.register(StatusMetrics(counts, priorities, self.owner))

    def batch(self, resource: str, priority: str, size: int, seconds: float) -> None:
        """`size` statuses of a kind have left together; the last was settled after `seconds`."""
        owner = self.owner(resource)
        self.batch_sizes(owner, priority).observe(size)
        self.batch_durations(owner).observe(seconds)

    def attribute(self, owners: Mapping[str, str]) -> None:
        """Whose requests those to a resource are: controllers by qualified resource; others count for the process."""
        self._owners |= owners

    def owner(self, resource: str) -> str:
        """The controller that requests to `resource` are made for."""
        return self._owners.get(resource, self.name)

    def request(self, resource: str, verb: str, reason: str) -> None:
        """Count one request that was sent."""
        self.requests(resource, verb, reason).inc()

    def answered(self, resource: str, verb: str, method: str, code: int, error: str, seconds: float) -> None:
        """Count one answer, or its absence (`code` 0); `error` is empty, or the failure's type."""
        owner = self.owner(resource)
        self.call_durations(owner, verb, resource).observe(seconds)
        self.calls(owner, verb, "error" if error else "success").inc()
        self.codes(str(code) if code else "<error>", method).inc()
        if error:
            self.call_errors(owner, verb, error).inc()

    def avoided(self, resource: str, reason: str) -> None:
        """Count one write that was not sent."""
        self.writes_avoided(resource, reason).inc()

    def counter(self, name: str, text: str, labels: tuple[str, ...]) -> Children[Counter]:
        """Declare a family: a counter, whose exposed name ends in `_total`. Raises ValueError for a name in use."""
        return Children(Metric(name, text, "counter"), labels, Counter, self.registry)

    def gauge(self, name: str, text: str, labels: tuple[str, ...]) -> Children[Gauge]:
        """Declare a family: a gauge. Raises ValueError for a name in use."""
        return Children(Metric(name, text, "gauge"), labels, Gauge, self.registry)

    def histogram(
        self, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...] = DURATIONS
    ) -> Children[Histogram]:
        """Declare a family: a histogram, of seconds unless it has `buckets`. Raises ValueError for a name in use."""
        return Children(Metric(name, text, "histogram"), labels, lambda: Histogram(buckets), self.registry)

    def _declare_controllers(self) -> None:
        self.durations = self.histogram(
            "controller_reconcile_duration_seconds",
            "Time of a reconcile (phase main) and of its phases.",
            ("controller", "phase"),
            DURATIONS,
        )
        self.reconciles = self.counter("controller_reconcile", "Reconciles by result.", ("controller", "result"))
        self.active = self.gauge("controller_active_reconcilers", "Reconciles running now.", ("controller",))
        self.slots = self.gauge("controller_max_reconcilers", "Reconciles that may run at a time.", ("controller",))
        self.registry.register(Aliases(self.reconciles, self.durations, self.active, self.slots))
        self.errors = self.counter(
            "controller_reconcile_errors",
            "Errors by kind of trouble and by where they happened.",
            ("controller", "error_type", "error_category"),
        )
        self.requeues = self.counter(
            "controller_reconcile_requeue",
            "Keys to be looked at again, by why and by the strategy of backoff.",
            ("controller", "requeue_type", "backoff_strategy"),
        )
        self.delays = self.histogram(
            "controller_backoff_delay_seconds",
            "Delays that backoff asked for.",
            ("controller", "error_type", "strategy"),
            _DELAYS,
        )
        self.retries = self.histogram(
            "controller_backoff_retries",
            "Failures in a row when the row ended, by how it ended.",
            ("controller", "error_type", "outcome"),
            _ATTEMPTS,
        )
        self.resets = self.counter(
            "controller_backoff_resets", "Keys whose failures were forgotten.", ("controller", "resource_type")
        )
        self.hot_objects = prometheus_client.Counter(
            "steady_hot_objects",
            "Times an object was slowed down for being written or reconciled too often.",
            registry=self.registry,
        )

    def _declare_statuses(self) -> None:
        self.batch_sizes = self.histogram(
            "controller_status_batch_size", "Statuses that left together.", ("controller", "priority"), _SIZES
        )
        self.batch_durations = self.histogram(
            "controller_status_batch_duration_seconds",
            "Time from leaving to the last answer of a batch.",
            ("controller",),
            DURATIONS,
        )

    def _declare_calls(self) -> None:
        self.requests = self.counter(
            "steady_requests", "Requests to the API server by cause.", ("resource", "verb", "reason")
        )
        self.writes_avoided = self.counter(
            "steady_writes_avoided", "Writes that were not necessary.", ("resource", "reason")
        )
        self.calls = self.counter(
            "controller_api_call", "Requests to the API server by outcome.", ("controller", "operation", "result")
        )
        self.call_durations = self.histogram(
            "controller_api_call_duration_seconds",
            "Time from sending a request to its whole answer.",
            ("controller", "operation", "resource_type"),
            DURATIONS,
        )
        self.call_errors = self.counter(
            "controller_api_call_errors",
            "Requests that failed, by type.",
            ("controller", "operation", "error_type"),
        )
        self.codes = self.counter("rest_client_requests", "Requests by HTTP status and method.", ("code", "method"))
        self.watch_stalls = prometheus_client.Counter(
            "steady_watch_stalls", "Watches that fell silent.", registry=self.registry
        )
        self.watch_restarts = self.counter(
            "steady_watch_restarts", "Watches begun anew, by why.", ("resource", "reason")
        )
        self.watch_age = self.gauge(
            "steady_watch_last_event_age_seconds", "Seconds since a watch last said anything.", ("resource",)
        )
        self.objects = self.gauge("steady_cached_objects", "Objects in the cache.", ("resource",))
        self.changes = self.counter(
            "steady_changes", "Changes of watched objects that were not our own writes.", ("resource", "change")
        )

    def _declare_queues(self) -> None:
        labels = ("name", "controller")
        self.queue_depth = self.gauge("workqueue_depth", "Keys that wait.", labels)
        self.queue_adds = self.counter("workqueue_adds", "Keys that came.", labels)
        self.queue_retries = self.counter("workqueue_retries", "Keys put back because of a failure.", labels)
        self.queue_waits = self.histogram(
            "workqueue_queue_duration_seconds", "Time from when a key might have been taken.", labels, DURATIONS
        )
        self.queue_works = self.histogram(
            "workqueue_work_duration_seconds", "Time from taking a key to giving it back.", labels, DURATIONS
        )
        self.queue_unfinished = self.gauge(
            "workqueue_unfinished_work_seconds", "Ages of all keys that are taken, added.", labels
        )
        self.queue_longest = self.gauge("workqueue_longest_running_processor_seconds", "Age of the oldest one.", labels)

    def _declare_process(self) -> None:
        self.lag = prometheus_client.Histogram(
            "steady_event_loop_lag_seconds", "How late timers fire.", buckets=_LAGS, registry=self.registry
        )
        self.leader = self.gauge("leader_election_master_status", "Whether this process leads: 1 or 0.", ("name",))
        self.lease_transitions = self.gauge(
            "steady_lease_transitions", "Changes of the leader in the Lease's whole life.", ("name",)
        )
        self.registry.register(ProcessMetrics(self.name))
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
