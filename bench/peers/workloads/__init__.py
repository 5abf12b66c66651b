"""What the contenders are given to do, a file each."""

from __future__ import annotations

from bench.peers.workloads.base import Workload
from bench.peers.workloads.intents import Burst, Steady
from bench.peers.workloads.nodesets import NodeSets

WORKLOADS: dict[str, Workload] = {each.name: each for each in (Burst(), Steady(), NodeSets())}
"""All workloads by name, in the order in which they are made and told."""

__all__ = ["WORKLOADS", "Workload"]
