"""Requests over real sockets, against servers that say exactly what a test wants, byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import pytest

from steady.client import Connection, HttpTransport, Request
from steady.errors import ConfigurationError, Interrupted, Unreachable, Untrusted

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
GET = Request("GET", "/api", timeout=5.0)

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter
Script = Callable[[Reader, Writer], Awaitable[None]]


class Peer:
    """A server whose every connection follows one script. `heads` are the requests it has read."""

    def __init__(self, script: Script) -> None:
        self.heads: list[str] = []
        self.connections = 0
        self.port = 0
        self._script = script

    async def asked(self, reader: Reader) -> str:
        """Read one request without a body."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.heads.append(head)
        return head

    async def serve(self, reader: Reader, writer: Writer) -> None:
        """One connection."""
        self.connections += 1
        try:
            await self._script(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def peer(script: Callable[[Peer, Reader, Writer], Awaitable[None]]) -> AsyncIterator[tuple[Peer, HttpTransport]]:
    """A server of that script, and a transport to it."""
    it = Peer(lambda reader, writer: script(it, reader, writer))
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    transport = HttpTransport(Connection(f"http://127.0.0.1:{it.port}", token="secret"), connections=4)
    try:
        yield it, transport
    finally:
        await transport.close()
        server.close()


def answering(*pieces: bytes) -> Callable[[Peer, Reader, Writer], Awaitable[None]]:
    """Answers every request with `pieces`, each in a packet of its own."""

    async def script(it: Peer, reader: Reader, writer: Writer) -> None:
        while True:
            await it.asked(reader)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.001)

    return script


async def test_requests_follow_each_other_on_one_connection() -> None:
    """Method, path, query, token and headers arrive as they were meant."""
    async with peer(answering(OK)) as (it, transport):
        for _ in range(3):
            answer = await transport.send(Request("GET", "/api/a b", {"labelSelector": "a=b,c"}, {"accept": "x"}))
            assert (answer.status, answer.headers["content-length"], answer.body) == (200, "2", b"ok")
    assert it.connections == 1
    lines = it.heads[0].split("\r\n")
    assert lines[0] == "GET /api/a%20b?labelSelector=a%3Db%2Cc HTTP/1.1"
    assert {f"host: 127.0.0.1:{it.port}", "authorization: Bearer secret", "accept: x"} <= set(lines)


async def test_a_body_is_sent_with_its_length() -> None:
    """A write of no content says so, too."""
    async with peer(answering(OK)) as (it, transport):
        await transport.send(Request("POST", "/api"))
    assert "content-length: 0" in it.heads[0]


async def test_requests_at_the_same_time_have_connections_of_their_own_up_to_the_limit() -> None:
    """Four at a time; the others wait."""
    running = most = 0

    async def script(it: Peer, reader: Reader, writer: Writer) -> None:
        nonlocal running, most
        while True:
            await it.asked(reader)
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.01)
            running -= 1
            writer.write(OK)

    async with peer(script) as (it, transport):
        await asyncio.gather(*(transport.send(GET) for _ in range(12)))
    assert (most, it.connections, len(it.heads)) == (4, 4, 12)


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", b"c\r\n", b"1\r\nd\r\n0\r\n\r\n"], b"abcd"),
        ([b"HTTP/1.1 200 OK\r\nContent-", b"Length: 4\r\n\r", b"\nab", b"cd"], b"abcd"),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd"], b"abcd"),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], b""),
    ],
)
async def test_an_answer_may_come_in_any_pieces(pieces: list[bytes], body: bytes) -> None:
    """Chunks, halves of headers and interim answers make one body; the connection serves on."""
    async with peer(answering(*pieces)) as (it, transport):
        for _ in range(2):
            assert (await transport.send(GET)).body == body
    assert it.connections == 1


async def test_a_body_without_a_length_ends_with_the_connection() -> None:
    """As HTTP/1.0 has it."""

    async def script(it: Peer, reader: Reader, writer: Writer) -> None:
        await it.asked(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nabcd")

    async with peer(script) as (_, transport):
        assert (await transport.send(GET)).body == b"abcd"


async def test_a_connection_that_the_server_ends_is_not_used_again() -> None:
    """Whether it says so or just closes."""

    async def says(it: Peer, reader: Reader, writer: Writer) -> None:
        await it.asked(reader)
        writer.write(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    async def closes(it: Peer, reader: Reader, writer: Writer) -> None:
        await it.asked(reader)
        writer.write(OK)

    for script in (says, closes):
        async with peer(script) as (it, transport):
            for _ in range(3):
                assert (await transport.send(GET)).body == b"ok"
                await asyncio.sleep(0.01)
        assert it.connections == 3


async def test_what_nobody_asked_for_is_nobodys_answer() -> None:
    """A server that gives up an idle connection with a 408 is not heard by the next request."""

    async def script(it: Peer, reader: Reader, writer: Writer) -> None:
        await it.asked(reader)
        writer.write(OK)
        await asyncio.sleep(0.01)
        writer.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await it.asked(reader)

    async with peer(script) as (_, transport):
        assert (await transport.send(GET)).status == 200
        await asyncio.sleep(0.05)
        assert (await transport.send(GET)).status == 200


async def test_a_late_answer_is_not_given_to_the_next_request() -> None:
    """A request that ran out of time takes its connection with it."""

    async def script(it: Peer, reader: Reader, writer: Writer) -> None:
        head = await it.asked(reader)
        if "/slow" in head:
            await asyncio.sleep(0.2)
            writer.write(OK.replace(b"ok", b"no"))
        else:
            writer.write(OK)

    async with peer(script) as (it, transport):
        with pytest.raises(Interrupted, match=r"GET /slow: no answer within 0\.05 s"):
            await transport.send(Request("GET", "/slow", timeout=0.05))
        assert (await transport.send(GET)).body == b"ok"
    assert it.connections == 2


async def test_nobody_there_is_unreachable() -> None:
    """Then the request provably never arrived, and may be repeated."""
    async with peer(answering(OK)) as (it, transport):
        port = it.port
        await transport.close()
    other = HttpTransport(Connection(f"http://127.0.0.1:{port}"))
    with pytest.raises(Unreachable, match=f"cannot connect to 127.0.0.1:{port}"):
        await other.send(GET)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "closed by the server"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "closed by the server"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "closed by the server"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
    ],
)
async def test_a_broken_answer_leaves_the_outcome_unknown(said: bytes, why: str) -> None:
    """The request may have taken effect: Interrupted, naming it."""

    async def script(it: Peer, reader: Reader, writer: Writer) -> None:
        await it.asked(reader)
        writer.write(said)

    async with peer(script) as (_, transport):
        with pytest.raises(Interrupted, match=f"GET /api: .*{why}"):
            await transport.send(GET)


async def test_a_cancelled_request_ends_its_connection() -> None:
    """Nobody waits for what comes, so it must not meet somebody else."""
    asked, ended = asyncio.Event(), asyncio.Event()

    async def script(it: Peer, reader: Reader, writer: Writer) -> None:
        await it.asked(reader)
        asked.set()
        try:
            await reader.read()
        finally:
            ended.set()

    async with peer(script) as (_, transport):
        task = asyncio.ensure_future(transport.send(GET))
        await asked.wait()
        task.cancel()
        async with asyncio.timeout(5.0):
            await ended.wait()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_stream_gives_pieces_as_they_come_and_ends_with_the_server() -> None:
    """A refusal has its body at once; the time limit holds up to the first byte only."""

    async def script(it: Peer, reader: Reader, writer: Writer) -> None:
        await it.asked(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"one", b"two"):
            await asyncio.sleep(0.1)
            writer.write(b"3\r\n" + piece + b"\r\n")
        writer.write(b"0\r\n\r\n")
        await it.asked(reader)
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
        await it.asked(reader)

    async with peer(script) as (_, transport):
        async with transport.stream(Request("GET", "/watch", timeout=0.15)) as stream:
            assert stream.response.status == 200
            assert [piece async for piece in stream.chunks()] == [b"one", b"two"]
        async with transport.stream(Request("GET", "/refused")) as stream:
            assert (stream.response.status, stream.response.body) == (403, b"no")


async def test_a_broken_stream_says_so_after_what_had_come() -> None:
    """What was read before the break is delivered."""

    async def script(it: Peer, reader: Reader, writer: Writer) -> None:
        await it.asked(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")

    seen = []
    async with peer(script) as (_, transport):

        async def read() -> None:
            async with transport.stream(GET) as stream:
                async for piece in stream.chunks():
                    seen.append(piece)  # noqa: PERF401 - kept up to the break

        with pytest.raises(Interrupted, match="closed by the server"):
            await read()
    assert seen == [b"one"]


async def test_a_slow_reader_slows_the_server_down() -> None:
    """What waits for its reader is bounded, so a watch that nobody reads does not fill the memory."""
    sent = 0

    async def script(it: Peer, reader: Reader, writer: Writer) -> None:
        nonlocal sent
        await it.asked(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n")
        for _ in range(1024):
            writer.write(bytes(65536))
            await writer.drain()
            sent += 65536

    async with peer(script) as (_, transport), transport.stream(GET) as stream:
        before = -1
        while sent != before:
            before = sent
            await asyncio.sleep(0.1)
        assert sent < 32 * 1024 * 1024
        assert sum([len(piece) async for piece in stream.chunks()]) == 67108864


async def test_a_line_break_in_a_header_is_refused() -> None:
    """Nobody writes a second request into the first."""
    async with peer(answering(OK)) as (it, transport):
        with pytest.raises(ConfigurationError, match="line break"):
            await transport.send(Request("GET", "/", headers={"accept": "a\r\nx: y"}))
    assert it.heads == []


async def test_a_server_below_a_path_is_asked_there() -> None:
    """As proxies in front of several clusters have it."""
    async with peer(answering(OK)) as (it, _):
        transport = HttpTransport(Connection(f"http://127.0.0.1:{it.port}/clusters/one/"))
        await transport.send(GET)
        await transport.close()
    assert it.heads[0].startswith("GET /clusters/one/api HTTP/1.1")


async def test_a_server_that_speaks_no_tls_gets_not_one_byte_of_the_request() -> None:
    """The token stays here."""
    heard = []

    async def script(it: Peer, reader: Reader, writer: Writer) -> None:
        heard.append(await reader.read(1000))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with peer(script) as (it, _):
        transport = HttpTransport(Connection(f"https://127.0.0.1:{it.port}", token="secret"))
        with pytest.raises(Untrusted, match=f"TLS with 127.0.0.1:{it.port}"):
            await transport.send(GET)
        await transport.close()
    assert len(heard) == 1
    assert b"secret" not in heard[0]


async def test_a_server_that_goes_while_tls_begins_is_away_and_not_untrusted() -> None:
    """It restarts, perhaps: nothing is said about who it is."""

    async def script(it: Peer, reader: Reader, writer: Writer) -> None:
        await reader.read(1000)

    async with peer(script) as (it, _):
        transport = HttpTransport(Connection(f"https://127.0.0.1:{it.port}", token="secret"))
        with pytest.raises(Unreachable) as raised:
            await transport.send(GET)
        await transport.close()
    assert type(raised.value) is Unreachable
