"""Benchmarks of backoff."""

from __future__ import annotations

import errno
from contextlib import asynccontextmanager
from itertools import cycle, islice
from typing import Final

import aiohttp

from bench.micro.case import Prepared, Step
from steady import errors
from steady.backoff import BackoffConfig, BackoffManager, BackoffStrategy, ErrorType

# A delay as short as a timer's error: then every failure counts, as it does when its time has come.
_DUE: Final = BackoffConfig(BackoffStrategy.EXPONENTIAL, 0.001, 0.001, 2.0, True, 10**9)
_KNOWN: Final = (
    errors.Conflict(409, "Conflict", "the object has been modified"),
    errors.TooManyRequests(429, "TooManyRequests", "slow down"),
    errors.Forbidden(403, "Forbidden", "networkintents.nephoran.com is forbidden"),
    errors.Invalid(422, "Invalid", "spec.replicas: Invalid value"),
    errors.ServerError(503, "ServiceUnavailable", "no endpoints"),
    errors.Unreachable("connection refused"),
    OSError(errno.ENOSPC, "no space left on device"),
    TimeoutError(),
    aiohttp.ClientError("connection lost"),
    ValueError("not a number"),
)
_FOREIGN: Final = (
    RuntimeError("rate limit reached"),
    RuntimeError("quota of the project is used up"),
    RuntimeError("schema validation failed"),
    RuntimeError("something else, of which nobody knows anything"),
)


@asynccontextmanager
async def next_delay(keys: int) -> Prepared:
    """A failure whose delay has passed, of one key after another."""
    manager = BackoffManager({ErrorType.TRANSIENT: _DUE}, limit=2 * keys)
    error = errors.Unreachable("connection refused")
    for number in range(keys):
        manager.next_delay(("bench", f"intent-{number}"), error)
    rows = cycle([("bench", f"intent-{number}") for number in range(keys)])

    async def run(times: int) -> None:
        for key in islice(rows, times):
            manager.next_delay(key, error)

    yield Step(run)


@asynccontextmanager
async def success(keys: int) -> Prepared:
    """A success of a key that has not failed, while `keys` others have: what every reconcile ends with."""
    manager = BackoffManager({ErrorType.TRANSIENT: _DUE}, limit=2 * keys)
    for number in range(keys):
        manager.next_delay(("bench", f"failing-{number}"), errors.Unreachable("connection refused"))
    rows = cycle([("bench", f"intent-{number}") for number in range(keys)])

    async def run(times: int) -> None:
        for key in islice(rows, times):
            manager.success(key)

    yield Step(run)


@asynccontextmanager
async def cured(keys: int) -> Prepared:
    """A first failure and the success after it, while `keys` others fail."""
    manager = BackoffManager(limit=4 * keys)
    error = errors.Unreachable("connection refused")
    for number in range(keys):
        manager.next_delay(("bench", f"failing-{number}"), error)
    rows = cycle([("bench", f"intent-{number}") for number in range(keys)])

    async def run(times: int) -> None:
        for key in islice(rows, times):
            manager.next_delay(key, error)
            manager.success(key)

    yield Step(run)


@asynccontextmanager
async def classify(_: int) -> Prepared:
    """Errors of the API server, of the system and of libraries, in turn."""
    manager = BackoffManager()
    rows = cycle(_KNOWN)

    async def run(times: int) -> None:
        for error in islice(rows, times):
            manager.classify_error(error)

    yield Step(run)


@asynccontextmanager
async def classify_words(_: int) -> Prepared:
    """Errors of classes that no rule names, in turn: their words are all there is."""
    manager = BackoffManager()
    rows = cycle(_FOREIGN)

    async def run(times: int) -> None:
        for error in islice(rows, times):
            manager.classify_error(error)

    yield Step(run)
