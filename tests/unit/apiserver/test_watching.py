"""Watches on virtual time."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from steady.apiserver import Server
from tests.unit.apiserver.conftest import Client

MAPS = "/api/v1/namespaces/default/configmaps"


async def _types(client: Client, **query: str) -> list[str]:
    response = await client("GET", MAPS, watch="1", **query)
    assert response.stream is not None
    return [msgspec.json.decode(line)["type"] async for line in response.stream]


@pytest.mark.looptime
async def test_bookmarks_come_each_minute_until_the_timeout(client: Client) -> None:
    """150 quiet seconds bring two bookmarks and end at that second."""
    started = asyncio.get_running_loop().time()
    assert await _types(client, allowWatchBookmarks="true", timeoutSeconds="150") == ["BOOKMARK", "BOOKMARK"]
    assert asyncio.get_running_loop().time() - started == pytest.approx(150)


@pytest.mark.looptime
async def test_a_silent_watch_says_nothing_while_a_new_one_does(client: Client, apiserver: Server) -> None:
    """Silence holds open watches only, and what they missed can be sent later."""
    old = await client("GET", MAPS, watch="1")
    assert old.stream is not None
    apiserver.silence("configmaps")
    await client.make(MAPS, "a")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(old.stream), 300)
    assert await _types(client, timeoutSeconds="1") == ["ADDED"]


async def test_a_disconnect_ends_watches_after_what_was_sent(client: Client, apiserver: Server) -> None:
    """Every change before the disconnect arrives, then the stream ends."""
    response = await client("GET", MAPS, watch="1")
    await client.make(MAPS, "a")
    apiserver.disconnect("configmaps")
    await client.make(MAPS, "b")
    assert response.stream is not None
    names = [msgspec.json.decode(line)["object"]["metadata"]["name"] async for line in response.stream]
    assert names[:1] == ["a"]


async def test_compaction_expires_old_versions(client: Client, apiserver: Server) -> None:
    """After compaction a watch from before gets one ERROR event with 410."""
    made = await client.make(MAPS, "a")
    await client.make(MAPS, "b")
    apiserver.compact()
    response = await client("GET", MAPS, watch="1", resourceVersion=made["metadata"]["resourceVersion"])
    assert response.stream is not None
    events = [msgspec.json.decode(line) async for line in response.stream]
    assert [(event["type"], event["object"]["code"]) for event in events] == [("ERROR", 410)]


async def test_history_is_bounded_by_the_window() -> None:
    """A watch from before the window of remembered changes is told 410."""
    async with Server(window=2) as server:
        client = Client(server)
        versions = [(await client.make(MAPS, name))["metadata"]["resourceVersion"] for name in ("a", "b", "c", "d")]
        assert await _types(client, resourceVersion=versions[1], timeoutSeconds="0") == ["ADDED", "ADDED"]
        assert await _types(client, resourceVersion=versions[0], timeoutSeconds="0") == ["ERROR"]


@pytest.mark.looptime
async def test_a_watch_ends_although_the_clock_rounds_its_end_away(client: Client, apiserver: Server) -> None:
    """Woken at its last moment it believes the timer, or a clock a hair behind would have it wait again, for ever."""
    loop = asyncio.get_running_loop()
    apiserver._reader._clock = lambda: loop.time() * (1 - 1e-9)
    assert await _types(client, allowWatchBookmarks="true", timeoutSeconds="90") == ["BOOKMARK"]
