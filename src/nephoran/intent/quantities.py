"""What else is stated: resources, rates, latency and the other qualities of a `Detail`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from nephoran.intent.clock import window
from nephoran.intent.meaning import Detail
from nephoran.intent.phrases import VERB_PHRASES, Lexicon
from nephoran.intent.places import Places
from nephoran.intent.reading import Reading
from nephoran.intent.scaling import autoscale, relative
from nephoran.intent.tokens import Atom, whole_word
from nephoran.intent.vocabulary import BYTES, CPU_UNITS, FLAGS, MULTIPLES, RATES, REPLICA_UNITS, TIMES

_FLAGS: Final = Lexicon(FLAGS)
_VERSION: Final = re.compile(r"v?[0-9]+(?:\.[0-9]+)+(?:[-.][A-Za-z0-9]+)*|v[0-9]+|[rR][0-9]+")
_VERSION_STARTS: Final = frozenset("vr0123456789")
_VERSIONED: Final = frozenset({"version", "release", "tag"})
_MILLI: Final = frozenset({"millicores", "millicpu", "millicpus"})
_CPU: Final = CPU_UNITS | {"millicores"}
_CPU_HEADS: Final = CPU_UNITS - {"core", "processor"}
_CPU_KINDS: Final = frozenset({"m", "dedicated", "virtual", "physical"})
_PER_SECOND: Final = {"mb": "mbps", "gb": "gbps"}
_BINARY: Final = frozenset({"gi", "mi", "gib", "mib"})
_DIRECTIONS: Final = dict.fromkeys(("downlink", "dl", "download", "downstream"), "downlink") | dict.fromkeys(
    ("uplink", "ul", "upload", "upstream"), "uplink"
)
_OF_A_RATE: Final = frozenset({"of", ":", "=", "rate", "speed", "throughput", "bandwidth", "to", "at"})
_LATENCY: Final = frozenset({"latency", "delay", "rtt", "response", "latencies", "lag"})
_BREAKS: Final = frozenset({",", "and", "/", ")", "each", "."})
_KINDS: Final = {"memory": "memory", "ram": "memory", "mem": "memory"} | dict.fromkeys(
    ("storage", "disk", "volume", "ssd", "disks", "volumes", "hdd"), "storage"
)
_PERIODS: Final = frozenset(
    {"interval", "intervals", "period", "timeout", "window", "every", "tti", "granularity", "heartbeat"}
)
_RELIABILITY: Final = frozenset({"reliability", "reliable", "availability", "uptime", "sla", "available"})
_CROWDS: Final = (
    dict.fromkeys(("users", "ues", "ue", "subscribers", "clients", "customers", "user"), "users")
    | dict.fromkeys(("devices", "sensors", "meters", "machines", "device", "endpoints", "things"), "devices")
    | dict.fromkeys(("cells", "cell", "sectors"), "cells")
)
_APART: Final = frozenset(
    {"replicas", "instances", "replica", "and", ",", "for", "to", "in", "with", "of", "on", "at", "by", "from"}
)
_SIZING: Final = frozenset({"to", ":", "=", "of", "limit", "request", "limits", "requests", "set", "at"})
_RANKING: Final = frozenset({"level", "class", "of", ":", "=", "to", "value"})


def detail(atoms: Sequence[Atom], where: Places) -> tuple[Detail, Collection[int]]:
    """The detail stated, and the atoms that state a place or a quantity (no instance count among them)."""
    reading = Reading(atoms, where.taken)
    if reading.numbers:
        window(reading)
    autoscale(reading)
    for index in reading.numbers:
        if index not in reading.taken:
            _quantity(reading, index, atoms[index].number or 0)
    relative(reading)
    _version(reading)
    flags = {hit.name: True for hit in _FLAGS.hits(atoms)}
    return Detail(**(flags | reading.stated), site=where.site, region=where.region), reading.taken


def _quantity(reading: Reading, index: int, number: float) -> None:
    unit = reading.word(index + 1)
    if unit in _UNITS:
        _UNITS[unit](reading, index, number)
    elif not (unit in REPLICA_UNITS or _cpu(reading, index, number) or _priority(reading, index, number)):
        _crowd(reading, index, number)


def _exact(number: float) -> float:
    return int(number) if number == int(number) else number


def _rate(reading: Reading, index: int, number: float) -> None:
    unit = _PER_SECOND.get(reading.word(index + 1), reading.word(index + 1))
    before, after = reading.before(index), reading.after(index)
    told = [word for word in before if word not in _OF_A_RATE][:1]  # "downlink 100 Mbps" before "100 Mbps downlink"
    direction = next((word for word in (*told, *after, *before) if word in _DIRECTIONS), "")
    name = f"{_DIRECTIONS.get(direction, 'bandwidth')}_mbps"
    reading.state(name, _exact(number * RATES[unit]), index, index + 1)


def _time(reading: Reading, index: int, number: float) -> None:
    duration = TIMES[reading.word(index + 1)]
    near = reading.near(index)
    if not _LATENCY.isdisjoint(near) or (duration < 1_000 and _PERIODS.isdisjoint(near)):
        reading.state("latency_ms", _exact(number * duration), index, index + 1)
    reading.taken.add(index)


def _percent(reading: Reading, index: int, number: float) -> None:
    if number >= 90 and not _RELIABILITY.isdisjoint(reading.near(index)):
        reading.state("reliability", _exact(number))
    reading.taken.add(index)


def _nines(reading: Reading, index: int, number: float) -> None:
    """Five nines are 99.999 percent."""
    if 2 <= number <= 7 and number == int(number):
        reading.state("reliability", float(f"99.{'9' * (int(number) - 2)}"), index)


def _bytes(reading: Reading, index: int, number: float) -> None:
    unit = reading.word(index + 1)
    if unit in _PER_SECOND and reading.word(index + 2) == "/" and reading.word(index + 3) in {"s", "sec"}:
        return _rate(reading, index, number)
    after = reading.after(index)[1:]
    after = after[: next((place for place, word in enumerate(after) if word in _BREAKS), len(after))]
    kind = next((word for word in (*after, *reading.before(index, 4)) if word in _KINDS), "")
    if kind or unit in _BINARY or not after:
        reading.state(_KINDS.get(kind, "memory"), f"{_exact(number)}{BYTES[unit]}", index, index + 1)
    reading.taken.add(index)
    return None


def _cpu(reading: Reading, index: int, number: float) -> bool:
    unit = reading.word(index + 1)
    milli = unit in _MILLI or (unit == "m" and not _CPU.isdisjoint(reading.near(index)))
    kind = reading.word(index + 2) if unit in _CPU_KINDS else unit
    if not milli and kind not in CPU_UNITS:
        told = next((word for word in reading.before(index, 3) if word not in _SIZING), "")
        if told not in _CPU_HEADS or unit in BYTES:
            return False
    reading.state("cpu", f"{_exact(number)}{'m' if milli else ''}", index, index + 1)
    return True


def _priority(reading: Reading, index: int, number: float) -> bool:
    before = [word for word in reading.before(index, 3) if word not in _RANKING]
    if before[:1] != ["priority"] and not (before[:1] == ["qos"] and len(reading.before(index, 2)) > 1):
        return False
    reading.state("qos_priority", int(number), index)
    return True


def _crowd(reading: Reading, index: int, number: float) -> None:
    """How many users, devices or cells: "10,000 concurrent users", "2 million sensors"."""
    multiple = MULTIPLES.get(reading.word(index + 1), 1)
    for word in reading.after(index, 6)[multiple > 1 :]:
        if word in _CROWDS and number * multiple == int(number * multiple):
            reading.state(_CROWDS[word], int(number * multiple), index)
            return
        if word in _APART:
            return


_UNITS: Final[Mapping[str, Callable[[Reading, int, float], None]]] = {
    **dict.fromkeys(RATES, _rate),
    **dict.fromkeys(TIMES, _time),
    **dict.fromkeys(BYTES, _bytes),
    "percent": _percent,
    "nines": _nines,
}
"""Unit → what a number with it states."""


def _version(reading: Reading) -> None:
    """The version to be installed: "version 2.1", "v2", "upgrade … to 2.1"."""
    atoms = reading.atoms
    for index, atom in enumerate(atoms):
        if atom.joint or index in reading.taken or atom.word[:1] not in _VERSION_STARTS:
            continue
        name, end = whole_word(atoms, index)
        before = reading.word(index - 1)
        told = before in _VERSIONED or atom.word[:1] == "v" or (before == "to" and _is_upkeep(reading, index - 1))
        if told and (_VERSION.fullmatch(name) or (atom.number is not None and before in {"version", "release"})):
            reading.state("version", name, *range(index, end))


def _is_upkeep(reading: Reading, to: int) -> bool:
    if reading.word(to - 1) == "back":
        return True
    return any(hit.name in {"maintenance", "update"} for hit in VERB_PHRASES.hits(reading.atoms))
