"""Where CPU time and memory of the operator go, as pictures: flame graphs of a run in memory.

Two runs of the same work, in one process with an API server in memory: one whose calls are sampled, one whose
allocations are traced. The second shows what is held at the end, not what came and went.
"""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from pyinstrument import Profiler
from pyinstrument.frame import Frame as Called

from bench.flame import Frame, place, svg
from bench.micro.reconciles import operator
from bench.workload import Intents

_INTERVAL: Final = 0.001  # seconds between two samples
_STACK: Final = 40  # frames that are kept of an allocation's stack
_MEBI: Final = 1024 * 1024


async def work(intents: int) -> None:
    """Create so many intents at once and wait until all are completed."""
    async with operator() as it:
        await it.create(Intents(intents).bodies())


async def traced(intents: int) -> Frame:
    """The memory that the same work holds at its end, in MiB by stack."""
    async with operator() as it:
        tracemalloc.start(_STACK)
        try:
            await it.create(Intents(intents).bodies())
            snapshot = tracemalloc.take_snapshot()
        finally:
            tracemalloc.stop()
    root = Frame("all")
    for statistic in snapshot.statistics("traceback"):
        root.add([place(it.filename, it.lineno) for it in statistic.traceback], statistic.size / _MEBI)
    return root


def sampled(intents: int) -> tuple[Profiler, Frame]:
    """The CPU time of the work, in seconds by stack; and the profiler, which can tell more of it."""
    profiler = Profiler(_INTERVAL, async_mode="disabled", use_timing_thread=False)
    with profiler:
        asyncio.run(work(intents))
    session = profiler.last_session
    assert session is not None
    root = Frame("all")
    called = session.root_frame(trim_stem=False)
    if called is not None:
        _taken(root, called)
    return profiler, root


def _taken(into: Frame, called: Called) -> None:
    into.value += called.time
    for each in called.children:
        if each.is_synthetic:
            continue  # the part of the caller itself
        name = place(each.file_path or "", each.function)
        _taken(into.children.setdefault(name, Frame(name)), each)


@click.command(help=__doc__)
@click.option("--intents", default=2_000, show_default=True, type=click.IntRange(min=1))
@click.option("--results", default=Path("build/profiles"), show_default=True, type=click.Path(path_type=Path))
def main(intents: int, results: Path) -> None:
    """Make both runs and write the pictures."""
    results.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    profiler, cpu = sampled(intents)
    memory = asyncio.run(traced(intents))
    written = {
        "cpu.svg": svg(cpu, f"CPU time of {intents:,} intents, operator and server in memory", "s"),
        "cpu.html": profiler.output_html(),
        "memory.svg": svg(memory, f"Memory held after {intents:,} intents, operator and server", "MiB"),
    }
    for name, text in written.items():
        (results / name).write_text(text, encoding="utf-8")
        click.echo(f"{results / name}")
    click.echo(f"{intents:,} intents: {cpu.value:.1f} s sampled, {memory.value:.1f} MiB held")
    for line in _heaviest(cpu):
        click.echo(line)
    click.echo(f"{time.monotonic() - began:.0f} s in all")


def _heaviest(root: Frame) -> Sequence[str]:
    """The packages that the time went to themselves, heaviest first."""
    own: dict[str, float] = {}

    def visit(frame: Frame) -> None:
        package = frame.name.split(":")[0].rpartition("/")[0] or frame.name
        own[package] = own.get(package, 0.0) + frame.value - sum(child.value for child in frame.children.values())
        for child in frame.children.values():
            visit(child)

    visit(root)
    rows = sorted(own.items(), key=lambda item: -item[1])[:12]
    return [f"{seconds / (root.value or 1.0):6.1%}  {package}" for package, seconds in rows]


if __name__ == "__main__":
    main()
