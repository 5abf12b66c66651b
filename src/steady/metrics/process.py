"""What the process itself uses, read when scraped."""

from __future__ import annotations

import asyncio
import resource
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_STATM = Path("/proc/self/statm")
_KIB = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in KiB, on macOS in bytes


class ProcessMetrics(Collector):
    """Memory by type, tasks of the running event loop, and threads, of the process called `name`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def describe(self) -> Iterable[Metric]:
        """Nothing is collected to find out the names: they are ours alone."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The values of this moment."""
        memory = GaugeMetricFamily(
            "controller_memory_usage_bytes",
            "Memory of the process: resident now, at its peak, and blocks that Python holds.",
            labels=("controller", "type"),
        )
        for type_, value in _memory().items():
            memory.add_metric((self._name, type_), value)
        yield memory
        yield self._gauge("controller_tasks", "Tasks of the event loop.", _tasks())
        yield self._gauge("controller_threads", "Threads.", threading.active_count())

    def _gauge(self, name: str, text: str, value: int) -> Metric:
        family = GaugeMetricFamily(name, text, labels=("controller",))
        family.add_metric((self._name,), value)
        return family


def _memory() -> dict[str, int]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    found = {"peak": peak, "python_blocks": sys.getallocatedblocks()}
    if _STATM.exists():
        found["resident"] = int(_STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return found


def _tasks() -> int:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return 0
