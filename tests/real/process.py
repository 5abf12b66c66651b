"""`nephoran run` as a process of its own: what it says, and how it ends."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from steady.tasks import Scope

COMMAND = Path(sys.executable).with_name("nephoran")
SAY_SECONDS = 30.0
END_SECONDS = 30.0


class Nephoran:
    """One running `nephoran`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.lines: list[str] = []
        self._process = process
        self._more = asyncio.Condition()

    async def listen(self) -> None:
        """Keep what it says until it ends."""
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            async with self._more:
                self.lines.append(line.decode().rstrip())
                self._more.notify_all()

    async def said(self, text: str) -> None:
        """Return when a line has `text`; all lines are in the failure if none has in time."""
        try:
            async with asyncio.timeout(SAY_SECONDS), self._more:
                await self._more.wait_for(lambda: any(text in line for line in self.lines))
        except TimeoutError as error:
            raise AssertionError(f"never said {text!r}: {self.lines}") from error

    async def ended(self) -> int:
        """Return its exit code."""
        async with asyncio.timeout(END_SECONDS):
            return await self._process.wait()

    def terminate(self) -> None:
        """Ask it to stop."""
        self._process.terminate()

    async def kill(self) -> None:
        """End it at once, as a lost machine would."""
        self._process.kill()
        assert await self.ended() == -9


@asynccontextmanager
async def nephoran(*arguments: str | Path) -> AsyncIterator[Nephoran]:
    """Run `nephoran ARGUMENTS` with nothing from this environment; it is gone afterwards."""
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *arguments,
        stderr=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
        env={"PATH": "/usr/bin:/bin"},
    )
    running = Nephoran(process)
    async with Scope("nephoran") as scope:
        listening = scope.start(running.listen(), "listen")
        try:
            yield running
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await listening


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])
