"""3GPP and O-RAN facts as data: components, interfaces, ports, slices, E2 defaults. Imports nothing of ours."""

from nephoran.knowledge.facts import (
    MANAGEMENT,
    Component,
    E2Defaults,
    Interface,
    Knowledge,
    Port,
    RanFunction,
    Size,
    SliceType,
)
from nephoran.knowledge.loader import knowledge

__all__ = [
    "MANAGEMENT",
    "Component",
    "E2Defaults",
    "Interface",
    "Knowledge",
    "Port",
    "RanFunction",
    "Size",
    "SliceType",
    "knowledge",
]
