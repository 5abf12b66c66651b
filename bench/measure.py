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
    """CPU seconds of a process (user and system, all threads), those of the children it has waited for, memory in MiB.

    `peak` is the most that was resident, `resident` what is now (0 where it was not asked for).
    """

    cpu: float
    children: float
    peak: float
    resident: float = 0.0


def own_usage() -> Usage:
    """What this process has used."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return Usage(own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime, _peak(own.ru_maxrss))


def _peak(maximum: int) -> float:
    # Linux counts what the parent held at the fork into ru_maxrss; VmHWM is this program's alone.
    if Path("/proc/self/status").exists():
        return _memory("self", "VmHWM")
    return maximum / (_MEBI if sys.platform == "darwin" else 1024)


def process_usage(pid: int) -> Usage:
    """What the process `pid` has used, as /proc tells. Raises FileNotFoundError without /proc or such a process."""
    # The name, in parentheses, may hold anything: the numbers begin behind its last one; utime, stime, cutime and
    # cstime are 14 to 17.
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own, children = (sum(map(int, numbers[place : place + 2])) / os.sysconf("SC_CLK_TCK") for place in (11, 13))
    return Usage(own, children, _memory(pid, "VmHWM"), _memory(pid, "VmRSS"))


def process_cpu(pid: int) -> float | None:
    """CPU seconds that the process `pid` has used; None where there is no /proc to ask."""
    try:
        return process_usage(pid).cpu
    except FileNotFoundError:
        return None


def _memory(pid: int | str, name: str) -> float:
    """A line of /proc/PID/status in MiB; 0 where it is not there."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)


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
