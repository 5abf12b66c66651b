"""The families of a registry as a page: how each is called, of which type it is, its labels, and what it means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from steady.metrics.aliases import SOURCES
from steady.metrics.children import Series

_BY_LIBRARY: Final = ("process_", "python_")  # differ from platform to platform


def reference(registry: CollectorRegistry, sections: Mapping[str, tuple[str, ...]]) -> str:
    """Tables of all families; `sections` has the beginnings of their names by heading, and each is in the first."""
    left = {name: metric for metric in registry.collect() if not (name := _name(metric)).startswith(_BY_LIBRARY)}
    tables = []
    for heading, beginnings in sections.items():
        inside = [name for name in sorted(left) if name.startswith(beginnings)]
        rows = "\n".join(_row(left.pop(name)) for name in inside)
        tables.append(f"## {heading}\n\n| family | type | labels | meaning |\n|---|---|---|---|\n{rows}\n")
    if left:
        raise ValueError(f"no section for {', '.join(left)}: name the beginning of their names in one")
    return "\n".join(tables)


def _row(metric: Metric) -> str:
    name = _name(metric)
    source = f" Made from `{SOURCES[name]}`." if name in SOURCES else ""
    labels = ", ".join(f"`{label}`" for label in _labels(metric))
    return f"| `{name}` | {metric.type} | {labels} | {metric.documentation}{source} |"


def _name(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def _labels(metric: Metric) -> Iterator[str]:
    if isinstance(metric, Series):
        yield from metric.labels
    elif metric.samples:
        yield from (label for label in metric.samples[0].labels if label != "le")
