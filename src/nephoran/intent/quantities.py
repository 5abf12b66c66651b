"""What else is stated: limits, resources, rates, latency and the qualities of a `Detail`."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from nephoran.intent.meaning import Autoscale, Detail
from nephoran.intent.phrases import Lexicon
from nephoran.intent.places import Places
from nephoran.intent.tokens import Atom, whole_word
from nephoran.intent.vocabulary import AFTER_COUNT, BYTES, CPU_UNITS, EACH, MULTIPLES, RATES, REPLICA_UNITS, TIMES, VERBS

_VERBS: Final = Lexicon(VERBS)
_VERSION: Final = re.compile(r"v?[0-9]+(?:\.[0-9]+)+(?:[-.][A-Za-z0-9]+)*|v[0-9]+|[rR][0-9]+")
_NEAR: Final = 5
_UNTIL: Final = frozenset({"-", "–", "—", "to", "until", "till", "and"})
_HALVES: Final = {"am": 0, "a.m": 0, "pm": 12, "p.m": 12}
_CPU: Final = CPU_UNITS | {"millicores"}
_HOURS: Final = frozenset({"uhr", "h", "o'clock", "hrs", "hours"})
_DOWN: Final = frozenset({"downlink", "dl", "download", "downstream"})
_UP: Final = frozenset({"uplink", "ul", "upload", "upstream"})
_LATENCY: Final = frozenset({"latency", "delay", "rtt", "response", "latencies", "lag"})
_BREAKS: Final = frozenset({",", "and", "/", ")", "each", "."})
_KINDS: Final = {"memory": "memory", "ram": "memory", "mem": "memory"} | dict.fromkeys(
    ("storage", "disk", "volume", "ssd", "disks", "volumes", "hdd"), "storage"
)
_PERIODS: Final = frozenset(
    {"interval", "intervals", "period", "timeout", "window", "every", "tti", "granularity", "heartbeat"}
)
_RELIABILITY: Final = frozenset({"reliability", "reliable", "availability", "uptime", "sla", "available"})
_USERS: Final = frozenset({"users", "ues", "ue", "subscribers", "clients", "customers", "user"})
_DEVICES: Final = frozenset({"devices", "sensors", "meters", "machines", "device", "endpoints", "things"})
_MINIMUM: Final = frozenset({"min", "minimum", "minreplicas", "least", "floor"})
_MAXIMUM: Final = frozenset({"max", "maximum", "maxreplicas", "most", "ceiling", "upto"})
_CAPS: Final = _MAXIMUM | {"cap", "limit"}
_COUNTED: Final = REPLICA_UNITS | AFTER_COUNT | EACH | _MINIMUM | _MAXIMUM | {"x"}
_BOUNDS: Final = _MINIMUM | _CAPS | {"cpu", "memory"}
_FACTORS: Final = {
    "double": 2, "doubling": 2, "twofold": 2, "twice": 2, "triple": 3, "threefold": 3, "quadruple": 4, "fourfold": 4,
    "fivefold": 5, "tenfold": 10, "halve": 0.5, "halving": 0.5,
}  # fmt: skip
_BY_ITSELF: Final = frozenset({"automatically", "dynamically", "elastically"})
_FEWER: Final = frozenset(
    {"remove", "removing", "reduce", "decrease", "down", "lower", "shrink", "less", "cut", "downscale", "drop", "minus"}
)

_FLAGS: Final = {
    name: re.compile(pattern)
    for name, pattern in {
        "ha": r" (high availability|highly available|ha|redundan\w*|fault toleran\w*|failover|active standby) ",
        "gpu": r" gpus? ",
        "xapp": r" xapps? (support|hosting|platform|framework|onboarding|capabilit\w+|runtime|ready|enabled) ",
        "urgent": r" (urgent|urgently|immediately|asap|emergency :|right now|critical :|as soon as possible|right away|at once"
        r"|straight away|without delay|p1) ",
        "monitoring": r" (monitoring|observability|prometheus|grafana|metrics collection) ",
        "isolation": r" (isolation|isolated|isolate) ",
        "encryption": r" (encryption|encrypted|encrypt|tls|mtls|ipsec) ",
        "mesh": r" (service mesh|istio|linkerd) ",
    }.items()
}
"""Flag of `Detail` → what says it, in the folded words joined by single spaces."""


@dataclass(slots=True)
class _Reading:
    """The sentence and what has been read from it so far."""

    atoms: Sequence[Atom]
    taken: set[int]
    stated: dict[str, Any] = field(default_factory=dict)

    def state(self, name: str, value: object, *indexes: int) -> None:
        """The first statement of a quantity counts; its atoms are no longer free for others."""
        self.stated.setdefault(name, value)
        self.taken.update(indexes)

    def word(self, index: int) -> str:
        return self.atoms[index].word if 0 <= index < len(self.atoms) else ""

    def whole(self, index: int) -> int | None:
        return self.atoms[index].whole if 0 <= index < len(self.atoms) else None

    def after(self, index: int, reach: int = _NEAR) -> list[str]:
        """The words after `index` up to the next number or the sentence's end."""
        return self._run(range(index + 1, min(index + 1 + reach, len(self.atoms))), index)

    def before(self, index: int, reach: int = _NEAR) -> list[str]:
        """The words before `index` back to the last number or the sentence's begin, nearest first."""
        return self._run(range(index - 1, max(index - 1 - reach, -1), -1), index)

    def _run(self, indexes: range, start: int) -> list[str]:
        words: list[str] = []
        for index in indexes:
            atom = self.atoms[index]
            if atom.sentence != self.atoms[start].sentence or (atom.number is not None and not atom.joined):
                break
            words.append(atom.word)
        return words


def detail(atoms: Sequence[Atom], where: Places) -> tuple[Detail, Collection[int]]:
    """The detail stated, and the atoms that state a place or a quantity (no instance count among them)."""
    reading = _Reading(atoms, set(where.taken))
    _window(reading)
    _autoscale(reading)
    for index, atom in enumerate(atoms):
        if atom.number is not None and index not in reading.taken and not atom.joined:
            _quantity(reading, index, atom.number)
    _relative(reading)
    _named(reading)
    plain = f" {' '.join(atom.word for atom in atoms)} "
    flags = {name: True for name, says in _FLAGS.items() if says.search(plain)}
    return Detail(**(flags | reading.stated), site=where.site, region=where.region), reading.taken


def _quantity(reading: _Reading, index: int, number: float) -> None:
    unit, multiple = index + 1, MULTIPLES.get(reading.word(index + 1), 1)
    if multiple > 1 and reading.word(index + 2) not in CPU_UNITS:
        unit += 1
    for rule in (_rate, _time, _percent, _bytes, _cpu, _priority):
        if rule(reading, index, number):
            return
    _crowd(reading, index, unit, number * (multiple if unit > index + 1 else 1))


def _plain(number: float) -> float:
    return int(number) if number == int(number) else number


def _rate(reading: _Reading, index: int, number: float) -> bool:
    unit = reading.word(index + 1)
    if (
        unit in {"mb", "gb", "mbit", "gbit"}
        and reading.word(index + 2) == "/"
        and reading.word(index + 3) in {"s", "sec"}
    ):
        unit = f"{unit[0]}bps"
    if unit not in RATES:
        return False
    direction = next((word for word in (*reading.after(index), *reading.before(index)) if word in _DOWN | _UP), "")
    name = "downlink_mbps" if direction in _DOWN else "uplink_mbps" if direction in _UP else "bandwidth_mbps"
    reading.state(name, _plain(number * RATES[unit]), index, index + 1)
    return True


def _time(reading: _Reading, index: int, number: float) -> bool:
    unit = reading.word(index + 1)
    if unit not in TIMES:
        return False
    near = {*reading.before(index), *reading.after(index)}
    told = not _LATENCY.isdisjoint(near)
    if told or (TIMES[unit] < 1_000 and _PERIODS.isdisjoint(near)):
        reading.state("latency_ms", _plain(number * TIMES[unit]), index, index + 1)
    reading.taken.add(index)
    return True


def _percent(reading: _Reading, index: int, number: float) -> bool:
    if reading.word(index + 1) != "percent":
        return False
    if number >= 90 and not _RELIABILITY.isdisjoint((*reading.after(index), *reading.before(index))):
        reading.state("reliability", _plain(number))
    reading.taken.add(index)
    return True


def _bytes(reading: _Reading, index: int, number: float) -> bool:
    unit = reading.word(index + 1)
    if unit not in BYTES:
        return False
    after = reading.after(index, 5)[1:]
    joined = next((place for place, word in enumerate(after) if word in _BREAKS), len(after))
    kind = next((word for word in (*after[:joined], *reading.before(index, 4)) if word in _KINDS), "")
    if kind or unit in {"gi", "mi", "gib", "mib"} or not after[:joined]:
        name = _KINDS.get(kind, "memory")
        reading.state(name, f"{_plain(number):g}{BYTES[unit]}", index, index + 1)
    reading.taken.add(index)
    return True


def _cpu(reading: _Reading, index: int, number: float) -> bool:
    milli = reading.word(index + 1) in {"millicores", "millicpu", "millicpus"} or (
        reading.word(index + 1) == "m" and not _CPU.isdisjoint((*reading.after(index, 4), *reading.before(index, 4)))
    )
    unit = (
        reading.word(index + 2)
        if reading.word(index + 1) in {"m", "dedicated", "virtual", "physical"}
        else reading.word(index + 1)
    )
    before = [
        word
        for word in reading.before(index, 3)
        if word not in {"to", ":", "=", "of", "limit", "request", "limits", "requests", "set", "at"}
    ]
    if unit not in CPU_UNITS and not milli and (before[:1] not in (["cpu"], ["cpus"], ["cores"]) or unit in BYTES):
        return False
    reading.state("cpu", f"{_plain(number):g}{'m' if milli else ''}", index, index + 1)
    return True


def _priority(reading: _Reading, index: int, number: float) -> bool:
    before = [
        word for word in reading.before(index, 3) if word not in {"level", "class", "of", ":", "=", "to", "value"}
    ]
    if before[:1] != ["priority"] and not (before[:1] == ["qos"] and len(reading.before(index, 2)) > 1):
        return False
    reading.state("qos_priority", int(number), index)
    return True


def _crowd(reading: _Reading, index: int, unit: int, number: float) -> None:
    following = reading.after(unit - 1, 5)
    for word in following:
        for name, words in (("users", _USERS), ("devices", _DEVICES), ("cells", {"cells", "cell", "sectors"})):
            if word in words and number == int(number):
                reading.state(name, int(number), index)
                return
        if word in {
            "replicas",
            "instances",
            "replica",
            "and",
            ",",
            "for",
            "to",
            "in",
            "with",
            "of",
            "on",
            "at",
            "by",
            "from",
        }:
            return


def _autoscale(reading: _Reading) -> None:
    words = [atom.word for atom in reading.atoms]
    said = _says_autoscale(words)
    limits: dict[str, int] = {}
    for index, atom in enumerate(reading.atoms):
        value = atom.whole
        if value is None or index in reading.taken or atom.joined:
            continue
        name = _limit(reading, index, said) if _counts(reading, index) else None
        if name and name not in limits:
            limits[name] = value
            reading.taken.add(index)
        elif (last := _range_end(reading, index)) is not None and (said or _counts_instances(reading, index, last)):
            limits.setdefault("min", value)
            limits.setdefault("max", int(reading.atoms[last].number or 0))
            reading.taken.update({index, last})
    cpu = _cpu_target(reading, said)
    if said or "max" in limits or (cpu is not None and _conditional(words)):
        known = limits if cpu is None else {**limits, "cpu": cpu}
        reading.state("autoscale", Autoscale(**known) if known else True)
    elif limits:
        reading.taken.difference_update(
            index for index, atom in enumerate(reading.atoms) if atom.whole in limits.values()
        )


def _says_autoscale(words: Sequence[str]) -> bool:
    if not {"autoscale", "autoscaling", "autoscaler", "hpa", "autoscaled"}.isdisjoint(words):
        return True
    if not _BY_ITSELF.isdisjoint(words) and any(word.startswith("scal") for word in words):
        return True
    pairs = pairwise(words)
    return any(
        first in {"auto", "automatic", "elastic", "dynamic", "pod"} and second.startswith(("scal", "autoscal"))
        for first, second in pairs
    )


def _limit(reading: _Reading, index: int, said: bool) -> str | None:
    before, after = reading.before(index, 4), reading.word(index + 1)
    near = [
        word
        for word in before
        if word not in {"of", ":", "=", "replicas", "instances", "replica", "is", "to", "at", "pods"}
    ][:1]
    if (near and near[0] in _MINIMUM) or after in {"min", "minimum"}:
        return "min"
    if (near and near[0] in _MAXIMUM) or after in {"max", "maximum"} or (said and before[:2] == ["to", "up"]):
        return "max"
    if said and before[:1] and before[0] in {"to", "at"}:
        bound = next((word for word in reading.before(index, 8) if word in _BOUNDS), "")
        return "min" if bound in _MINIMUM else "max" if bound in _CAPS else None
    return None


def _counts(reading: _Reading, index: int) -> bool:
    """Whether what follows the number may be instances, and not a unit of something else."""
    following = reading.atoms[index + 1] if index + 1 < len(reading.atoms) else None
    return following is None or following.word in _COUNTED or (following.mark and following.word != "<")


def _range_end(reading: _Reading, index: int) -> int | None:
    """The end of "2-10", "2 to 10", "between 2 and 10"."""
    middle = index + 2 if reading.word(index + 1) in {"replicas", "instances", "pods"} else index + 1
    last = middle + 1
    between = reading.word(index - 1) == "between" and reading.word(middle) == "and"
    if reading.word(middle) in {"up", "upto"} and reading.word(last) == "to":
        middle, last = last, last + 1
    if not (between or reading.word(middle) in {"-", "to", "–"}) or last >= len(reading.atoms):
        return None
    return last if reading.atoms[last].whole is not None and reading.word(last + 1) != "percent" else None


def _counts_instances(reading: _Reading, first: int, last: int) -> bool:
    between = reading.word(first - 1) in {"between", "with"} or reading.word(first + 1) == "-"
    return between and reading.word(last + 1) in REPLICA_UNITS


def _cpu_target(reading: _Reading, said: bool) -> int | None:
    for index, atom in enumerate(reading.atoms):
        if atom.whole is None or reading.word(index + 1) != "percent" or not 0 < atom.whole <= 100:
            continue
        near = {*reading.before(index), *reading.after(index)}
        if near & {"cpu", "processor"} or (
            said and near & {"target", "utilization", "utilisation", "threshold"} and "memory" not in near
        ):
            return atom.whole
    return None


def _conditional(words: Sequence[str]) -> bool:
    return not {"when", "if", "exceeds", "exceed", "above", "reaches", "whenever"}.isdisjoint(words)


def _relative(reading: _Reading) -> None:
    words = [atom.word for atom in reading.atoms]
    fewer = not {("scale", "in"), ("in", "by")}.isdisjoint(pairwise(words))
    for index, atom in enumerate(reading.atoms):
        if factor := _FACTORS.get(atom.word):
            reading.state("factor", factor)
        if atom.number and _multiplies(reading, index):
            reading.state("factor", _plain(atom.number), index)
        value = atom.whole
        if value is None or index in reading.taken or atom.joined:
            continue
        added = reading.word(index - 1) in {"add", "adding", "remove", "removing"}
        more = not {"more", "additional", "extra", "fewer", "further"}.isdisjoint(words[index + 1 : index + 3])
        by = reading.word(index - (2 if reading.word(index - 1) in {"+", "-"} else 1)) == "by"
        if reading.word(index + 1) != "percent" and (by or added or more):
            less = fewer or "fewer" in words or reading.word(index - 1) == "-" or _FEWER & set(words[:index])
            reading.state("change", -value if less else value, index)


def _multiplies(reading: _Reading, index: int) -> bool:
    """Whether the number says how many times as many: "by a factor of 3", "up 3x"."""
    before, after = reading.word(index - 1), reading.word(index + 1)
    return (before == "of" and reading.word(index - 2) == "factor") or (
        after in {"x", "times"} and before in {"up", "out", "by"}
    )


@dataclass(frozen=True, slots=True)
class _Clock:
    """A time of day: minutes since midnight and the index after it. `half`: 0 for AM, 12 for PM; `told`: by a sign."""

    minutes: int
    end: int
    half: int | None
    told: bool

    def __str__(self) -> str:
        return f"{self.minutes // 60 % 24:02}:{self.minutes % 60:02}"


def _window(reading: _Reading) -> None:
    """From one time of day to another: 22:00-02:00, 3 AM to 5 AM, 2-4 pm."""
    for index, atom in enumerate(reading.atoms):
        if atom.whole is None or atom.joint or (begin := _clock(reading, index, None)) is None:
            continue
        if reading.word(begin.end) not in _UNTIL or (end := _clock(reading, begin.end + 1, begin.half)) is None:
            continue
        if end.told:
            begin = begin if begin.told else _clock(reading, index, end.half) or begin
            reading.state("window", f"{begin}-{end}", *range(index, end.end))
            return


def _clock(reading: _Reading, index: int, half: int | None) -> _Clock | None:
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


def _named(reading: _Reading) -> None:
    lowered = " ".join(atom.word for atom in reading.atoms)
    if "five nines" in lowered or "5 nines" in lowered:
        reading.state("reliability", 99.999)
    upkeep = any(hit.name in {"maintenance", "update"} for hit in _VERBS.hits(reading.atoms))
    for index, atom in enumerate(reading.atoms):
        if atom.joined or index in reading.taken or not _VERSION.fullmatch(whole_word(reading.atoms, index)[0]):
            told = atom.number is not None and reading.word(index - 1) in {"version", "release"} and not atom.joined
            if not told:
                continue
        if (
            reading.word(index - 1) in {"version", "release", "tag"}
            or atom.word[:1] == "v"
            or (upkeep and reading.word(index - 1) == "to")
        ):
            end = whole_word(reading.atoms, index)[1]
            reading.state("version", whole_word(reading.atoms, index)[0], *range(index, end))
