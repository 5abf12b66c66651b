"""The rows of one campaign as a table, as pictures and as a page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure
from rich import box
from rich.table import Table

from bench.growth.measure import Growth

_COLOUR = "#1b6ca8"
_KIBI, _MEBI = 1024.0, 1024.0**2


class _Measure(NamedTuple):
    """One line of the table; `curve` names the picture that shows it."""

    title: str
    value: Callable[[Growth], float]
    curve: str = ""


MEASURES = (
    _Measure("memory kept per object, KiB", lambda it: it.kept / _KIBI),
    _Measure("resident, MiB", lambda it: it.resident / _MEBI, "Resident memory, MiB"),
    _Measure("decode, µs CPU per object", lambda it: it.decode),
    _Measure("relist: the loop stands still, s", lambda it: it.relist, "Relist: the loop stands still, s"),
    _Measure("restart, until all were looked at, s", lambda it: it.restart, "Restart, s"),
    _Measure("… µs CPU per object", lambda it: it.reconcile),
    _Measure("… longest stall of the loop, s", lambda it: it.stall),
    _Measure("… requests", lambda it: it.requests),
    _Measure("one full garbage collection, s", lambda it: it.collect, "One full garbage collection, s"),
    _Measure("queue: add, take, give back, µs", lambda it: it.queue),
    _Measure("batcher: submit, µs", lambda it: it.submit),
    _Measure("metrics: exposition, ms", lambda it: it.exposition * 1e3),
    _Measure("metrics: series", lambda it: it.series),
)


def table(rows: Sequence[Growth]) -> Table:
    """One line per measure, one column per size."""
    shown = Table(title="How cost grows", box=box.SIMPLE)
    shown.add_column("intents", no_wrap=True)
    for row in rows:
        shown.add_column(f"{row.objects:,}", justify="right")
    for measure in MEASURES:
        shown.add_row(measure.title, *(_short(measure.value(row)) for row in rows))
    return shown


def draw(rows: Sequence[Growth], folder: Path) -> None:
    """Draw the curves into `folder`, as SVG and PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [measure for measure in MEASURES if measure.curve]
    sizes = [row.objects for row in rows]
    with mpl.rc_context({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(8.5, 6.0), layout="constrained")
        for place, measure in enumerate(drawn, start=1):
            axes = figure.add_subplot(2, 2, place)
            axes.plot(sizes, [measure.value(row) for row in rows], "o-", color=_COLOUR)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
            axes.minorticks_off()
            axes.set_title(measure.curve, loc="left")
            axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(folder / "growth.svg", metadata={"Date": None, "Creator": None})
        figure.savefig(folder / "growth.png", dpi=120, metadata={"Software": None})


def markdown(rows: Sequence[Growth]) -> str:
    """The table as Markdown."""
    head = ["completed intents", *(f"{row.objects:,}" for row in rows)]
    lines = [head, ["---", *("---:" for _ in rows)]]
    lines += [[measure.title, *(_short(measure.value(row)) for row in rows)] for measure in MEASURES]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def rewrite(path: Path, rows: Sequence[Growth]) -> None:
    """Put the table of `rows` in place of the one between the marks of the page at `path`."""
    before, mark, rest = path.read_text(encoding="utf-8").partition("<!-- measured -->")
    _, end, after = rest.partition("<!-- end -->")
    path.write_text(f"{before}{mark}\n{markdown(rows)}\n{end}{after}", encoding="utf-8")


def _short(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2g}" if value < 10 else f"{value:.1f}"
