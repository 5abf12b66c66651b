"""From one time of day to another: 22:00-02:00, 3 AM to 5 AM, 2-4 pm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nephoran.intent.reading import Reading

_UNTIL: Final = frozenset({"-", "–", "—", "to", "until", "till", "and"})
_HALVES: Final = {"am": 0, "a.m": 0, "pm": 12, "p.m": 12}
_HOURS: Final = frozenset({"uhr", "h", "o'clock"})


@dataclass(frozen=True, slots=True)
class _Clock:
    """A time of day: minutes since midnight and the index after it. `half`: 0 for AM, 12 for PM; `told`: by a sign."""

    minutes: int
    end: int
    half: int | None
    told: bool

    def __str__(self) -> str:
        return f"{self.minutes // 60 % 24:02}:{self.minutes % 60:02}"


def window(reading: Reading) -> None:
    """State the window, where one is named."""
    for index in reading.numbers:
        begin = _clock(reading, index, None)
        if begin is None or reading.word(begin.end) not in _UNTIL:
            continue
        end = _clock(reading, begin.end + 1, begin.half)
        if end is None or not end.told:
            continue
        if not begin.told:
            begin = _clock(reading, index, end.half) or begin
        reading.state("window", f"{begin}-{end}", *range(index, end.end))
        return


def _clock(reading: Reading, index: int, half: int | None) -> _Clock | None:
    """The time of day that begins at `index`; `half` is taken where none is stated."""
    hour = reading.whole(index)
    if hour is None or not 0 <= hour <= 24:
        return None
    end, minute, told = index + 1, 0, False
    if reading.word(end) == ":" and 0 <= (reading.whole(end + 1) or 0) < 60 and reading.whole(end + 1) is not None:
        end, minute, told = end + 2, reading.whole(end + 1) or 0, True
    stated = _HALVES.get(reading.word(end))
    if stated is not None or reading.word(end) in _HOURS:
        end, told = end + 1, True
    half = half if stated is None else stated
    if half is not None:
        hour = hour % 12 + half
    return _Clock(hour * 60 + minute, end, half if stated is None else stated, told)
