"""Small values that both kinds share: durations, endpoints, and the base of a spec's parts."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta

_units = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_term = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|μs|ms|s|m|h)")
_pattern = "^([0-9]+(\\.[0-9]+)?(ns|us|µs|μs|ms|s|m|h))+$"

Duration = Annotated[str, Meta(pattern=_pattern, max_length=64)]
"""A length of time as Go writes it: numbers with units, largest unit first by habit."""

Endpoint = Annotated[str, Meta(pattern="^https?://[^\\s/?#@]+(/[^\\s?#]*)?$", max_length=2048)]
"""The base URL of a service: any host name or address, a port, a path; no credentials, no query."""


class Part(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A named part of a spec or status. Subclass it, with `frozen=True`."""


def seconds(duration: str) -> float:
    """The seconds that a Go duration such as `1m30s` lasts. Raises ValueError naming what is wrong with it."""
    matches = list(_term.finditer(duration))
    if not matches or "".join(match[0] for match in matches) != duration:
        raise ValueError(f"{duration!r} is no duration: write numbers with units, such as 30s, 1m30s or 250ms")
    return sum(float(match[1]) * _units[match[2]] for match in matches)
