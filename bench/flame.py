"""Flame graphs: call stacks as a picture, each frame as wide as what it used (B. Gregg, 2011)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

_WIDTH: Final = 1600
_ROW: Final = 17
_TOP: Final = 48
_LETTER: Final = 6.3  # pixels of a letter, at 11 pixels of height
_NARROWEST: Final = 0.4  # pixels; narrower frames are left out
_COLOURS: Final = {"steady": "#7fb3d5", "nephoran": "#f0a35e", "bench": "#c3a6d8"}
_OTHERS: Final = "#d5d8dc"


class Frame:
    """One function as called by the frames above it. `value` is what it used, with all that it called."""

    __slots__ = ("children", "name", "value")

    def __init__(self, name: str) -> None:
        self.name = name
        self.value = 0.0
        self.children: dict[str, Frame] = {}

    def add(self, stack: Iterable[str], value: float) -> None:
        """Count `value` for the functions of `stack`, outermost first."""
        frame = self
        frame.value += value
        for name in stack:
            frame = frame.children.setdefault(name, Frame(name))
            frame.value += value

    @property
    def depth(self) -> int:
        """Rows that a picture of it has."""
        return 1 + max((child.depth for child in self.children.values()), default=0)


def place(path: str, line_or_function: object) -> str:
    """A short name: the file below its package, and where in it."""
    parts = path.replace("\\", "/").split("/")
    roots = [number for number, part in enumerate(parts) if part in _COLOURS]
    kept = parts[roots[-1] :] if roots else parts[-2:]
    return f"{'/'.join(kept)}:{line_or_function}"


def svg(root: Frame, title: str, unit: str) -> str:
    """The picture: the root at the top, a tooltip on every frame; values are in `unit`."""
    height = _TOP + root.depth * _ROW + 8
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="ui-monospace, monospace" font-size="11">'
        '<rect width="100%" height="100%" fill="white"/>'
        f'<text x="8" y="18" font-size="15">{escape(title)}</text>'
    )
    legend = "".join(
        f'<rect x="{8 + 110 * number}" y="26" width="11" height="11" fill="{colour}"/>'
        f'<text x="{23 + 110 * number}" y="36">{name}</text>'
        for number, (name, colour) in enumerate({**_COLOURS, "others": _OTHERS}.items())
    )
    return "\n".join([head, legend, *_rectangles(root, root.value or 1.0, unit, 0.0, 0), "</svg>\n"])


def _rectangles(frame: Frame, total: float, unit: str, left: float, row: int) -> Iterator[str]:
    width = frame.value / total * _WIDTH
    if width < _NARROWEST:
        return
    top = _TOP + row * _ROW
    letters = int(width / _LETTER) - 1
    text = escape(frame.name if len(frame.name) <= letters else frame.name[-letters:]) if letters > 2 else ""
    tip = escape(f"{frame.name}: {frame.value:,.3g} {unit}, {frame.value / total:.1%}")
    yield (
        f'<g><title>{tip}</title><rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_ROW - 1}" '
        f'fill="{_COLOURS.get(frame.name.partition("/")[0], _OTHERS)}"/>'
        f'<text x="{left + 3:.1f}" y="{top + 12}">{text}</text></g>'
    )
    for child in sorted(frame.children.values(), key=lambda it: -it.value):
        yield from _rectangles(child, total, unit, left, row + 1)
        left += child.value / total * _WIDTH
