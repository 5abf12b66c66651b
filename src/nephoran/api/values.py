"""Small values that both kinds share: durations, endpoints, and the base of a spec's parts."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

_pattern = "^([0-9]+(\\.[0-9]+)?(ns|us|µs|μs|ms|s|m|h))+$"

Duration = Annotated[str, Meta(pattern=_pattern, max_length=64)]
"""A length of time as Go writes it: numbers with units, largest unit first by habit."""

Endpoint = Annotated[str, Meta(pattern="^https?://[^\\s/?#@]+(/[^\\s?#]*)?$", max_length=2048)]
"""The base URL of a service: any host name or address, a port, a path; no credentials, no query."""


class Part(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A named part of a spec or status. Subclass it, with `frozen=True`."""
