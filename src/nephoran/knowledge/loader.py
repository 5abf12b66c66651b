"""Reads the facts, once."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from nephoran.knowledge.facts import Component, E2Defaults, Interface, Knowledge, Port, SliceType


@cache
def knowledge() -> Knowledge:
    """The facts that come with the package. Raises msgspec.ValidationError naming a key that is wrong."""
    network = _table("interfaces")
    return Knowledge(
        components=msgspec.convert(_table("components"), dict[str, Component]),
        ports=msgspec.convert(network["ports"], dict[str, Port]),
        interfaces=msgspec.convert(network["interfaces"], dict[str, Interface]),
        slices=msgspec.convert(_table("slices"), dict[str, SliceType]),
        e2=msgspec.convert(_table("e2"), E2Defaults),
    )


def _table(name: str) -> dict[str, Any]:
    text = resources.files("nephoran.knowledge").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
