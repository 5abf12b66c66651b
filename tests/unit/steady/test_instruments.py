"""Our instruments say what the library's say, line by line."""

from __future__ import annotations

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from steady.metrics import Metrics

_BOUNDS = (0.5, 1.0, 2.0)
_VALUES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 3.0, 100.0]))


def _lines(registry: CollectorRegistry, name: str) -> list[str]:
    text = generate_latest(registry).decode()
    return [line for line in text.splitlines() if line.split(" ")[0].startswith(name) and "_created" not in line]


@given(_VALUES)
def test_a_histogram_is_shown_as_the_librarys(values: list[float]) -> None:
    registry = CollectorRegistry()
    theirs = prometheus_client.Histogram("h", "text", ["a"], buckets=_BOUNDS, registry=registry).labels("x")
    metrics = Metrics()
    ours = metrics.histogram("h", "text", ("a",), _BOUNDS)("x")
    for value in values:
        theirs.observe(value)
        ours.observe(value)
    assert _lines(metrics.registry, "h_") == _lines(registry, "h_")


@given(_VALUES)
def test_a_counter_and_a_gauge_are_shown_as_the_librarys(values: list[float]) -> None:
    registry = CollectorRegistry()
    theirs = prometheus_client.Counter("c", "text", ["a"], registry=registry).labels("x")
    their_gauge = prometheus_client.Gauge("g", "text", ["a"], registry=registry).labels("x")
    metrics = Metrics()
    ours, gauge = metrics.counter("c", "text", ("a",))("x"), metrics.gauge("g", "text", ("a",))("x")
    for value in values:
        for counter in (theirs, ours):
            counter.inc(value)
        for each in (their_gauge, gauge):
            each.inc(value)
            each.dec(1)
    assert _lines(metrics.registry, "c_total") == _lines(registry, "c_total")
    assert _lines(metrics.registry, "g{") == _lines(registry, "g{")


def test_a_gauge_asks_its_function_when_it_is_scraped() -> None:
    metrics = Metrics()
    gauge = metrics.gauge("g", "text", ("a",))("x")
    gauge.set(1)
    readings = iter([3, 4])
    gauge.set_function(lambda: next(readings))
    assert _lines(metrics.registry, "g{") == ['g{a="x"} 3.0']
    assert _lines(metrics.registry, "g{") == ['g{a="x"} 4.0']


def test_a_wrong_number_of_labels_is_refused_by_name() -> None:
    metrics = Metrics()
    with pytest.raises(ValueError, match="controller_reconcile has the labels controller, result"):
        metrics.reconciles("only one")
