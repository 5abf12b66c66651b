"""Bytes, allocations and instructions per operation, which repeat: counted by valgrind's DHAT.

`python -m bench.micro.counts NAME…` is the counted process. It loads everything once and forks for every benchmark: a
child that does it N times and one that does it 2·N times. DHAT counts from the start of the first process on, so the
difference of the two, divided by N, is what one operation costs.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.micro.case import FEW, Case
from bench.micro.catalogue import CASES
from bench.micro.pools import POOLS

_TIMES: Final = 16
_ROWS: Final = (_TIMES, 2 * _TIMES)
_LONGEST_SECONDS: Final = 1_800.0


class Count(msgspec.Struct, frozen=True):
    """Per operation. Bytes and allocations are Python's and those of C, freed ones included."""

    bytes: float
    allocations: float
    instructions: float


class _Point(msgspec.Struct):
    """A place that allocates: total bytes and blocks."""

    tb: int
    tbk: int


class _Profile(msgspec.Struct):
    """What DHAT writes; `te` is the number of instructions until the end."""

    te: int
    pps: list[_Point]


def available() -> bool:
    """Whether valgrind is installed."""
    return shutil.which("valgrind") is not None


def counts_of(cases: Sequence[Case]) -> dict[str, Count]:
    """What each costs, by name. Raises CalledProcessError, TimeoutExpired."""
    with tempfile.TemporaryDirectory(prefix="bench-counts-") as folder:
        command = ["valgrind", "--tool=dhat", "--quiet", "--num-callers=1", f"--dhat-out-file={folder}/%p.json"]
        command += [sys.executable, "-m", "bench.micro.counts", *(case.name for case in cases)]
        # Python's own allocator would hide most allocations; a fixed seed makes dictionaries the same every time.
        environment = {**os.environ, "PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=_LONGEST_SECONDS
        )
        children = [line.split() for line in done.stdout.splitlines()]
        profiles = {(name, int(times)): _read(Path(folder) / f"{pid}.json") for name, times, pid in children}
    once, twice = _ROWS
    return {case.name: _difference(profiles[case.name, once], profiles[case.name, twice], case.unit) for case in cases}


def _read(path: Path) -> Count:
    profile = msgspec.json.decode(path.read_bytes(), type=_Profile)
    return Count(sum(it.tb for it in profile.pps), sum(it.tbk for it in profile.pps), profile.te)


def _difference(once: Count, twice: Count, unit: int) -> Count:
    operations = _TIMES * unit
    return Count(
        (twice.bytes - once.bytes) / operations,
        (twice.allocations - once.allocations) / operations,
        (twice.instructions - once.instructions) / operations,
    )


# In the counted process.


async def _count(case: Case, times: int) -> None:
    async with case.prepare(FEW) as step:
        await step.run(_TIMES)
        gc.disable()
        await step.run(times)
        # Nothing of the way out is counted, and both children leave at the same point.
        os._exit(0)


def _fork(case: Case, times: int) -> None:
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(_count(case, times))
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"{case.name} failed in the counted process")
    print(case.name, times, child, flush=True)


def main(names: Sequence[str]) -> None:
    """Do the named benchmarks, one child after another."""
    chosen = [case for case in (*CASES, *POOLS) if case.name in names]
    for case in chosen:
        for times in _ROWS:
            _fork(case, times)


if __name__ == "__main__":
    main(sys.argv[1:])
