"""Label selectors: parsed once, matched often."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

_SET = re.compile(r"^\s*(?P<key>[^\s!=,()]+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*(?P<key>[^\s!=,()]+)\s*(?P<op>==|=|!=)\s*(?P<value>[^\s!=,()]*)\s*$")
_EXISTS = re.compile(r"^\s*(?P<not>!?)\s*(?P<key>[^\s!=,()]+)\s*$")


class Requirement(NamedTuple):
    """One term: `key` in (or, negated, not in) `values`; with `values` None, `key` present (or absent)."""

    key: str
    values: frozenset[str] | None
    negated: bool

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether `labels` satisfy the term. A missing label satisfies every negated term."""
        value = labels.get(self.key)
        if self.values is None:
            return (value is None) == self.negated
        return (value in self.values) != self.negated


class Selector(NamedTuple):
    """All terms must match; no terms match everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Whether an object with `labels` is selected."""
        present = labels or {}
        return all(requirement.matches(present) for requirement in self.requirements)


def parse_selector(text: str) -> Selector:
    """The selector that `text` writes (`a=b,c!=d,e in (f,g),h,!i`). Raises ValueError naming the faulty term."""
    return Selector(tuple(_term(term) for term in _terms(text)))


def _terms(text: str) -> list[str]:
    return [term for term in re.split(r",(?![^()]*\))", text) if term.strip()]


def _term(text: str) -> Requirement:
    if match := _SET.match(text):
        values = frozenset(value.strip() for value in match["values"].split(","))
        return Requirement(match["key"], values, match["op"] == "notin")
    if match := _EQUAL.match(text):
        return Requirement(match["key"], frozenset([match["value"]]), match["op"] == "!=")
    if match := _EXISTS.match(text):
        return Requirement(match["key"], None, bool(match["not"]))
    raise ValueError(f"unable to parse requirement: {text.strip()!r}")
