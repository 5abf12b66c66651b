"""What a process has used, and what a row of durations says."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

_MEBI = 1024 * 1024


class Usage(msgspec.Struct, frozen=True):
    """CPU seconds of a process (user and system, all threads), those of the children it has waited for, peak MiB."""

    cpu: float
    children: float
    peak: float


def own_usage() -> Usage:
    """What this process has used."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return Usage(own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime, _peak(own.ru_maxrss))


def _peak(maximum: int) -> float:
    # Linux counts what the parent held at the fork into ru_maxrss; VmHWM is this program's alone.
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return maximum / (_MEBI if sys.platform == "darwin" else 1024)


def process_cpu(pid: int) -> float | None:
    """CPU seconds that the process `pid` has used; None where there is no /proc to ask."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return None
    # The name, in parentheses, may hold anything: the numbers begin behind its last one; utime and stime are 14 and 15.
    numbers = stat.read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


class Percentiles(msgspec.Struct, frozen=True):
    """Of durations in seconds, by nearest rank; all 0 for none."""

    p50: float
    p95: float
    p99: float
    maximum: float


def percentiles(durations: Sequence[float]) -> Percentiles:
    """The percentiles of `durations`."""
    row = sorted(durations) or [0.0]

    def rank(share: float) -> float:
        return row[max(0, -(-int(share * len(row)) // 100) - 1)]

    return Percentiles(rank(50), rank(95), rank(99), row[-1])
