"""What a benchmark is: something that is prepared once and then done again and again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, TypeAlias

FEW, MANY = 100, 100_000
"""Keys of an ordinary run, and those with which growth is measured."""


class Step(NamedTuple):
    """`run` does the operation that many times; `rest` is awaited between two runs and is not measured."""

    run: Callable[[int], Awaitable[None]]
    rest: Callable[[], Awaitable[object]] | None = None


Prepare: TypeAlias = Callable[[int], AbstractAsyncContextManager[Step]]
Prepared: TypeAlias = AsyncIterator[Step]


class Go(NamedTuple):
    """What the Go package's benchmark of the same name measured, and what that was."""

    nanoseconds: float
    bytes: int | None = None
    allocations: int | None = None
    note: str = ""


class Case(NamedTuple):
    """One benchmark. `prepare` takes a number of keys; `grows` when that number might matter.

    One operation of it is `unit` operations of the house, by which all numbers are divided. `limit` is a promise in
    microseconds per operation.
    """

    name: str
    prepare: Prepare
    what: str = ""
    unit: int = 1
    grows: bool = False
    limit: float | None = None
    go: Go | None = None
