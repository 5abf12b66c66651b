"""What the contenders are given to do, a file each."""

from __future__ import annotations

from bench.peers.workloads.base import Workload
from bench.peers.workloads.hot import Hot
from bench.peers.workloads.idle import Heartbeats, Idle
from bench.peers.workloads.intents import Burst, Slow, Steady
from bench.peers.workloads.nodesets import NodeSets
from bench.peers.workloads.weather import Storm

WORKLOADS: dict[str, Workload] = {
    each.name: each for each in (Burst(), Steady(), NodeSets(), Heartbeats(), Idle(), Hot(), Slow(), Storm())
}
"""All workloads by name, in the order in which they are made and told."""

__all__ = ["WORKLOADS", "Workload"]
