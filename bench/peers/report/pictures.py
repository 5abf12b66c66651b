"""The pictures of the page, each as SVG and PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.peers.contenders import CONTENDERS
from bench.peers.report.numbers import Numbers, Place, sizes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS, _OTHERS = "#1b6ca8", "#b0b7bf"
_COLOURS = (
    "#1b6ca8",
    "#5aa9e6",
    "#c2571a",
    "#e0975c",
    "#7a7a7a",
    "#3b7a57",
    "#8fbf9f",
    "#7b3f8c",
    "#b58bc2",
    "#444444",
)
_PNG_DPI = 120
_SALT = "bench"  # else each SVG has ids of its own


class Picture(NamedTuple):
    """One picture: its files' name and what it shows."""

    name: str
    title: str


def draw(all_numbers: Numbers, folder: Path) -> list[Picture]:
    """Draw all for which there are numbers into `folder`; what was drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    largest = max(_with_peers(all_numbers, "burst", "create"), default=0)
    bars: tuple[tuple[str, str, Place, str, str], ...] = (
        (
            "requests",
            "Requests per intent, until it is completed",
            Place("burst", largest, False, "create"),
            "requests",
            "",
        ),
        (
            "server-cpu",
            "CPU of API server and etcd per intent",
            Place("burst", largest, False, "create"),
            "server",
            "ms",
        ),
        (
            "controller-cpu",
            "CPU of the controller per intent",
            Place("burst", largest, False, "create"),
            "controller",
            "ms",
        ),
        ("bytes", "Bytes in one watch per intent", Place("burst", largest, False, "create"), "bytes", "KB"),
    )
    drawn = []
    with mpl.rc_context({"svg.hashsalt": _SALT, "svg.fonttype": "none", "font.size": 9}):
        for name, title, place, metric, unit in bars:
            cells = {who: cell for who, cell in all_numbers.get(place, {}).items() if not cell.short}
            if cells:
                told = f"{title} ({place.size:,} at once)"
                _save(folder, name, _bars(told, unit, {who: cell.numbers[metric] for who, cell in cells.items()}))
                drawn.append(Picture(name, told))
        for name, title, workload, metric, unit, scale in (
            ("latency", "From creation to completion, p95", "burst", "p95", "s", "log"),
            ("memory", "Peak memory of the controller", "burst", "peak", "MiB", "linear"),
            ("nodes", "A set of nodes, from creation to Ready", "nodes", "max", "s", "log"),
        ):
            lines = _lines(all_numbers, workload, metric)
            if lines:
                _save(folder, name, _curves(title, unit, scale, lines))
                drawn.append(Picture(name, title))
    return drawn


def _with_peers(all_numbers: Numbers, workload: str, phase: str) -> list[int]:
    """Sizes in which ours and at least one other were run."""
    return [
        size
        for size in sizes(all_numbers, workload)
        if len(cells := all_numbers.get(Place(workload, size, False, phase), {})) > 1 and "ours" in cells
    ]


def _lines(all_numbers: Numbers, workload: str, metric: str) -> dict[str, tuple[list[int], list[float]]]:
    """Sizes and numbers of each contender that left nothing behind, from creation to the goal."""
    found: dict[str, tuple[list[int], list[float]]] = {}
    for size in sizes(all_numbers, workload):
        for who, cell in all_numbers.get(Place(workload, size, False, "create"), {}).items():
            if not cell.short:
                xs, ys = found.setdefault(who, ([], []))
                xs.append(size)
                ys.append(cell.numbers[metric])
    return found


def _bars(title: str, unit: str, values: Mapping[str, float]) -> Figure:
    ordered = sorted(values, key=values.__getitem__, reverse=True)
    figure = Figure(figsize=(7.5, 0.8 + 0.36 * len(ordered)), layout="constrained")
    axes = figure.add_subplot()
    colours = [_OURS if who.startswith("ours") else _OTHERS for who in ordered]
    bars = axes.barh([CONTENDERS[who].title for who in ordered], [values[who] for who in ordered], color=colours)
    axes.bar_label(bars, labels=[f"{values[who]:.3g}" for who in ordered], padding=3)
    axes.margins(x=0.12)
    _plain(axes, title)
    axes.set_xlabel(unit)
    return figure


def _curves(title: str, unit: str, scale: str, lines: Mapping[str, tuple[Sequence[int], Sequence[float]]]) -> Figure:
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for who, colour in zip(CONTENDERS, _COLOURS, strict=True):
        if who in lines:
            width, layer = (2.4, 3) if who.startswith("ours") else (1.2, 2)
            axes.plot(*lines[who], "o-", ms=4, lw=width, zorder=layer, label=CONTENDERS[who].title, color=colour)
    axes.set_xscale("log")
    axes.set_yscale(scale)
    if scale == "linear":
        axes.set_ylim(bottom=0)
    shown = sorted({size for there, _ in lines.values() for size in there})
    axes.set_xticks(shown, [f"{size:,}" for size in shown])
    axes.minorticks_off()
    axes.set_xlabel("objects or nodes at once")
    axes.set_ylabel(unit)
    axes.legend(fontsize=7, frameon=False)
    _plain(axes, title)
    return figure


def _plain(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left")
    axes.spines[["top", "right"]].set_visible(False)


def _save(folder: Path, name: str, figure: Figure) -> None:
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": None})
    figure.savefig(folder / f"{name}.png", dpi=_PNG_DPI, metadata={"Software": None})
