"""How statuses are batched."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, inspect

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

    max_batch_size: Count = 100
    batch_timeout: Seconds = 2.0
    flush_interval: Seconds = 5.0
    max_queue_size: Count = 10_000
    max_in_flight: Count = 32
    writes_per_second: Rate = 0.0
    ageing: Seconds = 5.0
    priorities: bool = True

    def __post_init__(self) -> None:
        for name, type_ in _fields():
            _check(name, getattr(self, name), type_)
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


def _fields() -> list[tuple[str, inspect.Type]]:
    info = inspect.type_info(BatchConfig)
    return [(field.name, field.type) for field in info.fields] if isinstance(info, inspect.StructType) else []


def _check(name: str, value: object, type_: inspect.Type) -> None:
    if isinstance(type_, inspect.BoolType):
        if not isinstance(value, bool):
            raise ConfigurationError(f"{name}: {value!r} is not allowed; use true or false")
        return
    if not isinstance(type_, (inspect.IntType, inspect.FloatType)):
        return
    whole = isinstance(type_, inspect.IntType)
    number = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    low, high = type_.ge or 0, type_.le or 0
    if not number or not low <= value <= high:  # type: ignore[operator]
        raise ConfigurationError(
            f"{name}: {value!r} is not allowed; use a {'whole ' if whole else ''}number from {low:g} to {high:g}"
        )
