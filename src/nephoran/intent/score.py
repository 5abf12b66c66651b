"""How well an interpreter reads a collection of sentences with known meanings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from nephoran.intent.interpret import Meaningless
from nephoran.intent.meaning import Meaning, to_json
from nephoran.intent.sanitise import Rejected
from steady.backoff import ErrorType

KEYS: Final = ("action", "components", "replicas", "namespace", "slice", "detail")


class BadLine(Exception):
    """A line of the collection that is no JSON object with a `text`; the message says which and why."""

    error_type = ErrorType.VALIDATION


class _Reader(Protocol):
    def meaning(self, text: str) -> Meaning: ...


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of one sentence that was read otherwise than stated; absent is None."""

    line: int
    text: str
    key: str
    stated: object
    read: object

    def __str__(self) -> str:
        return f"line {self.line}: {self.key}: stated {self.stated!r}, read {self.read!r}: {self.text}"


@dataclass(frozen=True, slots=True)
class Score:
    """Right readings by key and of whole sentences, each out of `sentences`, and every difference."""

    sentences: int
    right: int
    by_key: Mapping[str, int]
    differences: tuple[Difference, ...]

    @property
    def accuracy(self) -> float:
        """Share of sentences that were read right in every key, 0 to 1 (1 of an empty collection)."""
        return self.right / self.sentences if self.sentences else 1.0

    def accuracy_of(self, key: str) -> float:
        """Share of sentences in which `key` was read right, 0 to 1."""
        return self.by_key[key] / self.sentences if self.sentences else 1.0


def score(lines: Iterable[str], interpreter: _Reader) -> Score:
    """Compare the interpreter with a collection of JSON lines. Blank lines are skipped; raises `BadLine`.

    All keys but `detail` are compared whole, absent on both sides being right; `detail` on the keys that the line has.
    """
    sentences = right = 0
    by_key = dict.fromkeys(KEYS, 0)
    differences: list[Difference] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        stated = _stated(number, line)
        wrong = _differences(number, stated, _read(interpreter, stated["text"]))
        sentences, right = sentences + 1, right + (not wrong)
        for key in KEYS:
            by_key[key] += all(difference.key != key for difference in wrong)
        differences.extend(wrong)
    return Score(sentences, right, by_key, tuple(differences))


def _stated(number: int, line: str) -> dict[str, Any]:
    try:
        stated = msgspec.json.decode(line, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise BadLine(f"line {number} is no JSON object: {error}") from error
    if not isinstance(stated.get("text"), str):
        raise BadLine(f"line {number} has no `text`: each line is one object with the sentence and its meaning")
    return stated


def _read(interpreter: _Reader, text: str) -> dict[str, Any]:
    try:
        return to_json(interpreter.meaning(text))
    except (Meaningless, Rejected):
        return {}


def _differences(number: int, stated: Mapping[str, Any], read: Mapping[str, Any]) -> list[Difference]:
    return [
        Difference(number, stated["text"], key, stated.get(key), read.get(key))
        for key in KEYS
        if _compared(key, stated, stated) != _compared(key, read, stated)
    ]


def _compared(key: str, meaning: Mapping[str, Any], stated: Mapping[str, Any]) -> object:
    value = meaning.get(key)
    if key == "components":
        return None if value is None else sorted(value)
    if key == "detail":
        return {name: (value or {}).get(name) for name in stated.get("detail", {})}
    return value or None
