"""One watch as a stream of decoded events, however the bytes arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing

from steady.client.client import Client, api_error, watch_error
from steady.errors import Interrupted
from steady.objects.keys import Resource
from steady.objects.raw import RawEvent, decode_event

_FIRST_BYTE = 30.0  # seconds


class Silence(Interrupted):
    """Not one byte for longer than bookmarks take: the connection is taken for dead."""


async def watch(
    client: Client,
    resource: Resource,
    query: Mapping[str, str],
    *,
    namespace: str = "",
    metadata_only: bool = False,
    silence: Callable[[], float] = lambda: 70.0,
) -> AsyncGenerator[list[RawEvent], None]:
    """Events as they come, in batches of what one piece of the stream completed; ends when the server ends it.

    Raises ApiError for a refusal or an ERROR event, Silence after `silence()` seconds without a byte (bookmarks
    come each minute), Interrupted when the connection breaks. Lines may be of any length.
    """
    path = resource.path(namespace)
    request = client.watch_request(
        resource, query, namespace=namespace, metadata_only=metadata_only, timeout=_FIRST_BYTE
    )
    async with client.transport.stream(request) as stream:
        if stream.response.status >= 400:
            raise api_error(stream.response, f"WATCH {path}")
        async with aclosing(_aclosable(stream.chunks())) as chunks:
            rest: list[bytes] = []
            while True:
                allowed = silence()
                try:
                    async with asyncio.timeout(allowed):
                        chunk = await anext(chunks)
                except StopAsyncIteration:
                    return
                except TimeoutError as error:
                    raise Silence(f"WATCH {path}: silent for {allowed:g} s") from error
                head, newline, tail = chunk.rpartition(b"\n")
                if not newline:
                    rest.append(chunk)
                    continue
                lines = b"".join([*rest, head]).split(b"\n")
                rest = [tail] if tail else []
                yield [_event(line, path) for line in lines if line]


def _event(line: bytes, path: str) -> RawEvent:
    event = decode_event(line)
    if event.type == "ERROR":
        raise watch_error(event.object, f"WATCH {path}")
    return event


async def _aclosable(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    async for chunk in chunks:
        yield chunk
