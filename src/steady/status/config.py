"""How statuses are batched."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from steady.configuration import LIVE, check
from steady.errors import ConfigurationError
from steady.queue import Priority

Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Rate = Annotated[float, Meta(ge=0, le=100_000)]


class BatchConfig(msgspec.Struct, frozen=True):
    """Times in seconds; sizes in objects of one kind, so that no kind uses up what another one needs.

    MEDIUM waits up to `batch_timeout`, LOW up to `flush_interval`; both leave when `max_batch_size` objects wait. What
    has been ready for `ageing` gets a share of the departures whatever its priority. Without `priorities` every update
    is MEDIUM. A submitter waits while `max_queue_size` objects are pending.

    `max_in_flight` and `writes_per_second` (0: no limit) are never exceeded, by all kinds together. Below them the rate
    follows what the server's answers say (see `Budget`).

    Raises ConfigurationError naming key, value and allowed range. There is no number of retries: see `Ticket`.
    """

    max_batch_size: Annotated[
        Count, Meta(description="Objects of a kind whose waiting makes all of them leave.", extra=LIVE)
    ] = 100
    batch_timeout: Annotated[
        Seconds, Meta(description="Seconds that progress (MEDIUM) waits for what follows.", extra=LIVE)
    ] = 2.0
    flush_interval: Annotated[Seconds, Meta(description="Seconds that what is not urgent (LOW) waits.", extra=LIVE)] = (
        5.0
    )
    max_queue_size: Annotated[
        Count, Meta(description="Objects of a kind that wait before reconciles do.", extra=LIVE)
    ] = 10_000
    max_in_flight: Annotated[Count, Meta(description="Status writes at the same time.")] = 32
    writes_per_second: Annotated[Rate, Meta(description="Status writes per second at most; 0: no limit.")] = 0.0
    ageing: Annotated[Seconds, Meta(description="Seconds after which a ready write goes ahead of its priority.")] = 5.0
    priorities: Annotated[bool, Meta(description="Urgent writes go first; else all are MEDIUM.", extra=LIVE)] = True

    def __post_init__(self) -> None:
        check(self)
        if self.flush_interval < self.batch_timeout:
            raise ConfigurationError(
                f"flush_interval: {self.flush_interval!r} is not allowed; use {self.batch_timeout:g} (batch_timeout) "
                "or more, for LOW does not leave before MEDIUM"
            )

    def delay(self, priority: Priority) -> float:
        """The seconds that an update of `priority` may wait for others."""
        if priority >= Priority.HIGH:
            return 0.0
        return self.batch_timeout if priority is Priority.MEDIUM else self.flush_interval
