"""What the tests of E2 nodes share."""

from __future__ import annotations

import asyncio

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_ambient_loop() -> None:
    """Before CPython 3.14, asking for a loop before one was ever set makes one that nobody closes; looptime asks."""
    asyncio.set_event_loop(None)
