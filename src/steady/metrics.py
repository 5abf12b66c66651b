"""Counters of the runtime: bounded series, no object names, label children resolved once."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

# Seconds; the seed promises a 95th percentile under 2 s, so there is a bound at exactly 2.
_DURATIONS = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


class Metrics:
    """All families of one process, on one registry (a new one unless given), so that several fit into a process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._requests = Counter(
            "steady_requests",
            "Requests to the API server by cause.",
            ("resource", "verb", "reason"),
            registry=self.registry,
        )
        self._avoided = Counter(
            "steady_writes_avoided", "Writes that were not necessary.", ("resource", "reason"), registry=self.registry
        )
        self._reconciles = Counter(
            "controller_reconcile", "Reconciles by result.", ("controller", "result"), registry=self.registry
        )
        self._durations = Histogram(
            "controller_reconcile_duration_seconds",
            "Time of one reconcile.",
            ("controller",),
            buckets=_DURATIONS,
            registry=self.registry,
        )
        self._active = Gauge(
            "controller_active_reconcilers", "Reconciles running now.", ("controller",), registry=self.registry
        )
        self.hot_objects = Counter(
            "steady_hot_objects", "Times an object was slowed down for being written too often.", registry=self.registry
        )
        self.watch_stalls = Counter("steady_watch_stalls", "Watches that fell silent.", registry=self.registry)
        self._request_children: dict[tuple[str, str, str], Counter] = {}
        self._avoided_children: dict[tuple[str, str], Counter] = {}

    def request(self, resource: str, verb: str, reason: str) -> None:
        """Count one request that was sent."""
        labels = (resource, verb, reason)
        child = self._request_children.get(labels)
        if child is None:
            child = self._request_children[labels] = self._requests.labels(*labels)
        child.inc()

    def avoided(self, resource: str, reason: str) -> None:
        """Count one write that was not sent."""
        labels = (resource, reason)
        child = self._avoided_children.get(labels)
        if child is None:
            child = self._avoided_children[labels] = self._avoided.labels(*labels)
        child.inc()

    def controller(self, name: str) -> ControllerCounters:
        """The counters of the controller called `name`."""
        return ControllerCounters(
            {result: self._reconciles.labels(name, result) for result in ("success", "again", "error", "timeout")},
            self._durations.labels(name),
            self._active.labels(name),
        )

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)


class ControllerCounters:
    """What one controller counts."""

    __slots__ = ("_active", "_durations", "_results")

    def __init__(self, results: dict[str, Counter], durations: Histogram, active: Gauge) -> None:
        self._results = results
        self._durations = durations
        self._active = active

    def started(self) -> None:
        """A reconcile begins."""
        self._active.inc()

    def finished(self, result: str, seconds: float) -> None:
        """A reconcile has ended after `seconds` with `result`: success, again, error or timeout."""
        self._active.dec()
        self._results[result].inc()
        self._durations.observe(seconds)
