"""Watch framing: one stream of events however the bytes arrive."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from steady import errors
from steady.client import Client
from steady.client.transport import Request, Response
from steady.client.watch import Silence, watch
from steady.objects.keys import CONFIG_MAPS
from steady.objects.raw import RawEvent, decode_object

pytestmark = pytest.mark.looptime


class Script:
    """A transport whose only answer is a stream of these pieces; a number is a pause in seconds."""

    def __init__(self, pieces: Iterable[bytes | float], status: int = 200, body: bytes = b"") -> None:
        self.response = Response(status, {}, body)
        self._pieces = list(pieces)

    async def send(self, request: Request) -> Response:
        """Not used."""
        raise AssertionError(request)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Script]:
        """The one answer."""
        yield self

    async def chunks(self) -> AsyncIterator[bytes]:
        """The pieces."""
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                await asyncio.sleep(piece)

    async def close(self) -> None:
        """Nothing is open."""


def line(version: int, type_: str = "ADDED", **data: str) -> bytes:
    """One event."""
    metadata = {"name": "a", "namespace": "default", "resourceVersion": str(version)}
    return json.dumps({"type": type_, "object": {"metadata": metadata, "data": data}}).encode() + b"\n"


async def batches(transport: Any, silence: float = 70.0) -> list[list[RawEvent]]:
    """All that one watch gives."""
    async with aclosing(watch(Client(transport), CONFIG_MAPS, {}, silence=lambda: silence)) as stream:
        return [batch async for batch in stream]


def versions(found: list[list[RawEvent]]) -> list[int]:
    """The versions of all events, in order."""
    return [decode_object(event.object).metadata.version for batch in found for event in batch]


async def test_a_line_may_come_in_many_pieces() -> None:
    """Even byte by byte."""
    data = line(1) + line(2)
    assert versions(await batches(Script(bytes([byte]) for byte in data))) == [1, 2]


async def test_many_lines_of_one_piece_are_one_batch() -> None:
    """The tail of the piece goes with the next."""
    data = b"".join(line(number) for number in range(1, 101))
    found = await batches(Script([data[:-10], data[-10:]]))
    assert versions(found) == list(range(1, 101))
    assert [len(batch) for batch in found] == [99, 1]


async def test_a_line_of_two_megabytes_is_one_event() -> None:
    """No limit of any reader applies."""
    data = line(7, text="x" * 2_000_000)
    pieces = [data[start : start + 65_536] for start in range(0, len(data), 65_536)]
    (batch,) = await batches(Script(pieces))
    assert len(batch[0].object) > 2_000_000


async def test_empty_lines_are_nothing() -> None:
    """Some proxies send them to keep a connection open."""
    assert versions(await batches(Script([b"\n\n", line(1), b"\n"]))) == [1]


async def test_half_a_line_at_the_end_is_dropped() -> None:
    """The watch resumes from the last whole event."""
    assert versions(await batches(Script([line(1), line(2)[:-5]]))) == [1]


async def test_an_error_event_is_raised_as_its_type() -> None:
    """A 410 in the stream is Expired, like a 410 of the answer."""
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    gone = json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"
    with pytest.raises(errors.Expired):
        await batches(Script([gone]))
    with pytest.raises(errors.Expired):
        await batches(Script([], 410, json.dumps(status).encode()))


async def test_silence_is_told_after_the_time_allowed() -> None:
    """A byte starts the time anew."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    with pytest.raises(Silence):
        await batches(Script([60.0, line(1), 60.0, b"\n", 1000.0]))
    assert loop.time() - start == pytest.approx(190.0)


async def test_what_is_no_event_is_a_value_error() -> None:
    """Which the reflector answers with a relist."""
    with pytest.raises(ValueError, match="JSON"):
        await batches(Script([b"<html>\n"]))
