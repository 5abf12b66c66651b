"""A process that answers questions: one word a line on its standard input, one JSON value a line on its output."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import msgspec

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_LINE_BYTES = 16 * 1024 * 1024
READY = "ready"


class Child:
    """The Python module `module` in a process of its own; entered when it has said that it is ready."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = (sys.executable, "-m", module, *arguments)
        self._process: asyncio.subprocess.Process | None = None
        self.hello: Any = None
        """What it said when it was ready."""

    async def __aenter__(self) -> Self:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe, limit=_LINE_BYTES)
        try:
            async with asyncio.timeout(_START_SECONDS):
                self.hello = await self._answer()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        process = self._running()
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def ask(self, question: str) -> Any:
        """The answer to `question`. Raises RuntimeError when the process has ended."""
        stdin = self._running().stdin
        assert stdin is not None
        stdin.write(question.encode() + b"\n")
        return await self._answer()

    async def _answer(self) -> Any:
        stdout = self._running().stdout
        assert stdout is not None
        line = await stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self._command[1:3])} has ended; what it said stands above")
        return msgspec.json.decode(line)

    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "the process has not been started"
        return self._process


async def answer(questions: Mapping[str, Callable[[], Any]], hello: Any = READY) -> None:
    """Say `hello`, then answer `questions` until nobody asks any more."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    _say(hello)
    try:
        while line := await reader.readline():
            _say(questions[line.decode().strip()]())
    finally:
        transport.close()


def _say(value: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()
