"""How urgent work is."""

from __future__ import annotations

from enum import IntEnum


class Priority(IntEnum):
    """Higher goes first; waiting lifts what is lower (see `Queue`)."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2
    CRITICAL = 3
