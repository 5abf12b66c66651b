"""The batcher's options: what is allowed, and what an error says."""

from __future__ import annotations

import math

import pytest

from steady.errors import ConfigurationError
from steady.queue import Priority
from steady.status import BatchConfig

NUMBERS = (
    "max_batch_size",
    "batch_timeout",
    "flush_interval",
    "max_queue_size",
    "max_in_flight",
    "writes_per_second",
    "ageing",
)
WHOLE = ("max_batch_size", "max_queue_size", "max_in_flight")


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [-1, 1e9, math.nan, math.inf, "10", None, True])
def test_an_error_names_key_value_and_range(name: str, value: object) -> None:
    """Of every number."""
    with pytest.raises(ConfigurationError) as caught:
        BatchConfig(**{name: value})  # type: ignore[arg-type]
    text = str(caught.value)
    assert text.startswith(f"{name}: {value!r} is not allowed; use a ")
    assert "number from " in text
    assert " to " in text


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [0, 1.5])
def test_a_number_of_objects_is_whole_and_not_zero(name: str, value: float) -> None:
    """Half an object does not wait, and none is no batch."""
    with pytest.raises(ConfigurationError, match=f"{name}: {value!r} is not allowed; use a whole number from 1 to"):
        BatchConfig(**{name: value})  # type: ignore[arg-type]


def test_low_does_not_leave_before_medium() -> None:
    """The two times depend on each other."""
    with pytest.raises(
        ConfigurationError, match=r"flush_interval: 5\.0 is not allowed; use 9 \(batch_timeout\) or more"
    ):
        BatchConfig(batch_timeout=9.0)


def test_priorities_are_on_or_off() -> None:
    """And nothing else."""
    with pytest.raises(ConfigurationError, match="priorities: 'yes' is not allowed; use true or false"):
        BatchConfig(priorities="yes")  # type: ignore[arg-type]


def test_each_priority_has_its_delay() -> None:
    """The two urgent ones have none."""
    config = BatchConfig(batch_timeout=1, flush_interval=3)
    assert [config.delay(priority) for priority in Priority] == [3, 1, 0, 0]
