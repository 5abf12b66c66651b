"""How cost grows from 100 to 100,000 intents: `python -m bench.growth`; with --page also for the docs.

The store is filled as a watch's list fills it; an API server, which could not hold them, takes no part. Each size has a
process of its own.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from bench.growth.made import make
from bench.growth.measure import Growth
from bench.growth.page import draw, rewrite, table

SIZES = (100, 1_000, 10_000, 100_000)
_WIDTH = 120  # of the table, where no terminal says otherwise
_DOCS = Path("docs")


@click.command(help=__doc__)
@click.option("--size", "sizes", type=click.IntRange(min=1), multiple=True, help="Only these numbers of intents.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--page", is_flag=True, help="Also renew the numbers and pictures of docs/growth.md.")
def main(sizes: tuple[int, ...], output: str, page: bool) -> None:
    """Measure and show."""
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="bench-growth-") as folder, Progress(console=console) as progress:
        rows = _measured(Path(folder) / "intents", sorted(sizes or SIZES), progress)
    if output == "json":
        sys.stdout.buffer.write(msgspec.json.encode(rows) + b"\n")
    else:
        Console(width=None if sys.stdout.isatty() else _WIDTH).print(table(rows))
    if page:
        draw(rows, _DOCS / "pictures")
        rewrite(_DOCS / "growth.md", rows)


def _measured(path: Path, sizes: list[int], progress: Progress) -> list[Growth]:
    making = progress.add_task("intents made", total=sizes[-1])
    asyncio.run(_make(path, sizes[-1], lambda done: progress.update(making, completed=done)))
    measuring = progress.add_task("sizes measured", total=len(sizes))
    rows = []
    for size in sizes:
        command = [sys.executable, "-m", "bench.growth.measure", str(path), str(size)]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        rows.append(msgspec.json.decode(told, type=Growth))
        progress.advance(measuring)
    return rows


async def _make(path: Path, count: int, told: Callable[[int], None]) -> None:
    async for done in make(path, count):
        told(done)


if __name__ == "__main__":
    main()
