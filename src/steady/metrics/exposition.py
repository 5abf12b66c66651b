"""The text that Prometheus scrapes, made in pieces so that the event loop is never held for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from steady.metrics.children import Series, made

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4


class _Alone(Collector):
    """A registry of one family, for a formatter that asks for a registry."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterator[Metric]:
        yield self._metric


async def exposition(registry: CollectorRegistry) -> AsyncIterator[bytes]:
    """The text, piece by piece; others may run between two of them."""
    for metric in registry.collect():
        for piece in _pieces(metric):
            yield piece
            await asyncio.sleep(0)


def _lasting(metric: Metric) -> list[Sample]:
    return [sample for sample in metric.samples if not made(sample)]


def _pieces(metric: Metric) -> Iterator[bytes]:
    header = True
    for samples in metric.pieces() if isinstance(metric, Series) else [_lasting(metric)]:
        part = Metric(metric.name, metric.documentation, metric.type)
        part.samples = samples
        text = generate_latest(_Alone(part))
        yield text if header else text.split(b"\n", 2)[2]  # HELP and TYPE come once
        header = False
