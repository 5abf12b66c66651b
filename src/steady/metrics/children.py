"""A metric family with labels: its children, each resolved once, and its series, made a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, Generic, TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from steady.metrics.instruments import Instrument

I = TypeVar("I", bound=Instrument)  # noqa: E741 - I for instrument

_AT_A_TIME: Final = 8  # children; those of a histogram have about 17 series, 8 of them make half a millisecond


class Children(Collector, Generic[I]):
    """The instruments of the family `head` by label values, which must be few; `instrument` makes one.

    The library makes all series of a family in one go, 3,000 of them in 14 ms; so they are made here.
    """

    def __init__(
        self, head: Metric, labels: tuple[str, ...], instrument: Callable[[], I], registry: CollectorRegistry
    ) -> None:
        self._head = head
        self.labels = labels
        self._instrument = instrument
        self._children: dict[tuple[str, ...], I] = {}
        registry.register(self)

    def __call__(self, *values: str) -> I:
        """The instrument with these label values, in the order of declaration. Raises ValueError for another number."""
        child = self._children.get(values)
        if child is None:
            if len(values) != len(self.labels):
                raise ValueError(f"{self._head.name} has the labels {', '.join(self.labels)}; got {values}")
            child = self._children[values] = self._instrument()
        return child

    def describe(self) -> Iterable[Metric]:
        """Name and type."""
        return [self._head]

    def collect(self) -> Iterator[Metric]:
        """The family; its series are made when asked for."""
        yield Series(self._head, self.labels, self.samples)

    def samples(self) -> Iterator[list[Sample]]:
        """The series, a few at a time."""
        children = iter(list(self._children.items()))
        while some := list(islice(children, _AT_A_TIME)):
            yield [
                Sample(f"{self._head.name}{suffix}", {**labels, **more}, value)
                for values, child in some
                for labels in [dict(zip(self.labels, values, strict=True))]
                for suffix, more, value in child.points()
            ]


class Series(Metric):
    """One family at one moment: `pieces` makes its samples a few at a time, `samples` all at once."""

    def __init__(self, head: Metric, labels: tuple[str, ...], pieces: Callable[[], Iterator[list[Sample]]]) -> None:
        super().__init__(head.name, head.documentation, head.type)
        self.labels = labels
        self.pieces = pieces

    @property
    def samples(self) -> list[Sample]:
        """All samples."""
        return [sample for some in self.pieces() for sample in some]

    @samples.setter
    def samples(self, _: list[Sample]) -> None:
        """The library's constructor starts with none."""


def made(sample: Sample) -> bool:
    """Whether a sample only says when its series was made: it costs a line and serves nobody here."""
    return sample.name.endswith("_created")
