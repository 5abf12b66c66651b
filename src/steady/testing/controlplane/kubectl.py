"""kubectl as an asynchronous function."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

LIMIT_SECONDS = 60.0
"""How long one command may take, `kubectl wait` included."""


@dataclass(frozen=True, slots=True)
class Output:
    """How one kubectl command ended: exit code and everything printed."""

    code: int
    out: str
    err: str


class Kubectl:
    """Calls one kubectl binary with the same first options each time, apart from the user's own configuration."""

    def __init__(self, binary: Path, home: Path, *options: str) -> None:
        """Call `binary` with `options` first; `home` receives its discovery cache."""
        self._binary = binary
        self._home = home
        self._options = options

    async def __call__(self, *arguments: str, stdin: str = "") -> Output:
        """Run `kubectl ARGUMENTS` with `stdin`; raises `TimeoutError` (and kills it) after `LIMIT_SECONDS`."""
        process = await asyncio.create_subprocess_exec(
            self._binary,
            *self._options,
            f"--cache-dir={self._home}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(self._home)},
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(stdin.encode()), LIMIT_SECONDS)
        except BaseException:
            process.kill()
            await process.wait()
            raise
        return Output(process.returncode or 0, out.decode(), err.decode())
