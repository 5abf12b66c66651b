"""What became of statuses, read from the batcher's own counts when scraped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_COUNTERS: Final = {
    "queued": "Statuses submitted.",
    "dropped": "Statuses that were not sent because the process stopped.",
    "failed": "Statuses that did not land, dropped ones included.",
}


class Counts(Protocol):
    """One kind's statuses, each list by priority, lowest first."""

    @property
    def queued(self) -> Sequence[int]:
        """Submitted."""
        ...

    @property
    def dropped(self) -> Sequence[int]:
        """Not sent because of a stop."""
        ...

    @property
    def failed(self) -> Sequence[int]:
        """Not landed."""
        ...

    @property
    def pending(self) -> int:
        """Waiting now."""
        ...


class StatusMetrics(Collector):
    """The families of one batcher: `counts` by kind, `priorities` the names of what the lists go by."""

    def __init__(self, counts: Mapping[str, Counts], priorities: Sequence[str], owner: Callable[[str], str]) -> None:
        self._counts = counts
        self._priorities = priorities
        self._owner = owner

    def describe(self) -> Iterable[Metric]:
        """The same, of nothing."""
        return StatusMetrics({}, (), self._owner).collect()

    def collect(self) -> Iterator[Metric]:
        """The counts of this moment."""
        for name, text in _COUNTERS.items():
            family = CounterMetricFamily(
                f"controller_status_updates_{name}", text, labels=("controller", "priority", "resource_type")
            )
            for kind, counts in self._counts.items():
                for priority, count in zip(self._priorities, getattr(counts, name), strict=True):
                    family.add_metric((self._owner(kind), priority, kind), count)
            yield family
        size = GaugeMetricFamily("controller_status_queue_size", "Statuses that wait.", labels=("controller",))
        waiting: dict[str, int] = {}
        for kind, counts in self._counts.items():
            waiting[self._owner(kind)] = waiting.get(self._owner(kind), 0) + counts.pending
        for owner, pending in waiting.items():
            size.add_metric((owner,), pending)
        yield size
