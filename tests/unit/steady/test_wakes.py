"""Keys that are named to be looked at: in order, each once, and none that nobody wants any more."""

from __future__ import annotations

import asyncio

import pytest

from steady.wakes import Wakes

pytestmark = pytest.mark.looptime


async def test_a_key_that_is_named_often_is_told_once_and_again_when_named_later() -> None:
    """In the order of the first naming; what is named while the reader waits wakes it."""
    wakes, told = Wakes[str](), list[str]()

    async def read() -> None:
        async for key in wakes.keys():
            told.append(key)

    wakes.add(["b", "a", "b"])
    wakes.add(["c"])
    wakes.discard("c")
    reader = asyncio.create_task(read())
    await asyncio.sleep(1.0)
    assert told == ["b", "a"]
    wakes.add(["b"])
    await asyncio.sleep(1.0)
    assert told == ["b", "a", "b"]
    reader.cancel()
