import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from nephoran.repository import Repository
from steady.clock import ManualClock
from tests.unit.repository.remotes import bare

Opened = Callable[..., Repository]


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """An empty bare repository."""
    return bare(tmp_path / "remote.git")


@pytest.fixture
def opened(tmp_path: Path, remote: Path) -> Opened:
    """Makes repositories on the remote: `opened("a")` works in a directory `a` of its own."""

    def make(work: str = "work", url: str | None = str(remote), **options: Any) -> Repository:
        return Repository(url, work=tmp_path / work, clock=ManualClock(), **options)

    return make


@pytest.fixture
async def unauthorised() -> AsyncIterator[str]:
    """The URL of a git server that accepts nobody."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="git"\r\nContent-Length: 0\r\n')
        writer.write(b"Connection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x.git"
