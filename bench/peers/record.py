"""What was measured, as it is stored: one JSON file a run, and one that says on which machine."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from steady.testing.controlplane.binaries import etcd_version, kubernetes_version

_RUNS = "runs"
_MACHINE = "machine.json"
_FIGURES = "figures.json"


class Phase(msgspec.Struct, kw_only=True):
    """One part of a run, from its first request until all is quiet. CPU is in seconds, nothing is divided yet.

    `units` is how many things were asked for, `objects` in how many objects. `requests` are the contender's by verb,
    resource and code; `server` and `etcd` are CPU including what the user's own requests cost, `idle` the part of both
    that an idle control plane would have used as well. `events` and `bytes` are what one watch of each resource got.
    `waits` are seconds from the user's request until a watch of the user's showed the goal.
    """

    name: str
    units: int
    objects: int
    seconds: float = 0.0
    requests: dict[str, int] = msgspec.field(default_factory=dict)
    controller: float = 0.0
    children: float = 0.0
    server: float = 0.0
    etcd: float = 0.0
    idle: float = 0.0
    events: dict[str, int] = msgspec.field(default_factory=dict)
    bytes: dict[str, int] = msgspec.field(default_factory=dict)
    waits: list[float] = msgspec.field(default_factory=list)
    lost: int = 0
    duplicated: int = 0
    notes: dict[str, float] = msgspec.field(default_factory=dict)

    @property
    def stuck(self) -> int:
        """Objects that did not reach their goal in time."""
        return self.objects - len(self.waits)


class Run(msgspec.Struct, kw_only=True):
    """One contender at one workload. `peak` and `settled` are MiB; `trouble` says why it ended early."""

    contender: str
    workload: str
    size: int
    git: bool
    repetition: int
    started: str
    phases: list[Phase] = msgspec.field(default_factory=list)
    peak: float = 0.0
    settled: float = 0.0
    trouble: str = ""

    @property
    def key(self) -> str:
        """Its file's name."""
        git = "-git" if self.git else ""
        return f"{self.workload}-{self.size}{git}-{self.contender}-{self.repetition}"

    def phase(self, name: str) -> Phase | None:
        """The phase of that name, if the run got there."""
        return next((phase for phase in self.phases if phase.name == name), None)


class Machine(msgspec.Struct, kw_only=True):
    """Where and with what the runs were made."""

    date: str
    commit: str
    cores: int
    processor: str
    memory: float
    load: float
    kernel: str
    python: str
    go: str
    kubernetes: str
    etcd: str
    peers: dict[str, str]


class Results:
    """A folder of runs; made when the first one is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, run: Run) -> Path:
        """Write one run; a run of the same key is replaced."""
        path = self.folder / _RUNS / f"{run.key}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(_rounded(run)), indent=1) + b"\n")
        return path

    def runs(self) -> list[Run]:
        """All runs, in the order of their names."""
        return [
            msgspec.json.decode(path.read_bytes(), type=Run) for path in sorted((self.folder / _RUNS).glob("*.json"))
        ]

    def keep_machine(self, machine: Machine) -> None:
        """Write where the runs are made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = msgspec.json.format(msgspec.json.encode(machine), indent=1)
        (self.folder / _MACHINE).write_bytes(content + b"\n")

    def keep_figures(self, figures: Sequence[object]) -> None:
        """Write what was judged."""
        content = msgspec.json.format(msgspec.json.encode(figures), indent=1)
        (self.folder / _FIGURES).write_bytes(content + b"\n")

    def machine(self) -> Machine:
        """Where the runs were made. Raises FileNotFoundError."""
        return msgspec.json.decode((self.folder / _MACHINE).read_bytes(), type=Machine)


def this_machine(peers: dict[str, str]) -> Machine:
    """The machine as it is now, with the versions of the peers."""
    return Machine(
        date=now(),
        commit=_said("git", "describe", "--always", "--dirty"),
        cores=os.cpu_count() or 0,
        processor=_line("/proc/cpuinfo", "model name"),
        memory=round(int(_line("/proc/meminfo", "MemTotal").split()[0]) / 1024**2, 1),
        load=os.getloadavg()[0],
        kernel=platform.release(),
        python=platform.python_version(),
        go=_said("go", "env", "GOVERSION"),
        kubernetes=kubernetes_version(),
        etcd=etcd_version(),
        peers=peers,
    )


def now() -> str:
    """This moment (RFC 3339, UTC)."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _rounded(run: Run) -> Run:
    for phase in run.phases:
        phase.waits = [round(wait, 4) for wait in phase.waits]
        phase.notes = {name: round(value, 4) for name, value in phase.notes.items()}
        for name in ("seconds", "controller", "children", "server", "etcd", "idle"):
            setattr(phase, name, round(getattr(phase, name), 4))
    run.peak, run.settled = round(run.peak, 1), round(run.settled, 1)
    return run


def _line(path: str, name: str) -> str:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "0")


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
