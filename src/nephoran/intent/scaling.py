"""How a number of instances shall move: the limits of automatic scaling, and changes relative to what runs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from nephoran.intent.meaning import Autoscale
from nephoran.intent.reading import Reading
from nephoran.intent.vocabulary import AFTER_COUNT, EACH, REPLICA_UNITS

_AUTOSCALE: Final = frozenset({"autoscale", "autoscaling", "autoscaler", "hpa", "autoscaled"})
_AUTOMATIC: Final = frozenset({"auto", "automatic", "elastic", "dynamic", "pod"})
_BY_ITSELF: Final = frozenset({"automatically", "dynamically", "elastically"})
_CONDITIONS: Final = frozenset({"when", "if", "exceeds", "exceed", "above", "reaches", "whenever"})
_TARGETS: Final = frozenset({"target", "utilization", "utilisation", "threshold"})
_MINIMUM: Final = frozenset({"min", "minimum", "minreplicas", "least", "floor"})
_MAXIMUM: Final = frozenset({"max", "maximum", "maxreplicas", "most", "ceiling", "upto"})
_CAPS: Final = _MAXIMUM | {"cap", "limit"}
_COUNTED: Final = REPLICA_UNITS | AFTER_COUNT | EACH | _MINIMUM | _MAXIMUM | {"x"}
_BOUNDS: Final = _MINIMUM | _CAPS | {"cpu", "memory"}
_LIMITING: Final = _MINIMUM | _MAXIMUM | {"between", "-", "–", "to", "percent"}
"""Without one of these a sentence that does not speak of autoscaling has no limits."""
_FILLING: Final = frozenset({"of", ":", "=", "replicas", "instances", "replica", "is", "to", "at", "pods"})
_FACTORS: Final = {
    "double": 2, "doubling": 2, "twofold": 2, "twice": 2, "triple": 3, "threefold": 3, "quadruple": 4, "fourfold": 4,
    "fivefold": 5, "tenfold": 10, "halve": 0.5, "halving": 0.5,
}  # fmt: skip
_FEWER: Final = frozenset(
    {"remove", "removing", "reduce", "decrease", "down", "lower", "shrink", "less", "cut", "downscale", "drop", "minus"}
)
_ADDING: Final = frozenset({"add", "adding", "remove", "removing"})
_ONE: Final = (["a"], ["an"], ["another"])
_INSTANCES: Final = frozenset({"replica", "instance", "pod", "copy", "replicas"})
_RELATIVE: Final = frozenset({"more", "additional", "extra", "fewer", "further"})
_MOVING: Final = _ADDING | _RELATIVE | _FACTORS.keys() | {"by", "factor", "x", "times"}
"""Without one of these nothing is relative to what runs."""


def autoscale(reading: Reading) -> None:
    """State automatic scaling and its limits."""
    said = _says_autoscale(reading.words)
    if not said and _LIMITING.isdisjoint(reading.words):
        return
    limits: dict[str, int] = {}
    places: set[int] = set()
    for index in reading.free():
        value = reading.atoms[index].whole
        if value is None or index in places:
            continue
        name = _limit(reading, index, said) if _counts(reading, index) else None
        if name and name not in limits:
            limits[name] = value
            places.add(index)
        elif (last := _range_end(reading, index)) is not None and (said or _counts_instances(reading, index, last)):
            limits = {"min": value, "max": reading.whole(last) or 0} | limits
            places |= {index, last}
    cpu = _cpu_target(reading, said)
    if said or "max" in limits or (cpu is not None and not _CONDITIONS.isdisjoint(reading.words)):
        known = limits if cpu is None else {**limits, "cpu": cpu}
        reading.state("autoscale", Autoscale(**known) if known else True, *places)


def _says_autoscale(words: Sequence[str]) -> bool:
    if not _AUTOSCALE.isdisjoint(words):
        return True
    if not _BY_ITSELF.isdisjoint(words):
        return any(word.startswith("scal") for word in words)
    if _AUTOMATIC.isdisjoint(words):
        return False
    return any(first in _AUTOMATIC and second.startswith(("scal", "autoscal")) for first, second in pairwise(words))


def _limit(reading: Reading, index: int, said: bool) -> str | None:
    before, after = reading.before(index, 8), reading.word(index + 1)
    near = next((word for word in before[:4] if word not in _FILLING), "")
    if near in _MINIMUM or after in {"min", "minimum"}:
        return "min"
    if near in _MAXIMUM or after in {"max", "maximum"} or (said and before[:2] == ["to", "up"]):
        return "max"
    if said and before[:1] in (["to"], ["at"]):
        bound = next((word for word in before if word in _BOUNDS), "")
        return "min" if bound in _MINIMUM else "max" if bound in _CAPS else None
    return None


def _counts(reading: Reading, index: int) -> bool:
    """Whether what follows the number may be instances, and not a unit of something else."""
    following = reading.atoms[index + 1] if index + 1 < len(reading.atoms) else None
    return following is None or following.word in _COUNTED or (following.mark and following.word != "<")


def _range_end(reading: Reading, index: int) -> int | None:
    """The end of "2-10", "2 to 10", "between 2 and 10"."""
    middle = index + 2 if reading.word(index + 1) in {"replicas", "instances", "pods"} else index + 1
    last = middle + 1
    between = reading.word(index - 1) == "between" and reading.word(middle) == "and"
    if reading.word(middle) in {"up", "upto"} and reading.word(last) == "to":
        middle, last = last, last + 1
    if not (between or reading.word(middle) in {"-", "to", "–"}) or last >= len(reading.atoms):
        return None
    return last if reading.atoms[last].whole is not None and reading.word(last + 1) != "percent" else None


def _counts_instances(reading: Reading, first: int, last: int) -> bool:
    between = reading.word(first - 1) in {"between", "with"} or reading.word(first + 1) == "-"
    return between and reading.word(last + 1) in REPLICA_UNITS


def _cpu_target(reading: Reading, said: bool) -> int | None:
    for index in reading.numbers:
        share = reading.whole(index)
        if share is None or reading.word(index + 1) != "percent" or not 0 < share <= 100:
            continue
        near = reading.near(index)
        if near & {"cpu", "processor"} or (said and near & _TARGETS and "memory" not in near):
            return share
    return None


def relative(reading: Reading) -> None:
    """State how many instances more, fewer or times as many there shall be."""
    words = reading.words
    if _MOVING.isdisjoint(words):
        return
    for index, word in enumerate(words):
        if word in _ADDING and words[index + 1 : index + 2] in _ONE and _INSTANCES & set(words[index + 2 : index + 6]):
            reading.state("change", -1 if word in _FEWER else 1)
    for factor in (_FACTORS[word] for word in words if word in _FACTORS):
        reading.state("factor", factor)
    for index in reading.free():
        number, whole = reading.atoms[index].number, reading.whole(index)
        if number and _multiplies(reading, index):
            reading.state("factor", whole or number, index)
        elif whole is not None and words[index + 1 : index + 2] != ["percent"] and _differs(reading, index):
            reading.state("change", -whole if _decreases(reading, index) else whole, index)


def _differs(reading: Reading, index: int) -> bool:
    """Whether the number is a difference: "by 2", "2 more", "add 2"."""
    before = reading.word(index - 1)
    by = reading.word(index - 2) == "by" if before in {"+", "-"} else before == "by"
    return by or before in _ADDING or not _RELATIVE.isdisjoint(reading.words[index + 1 : index + 3])


def _decreases(reading: Reading, index: int) -> bool:
    words = reading.words
    inward = ("scale", "in") in pairwise(words) or ("in", "by") in pairwise(words)
    return inward or "fewer" in words or reading.word(index - 1) == "-" or not _FEWER.isdisjoint(words[:index])


def _multiplies(reading: Reading, index: int) -> bool:
    """Whether the number says how many times as many: "by a factor of 3", "up 3x"."""
    before, after = reading.word(index - 1), reading.word(index + 1)
    return (before == "of" and reading.word(index - 2) == "factor") or (
        after in {"x", "times"} and before in {"up", "out", "by"}
    )
