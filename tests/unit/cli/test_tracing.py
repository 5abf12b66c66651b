"""`tracing.enabled`: spans where the extra is installed, a clear error where it is not."""

from __future__ import annotations

import sys

import pytest

from nephoran.cli.run import manager
from nephoran.configuration import Configuration, Tracing
from nephoran.repository.memory import MemoryRepository
from steady.apiserver import Server
from steady.clock import ManualClock
from steady.errors import ConfigurationError
from steady.testing.memory import MemoryTransport

pytestmark = pytest.mark.looptime


async def test_spans_are_made_only_where_they_are_asked_for() -> None:
    """By the tracer of the process, which `opentelemetry-instrument` sets up."""
    async with Server(clock=ManualClock()) as server:
        for enabled in (True, False):
            configuration = Configuration(tracing=Tracing(enabled=enabled))
            operator = manager(configuration, MemoryRepository(clock=ManualClock()), lambda: MemoryTransport(server))
            assert (operator._spans is not None) is enabled


async def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is named, and the command."""
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    async with Server(clock=ManualClock()) as server:
        with pytest.raises(ConfigurationError, match=r"tracing\.enabled: .*pip install 'nephoran\[otel\]'"):
            manager(
                Configuration(tracing=Tracing(enabled=True)),
                MemoryRepository(clock=ManualClock()),
                lambda: MemoryTransport(server),
            )
