"""Makes the runs of a campaign one after another, contenders in turn, and keeps each as soon as it is made."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.peers import binaries
from bench.peers.contenders import Contender
from bench.peers.record import Results, Run, now, this_machine
from bench.peers.stage import ContenderEnded, Stage, Told
from bench.peers.workloads.base import Workload
from steady.testing.controlplane.plane import StartFailedError

_START_SECONDS = 15.0
"""What a run takes beside its work: a control plane, a contender, and both quiet."""
_USUAL_SHARE = 0.4
"""How much of what it may take an object usually takes."""
_LONGEST_SECONDS = 1800.0


class Planned(NamedTuple):
    """One run to make."""

    contender: Contender
    workload: Workload
    size: int
    git: bool
    repetition: int

    @property
    def weight(self) -> float:
        """Roughly how many seconds it takes."""
        work = self.size * self.contender.patience * _USUAL_SHARE
        return _START_SECONDS + self.workload.seconds + work

    def stage(self, run: Run, told: Told) -> Stage:
        """Where it is made."""
        work = self.workload
        return Stage(self.contender, run, told, local=work.local, slow=work.slow, weathered=work.weathered)

    def record(self) -> Run:
        """The run before it is made."""
        return Run(
            contender=self.contender.name,
            workload=self.workload.name,
            size=self.size,
            git=self.git,
            repetition=self.repetition,
            started=now(),
        )


def planned(
    contenders: Sequence[Contender],
    workloads: Sequence[tuple[Workload, Sequence[int]]],
    *,
    gits: Sequence[bool],
    repetitions: int,
) -> Iterator[Planned]:
    """All runs in the order in which they are made: the contenders in turn (A B A B …) for each size of a workload."""
    for workload, sizes in workloads:
        for size in sizes:
            for git in gits:
                for repetition in range(1, (1 if workload.once else repetitions) + 1):
                    for contender in contenders:
                        if workload.suits(contender, size) and not (git and not workload.with_git):
                            yield Planned(contender, workload, size, git, repetition)


async def measure(runs: Sequence[Planned], results: Results, console: Console) -> list[Run]:
    """Make `runs`, showing how far they are and how long it will take."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(compact=True),
    )
    made = []
    with Progress(*columns, console=console) as progress:
        total = sum(run.weight for run in runs)
        progress.console.print(f"{len(runs)} runs, about {total / 60:.0f} min; results in {_short(results.folder)}")
        await asyncio.to_thread(binaries.build, progress.console.print)
        results.keep_machine(this_machine(binaries.versions() | {"kopf": version("kopf")}))
        task = progress.add_task("runs", total=total)
        for number, plan in enumerate(runs, start=1):
            title = f"{number}/{len(runs)} {plan.record().key}"

            def told(phase: str, reached: int, of: int, title: str = title) -> None:
                progress.update(task, description=f"{title} {phase} {reached}/{of}")

            progress.update(task, description=f"{title} starting")
            run = await _made(plan, told, progress.console)
            results.keep(run)
            made.append(run)
            progress.advance(task, plan.weight)
            progress.console.print(f"{run.key}: {run.trouble or _summary(run)}")
    return made


async def _made(plan: Planned, told: Told, console: Console) -> Run:
    run = plan.record()
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            async with plan.stage(run, told) as stage:
                await plan.workload.run(stage, plan.size)
                console.print(*stage.said, sep="\n", end="")
    except ContenderEnded as ended:
        run.trouble = str(ended)
        console.print(ended.log)
    except StartFailedError as failed:
        run.trouble = "the control plane did not start"
        console.print(str(failed))
    except TimeoutError:
        run.trouble = f"not done after {_LONGEST_SECONDS:.0f} s"
    return run


def _summary(run: Run) -> str:
    parts = []
    for phase in run.phases:
        count = sum(phase.requests.values())
        parts.append(f"{phase.name} {len(phase.waits)}/{phase.objects}, {count} requests")
    return "; ".join(parts)


def _short(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
