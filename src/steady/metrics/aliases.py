"""The names of controller-runtime, so that its dashboards work: made from our own families when scraped.

Source: controller-runtime's `pkg/internal/controller/metrics`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from steady.metrics.children import Children
from steady.metrics.controller import MAIN
from steady.metrics.instruments import Counter, Gauge, Histogram

_RESULTS: Final = {"success": "success", "again": "requeue_after", "error": "error", "timeout": "error"}
_PREFIX: Final = "controller_runtime_"

_GAUGES: Final = {
    "active_workers": "Reconciles running now.",
    "max_concurrent_reconciles": "Reconciles that may run at a time.",
}

SOURCES: Final = {
    f"{_PREFIX}reconcile_total": "controller_reconcile_total",
    f"{_PREFIX}reconcile_errors_total": "controller_reconcile_total",
    f"{_PREFIX}reconcile_time_seconds": "controller_reconcile_duration_seconds",
    f"{_PREFIX}active_workers": "controller_active_reconcilers",
    f"{_PREFIX}max_concurrent_reconciles": "controller_max_reconcilers",
}
"""The family of ours that each one is made from."""


class Aliases(Collector):
    """Tells of reconciles as controller-runtime does."""

    def __init__(
        self,
        reconciles: Children[Counter],
        durations: Children[Histogram],
        active: Children[Gauge],
        slots: Children[Gauge],
    ) -> None:
        self._reconciles = reconciles
        self._durations = durations
        self._gauges = {"active_workers": active, "max_concurrent_reconciles": slots}

    def describe(self) -> Iterable[Metric]:
        """Nothing is collected to find out the names: they are ours alone."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The families under their other names."""
        total = CounterMetricFamily(f"{_PREFIX}reconcile", "Reconciles by result.", labels=("controller", "result"))
        errors = CounterMetricFamily(f"{_PREFIX}reconcile_errors", "Reconciles that failed.", labels=("controller",))
        for (controller, result), count in self._counts().items():
            total.add_metric((controller, result), count)
            if result == "error":
                errors.add_metric((controller,), count)
        yield from (total, errors, self._times())
        for name, gauge in self._gauges.items():
            family = GaugeMetricFamily(f"{_PREFIX}{name}", _GAUGES[name], labels=("controller",))
            for metric in gauge.collect():
                for sample in metric.samples:
                    family.add_metric((sample.labels["controller"],), sample.value)
            yield family

    def _counts(self) -> dict[tuple[str, str], float]:
        counts: dict[tuple[str, str], float] = defaultdict(float)
        for metric in self._reconciles.collect():
            for sample in metric.samples:
                counts[sample.labels["controller"], _RESULTS[sample.labels["result"]]] += sample.value
        return counts

    def _times(self) -> Metric:
        family = Metric(f"{_PREFIX}reconcile_time_seconds", "Time of a reconcile.", "histogram")
        for metric in self._durations.collect():
            for sample in metric.samples:
                if sample.labels.get("phase") != MAIN:
                    continue
                labels = {name: value for name, value in sample.labels.items() if name != "phase"}
                family.add_sample(sample.name.replace(metric.name, family.name), labels, sample.value)
        return family
