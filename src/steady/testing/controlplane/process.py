"""One server process on a leash, with its output in a file.

Plain `subprocess`, so that a process may be started under one event loop and stopped under another (a test
session has several).
"""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from steady.testing.controlplane import leash

_LEASH = Path(leash.__file__)
_STOP_SECONDS = leash.GRACE_SECONDS + 5.0
_LOG_TAIL_BYTES = 4096


class Process:
    """A running server: started by construction, stopped by `stop`, gone when this process is."""

    def __init__(self, command: list[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start `command` with `environment` (by default this process's); its output is appended to `log`.

        Raises `OSError` where it cannot be started.
        """
        self.name = Path(command[0]).name
        self.log = log
        with log.open("ab") as output:
            self._leash = subprocess.Popen(
                [sys.executable, "-IS", str(_LEASH), str(log.parent), *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        assert self._leash.stdout is not None
        said = self._leash.stdout.readline()
        if not said:
            raise OSError(f"{self.name} could not be started: {self.tail()}")
        self.pid = int(said)
        """The server's own process id (its CPU time and memory can be read by it)."""

    @property
    def running(self) -> bool:
        """Whether the server has not ended."""
        return self._leash.poll() is None

    def tail(self) -> str:
        """Return the end of the server's output."""
        return self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")

    async def stop(self) -> None:
        """Ask the server to stop, kill it if it does not, and wait until it is gone; twice is once."""
        assert self._leash.stdin is not None
        assert self._leash.stdout is not None
        with contextlib.suppress(OSError, ValueError):  # it has ended by itself, or was stopped before
            self._leash.stdin.write(b"stop")
            self._leash.stdin.close()
        try:
            await asyncio.to_thread(self._leash.wait, _STOP_SECONDS)
        finally:
            self._leash.kill()
            self._leash.wait()
            self._leash.stdout.close()
