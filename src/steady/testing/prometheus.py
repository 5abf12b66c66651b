"""A real Prometheus for tests: found or fetched from Debian, and run on loopback; nothing stays behind.

`python -m steady.testing.prometheus install` takes the two programs out of Debian's package into the user's cache.
The package itself is not installed, because that would start a service.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import yaml

from steady.testing.controlplane.process import Process

MISSING = 3
"""Exit code where the programs are not there, or cannot be had."""
START_SECONDS = 30.0
_PROGRAMS = ("prometheus", "promtool")
_FETCH_SECONDS = 300.0
_POLL_SECONDS = 0.05


class PrometheusMissingError(Exception):
    """The programs are not there; the message says how to get them."""


class Programs:
    """`prometheus` and `promtool`, as they lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.prometheus, self.promtool = (folder / name for name in _PROGRAMS)

    def check(self, *arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run promtool in `folder` and return its exit code and what it said."""
        command = [str(self.promtool), *map(str, arguments)]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60.0, check=False)


def cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that `install` fills."""
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nephoran" / "prometheus"


def locate(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder with both programs: one on PATH, else the cache. Raises `PrometheusMissingError`."""
    for folder in [*map(Path, environment.get("PATH", "").split(os.pathsep)), cache(environment)]:
        if all(os.access(folder / name, os.X_OK) for name in _PROGRAMS):
            return folder.absolute()
    raise PrometheusMissingError(
        f"{' and '.join(_PROGRAMS)} are neither on PATH nor in {cache(environment)}: on Debian and Ubuntu "
        "`python -m steady.testing.prometheus install` puts them there; elsewhere install Prometheus"
    )


def install(environment: Mapping[str, str] = os.environ) -> Path:
    """Fetch the programs unless they are there; return their folder. Raises `PrometheusMissingError`."""
    try:
        return locate(environment)
    except PrometheusMissingError:
        if not all(shutil.which(tool) for tool in ("apt-get", "dpkg-deb")):
            raise
    target = cache(environment)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=target) as scratch:
        folder = Path(scratch)
        for name in _PROGRAMS:
            made = _extracted(folder) / "usr" / "bin" / name
            made.replace(target / name)
    return locate(environment)


def _extracted(folder: Path) -> Path:
    whole = folder / "package"
    if not whole.exists():
        try:
            _run("apt-get", "download", "prometheus", folder=folder)
        except PrometheusMissingError:
            # On a new machine nobody has asked yet what there is.
            _run("apt-get", "update", folder=folder)
            _run("apt-get", "download", "prometheus", folder=folder)
        (package,) = folder.glob("prometheus_*.deb")
        _run("dpkg-deb", "--extract", str(package), str(whole), folder=folder)
    return whole


def _run(*command: str, folder: Path) -> None:
    # Without root's sandbox user, who may not write into a folder of ours.
    options = ["-o", "APT::Sandbox::User=root"] if command[0] == "apt-get" else []
    done = subprocess.run(
        [command[0], *options, *command[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_FETCH_SECONDS,
        check=False,
    )
    if done.returncode:
        raise PrometheusMissingError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")


class Prometheus:
    """A Prometheus that scrapes and evaluates every second, on a free port. Enter it to start, leave it to end it.

    `targets` are HOST:PORT by job, `rules` the groups of a rule file, `folder` a place of the test's own.
    """

    def __init__(
        self, programs: Programs, folder: Path, targets: Mapping[str, str], rules: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self._programs = programs
        self._folder = folder
        self._targets = targets
        self._rules = rules
        self._process: Process | None = None
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._write()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._process = Process(self._command(port), self._folder / "prometheus.log")
        self._session = aiohttp.ClientSession(f"http://127.0.0.1:{port}")
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await self._ready():  # noqa: ASYNC110 - another process tells nobody
                    await asyncio.sleep(_POLL_SECONDS)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()
        if self._process:
            await self._process.stop()

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the instant vector of `expression`. Raises `ValueError` with what Prometheus says against it."""
        found: list[dict[str, Any]] = (await self._get("/api/v1/query", query=expression))["result"]
        return found

    async def rules(self) -> list[dict[str, Any]]:
        """Return every rule with its health, last error and, for an alert, its state."""
        groups = (await self._get("/api/v1/rules"))["groups"]
        return [rule for group in groups for rule in group["rules"]]

    async def _get(self, path: str, **query: str) -> Any:
        assert self._session
        async with self._session.get(path, params=query) as answer:
            body = await answer.json()
        if body["status"] != "success":
            raise ValueError(f"{query}: {body['error']}")
        return body["data"]

    async def _ready(self) -> bool:
        assert self._session
        assert self._process
        if not self._process.running:
            raise OSError(f"prometheus has ended: {self._process.tail()}")
        try:
            async with self._session.get("/-/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False

    def _write(self) -> None:
        jobs = [{"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in self._targets.items()]
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "scrape_configs": jobs,
            "rule_files": ["rules.yaml"],
        }
        for name, content in (("prometheus.yaml", config), ("rules.yaml", {"groups": list(self._rules)})):
            (self._folder / name).write_text(yaml.safe_dump(content), encoding="utf-8")

    def _command(self, port: int) -> list[str]:
        return [
            str(self._programs.prometheus),
            f"--config.file={self._folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code (0 done, 3 not to be had)."""
    parser = argparse.ArgumentParser(prog="python -m steady.testing.prometheus", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="install | path")
    commands.add_parser("install", help="take both programs out of Debian's package into the user's cache")
    commands.add_parser("path", help="print the folder that holds them")
    command = parser.parse_args(arguments).command
    try:
        print(install() if command == "install" else locate())
    except PrometheusMissingError as error:
        print(error, file=sys.stderr)
        return MISSING
    return 0


if __name__ == "__main__":
    sys.exit(main())
