"""What a workload is."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import ClassVar, Self

from bench.peers.contenders import Contender
from bench.peers.sightings import Sighting
from bench.peers.stage import Stage

GOAL = "Completed"
_SMOKE_SECONDS = 20.0


class Workload(ABC):
    """Something to do in several sizes. `local`, `slow` and `weathered` are the stage's."""

    name: ClassVar[str]
    title: ClassVar[str]
    sizes: ClassVar[tuple[int, ...]]
    smoke: ClassVar[int]
    """A size that shows only that everything works."""
    seconds: float = 10.0
    """How long it takes, roughly, beside what the contender needs for each object."""
    once: ClassVar[bool] = False
    """Whether one repetition is enough: only counts matter."""
    with_git: ClassVar[bool] = False
    """Whether there is a variant in which manifests are committed."""
    local: ClassVar[bool] = False
    slow: ClassVar[float] = 0.0
    weathered: ClassVar[bool] = False

    def suits(self, contender: Contender, size: int) -> bool:  # noqa: ARG002 - for those that differ
        """Whether that contender can take part."""
        return True

    def shortened(self) -> Self:
        """The same, where nothing happens only for as long as it takes to see that everything works."""
        short = copy.copy(self)
        short.seconds = min(self.seconds, _SMOKE_SECONDS)
        return short

    @abstractmethod
    async def run(self, stage: Stage, size: int) -> None:
        """Do it, phase by phase."""


def completed(sighting: Sighting) -> bool:
    """Whether an intent shows that it has been carried out."""
    return sighting.phase == GOAL
