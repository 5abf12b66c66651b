"""What happens in the demo, and what each object may cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from nephoran.cli.demo.world import World
from steady import BatchConfig

INTENT, NODE_SET = "NetworkIntent", "E2NodeSet"

SENTENCES = {
    # Real sentences of the Go project's examples, tests and documents.
    "amf-ha": "Deploy a high-availability AMF instance for production with auto-scaling",
    "core": "Deploy a complete 5G core network with AMF, SMF, and UPF functions. "
    "Configure for high availability with 3 replicas each and enable monitoring.",
    "amf-5g-core": "Deploy a high-availability AMF with 3 replicas in namespace 5g-core",
    "core-users": "Deploy production 5G Core network with AMF, SMF, UPF, NRF, and UDM for 10,000 concurrent users",
    "upf-hpa": "Deploy auto-scaling UPF with HPA min 2 max 10 replicas scale at 70 percent CPU",
    "nssf": "Deploy NSSF for network slicing with HA configuration",
    "embb": "Create eMBB network slice for video streaming service. Guarantee 100 Mbps downlink and 50 Mbps uplink.",
    "mmtc": "Create mMTC slice for smart city IoT devices. Support 1 million low-power sensors.",
    "ric": "Deploy Near-RT RIC with 10 E2 node simulators for testing",
    "ric-xapp": "Set up Near-RT RIC with xApp support for intelligent traffic management",
    "o-du": "Deploy O-DU for cell site with 100 MHz bandwidth. Configure for 256 QAM downlink and 64 QAM uplink.",
    "kpimon": "Deploy eMBB slice with KPIMON and traffic generator",
    "urllc": "Deploy URLLC slice on edge01 with E2 simulator and traffic steering xApp for low-latency testing",
}
EDITED, DELETED = "nssf", "mmtc"
EDIT = "Deploy NSSF for network slicing with 3 replicas"
SCALING, SCALED = "upf-more", "upf-hpa"
SCALE = "Scale UPF instances from 3 to 6 replicas to handle increased traffic during peak hours"
SETS = {"cell-small": 5, "cell-large": 50}
GROWN, SHRUNK = 12, 7


class Line(msgspec.Struct):
    """One object's account: what it may cost, and what the Go original sends for the same.

    `shown` counts the progress patches that its last piece of work may have taken; they are part of the budget.
    """

    kind: str
    name: str
    budget: int
    original: int
    gone: bool = False
    goal: bool = False
    shown: int = 0


def first_lines() -> dict[str, Line]:
    """The accounts of what is created at the start."""
    lines = {name: Line(INTENT, name, 1, 20) for name in SENTENCES}
    # 4N + 6 + 3R requests with R = 5, and at most 25 events per object.
    return lines | {name: Line(NODE_SET, name, n + 1, 4 * n + 21 + min(n, 25)) for name, n in SETS.items()}


async def tell(world: World, lines: dict[str, Line], say: Callable[[str], None]) -> None:
    """Let it all happen, one scene after the other; each ends when its goal is reached."""
    say(f"{len(SENTENCES)} sentences and {len(SETS)} node sets are applied")
    for name, text in SENTENCES.items():
        await world.create(INTENT, name, {"intent": text})
    for name, replicas in SETS.items():
        endpoint = {"ricEndpoint": world.ric.url}
        await world.create(NODE_SET, name, {"replicas": replicas, "ricConfiguration": endpoint})
    await _until(world, *lines.values())

    say(f"{EDITED} is edited, {SCALED} is scaled by a second sentence, cell-small grows to {GROWN} nodes")
    lines[EDITED].budget += 1
    await world.edit(INTENT, EDITED, {"intent": EDIT})
    lines[SCALING] = Line(INTENT, SCALING, 1, 20)
    lines[SCALED].budget += 1
    await world.create(INTENT, SCALING, {"intent": SCALE})
    lines["cell-small"].budget += GROWN - SETS["cell-small"] + 1
    lines["cell-small"].original += 2 * (GROWN - SETS["cell-small"]) + 3
    await world.edit(NODE_SET, "cell-small", {"replicas": GROWN})
    await _until(world, *lines.values())
    # It is as it should be all the time, but works as long as the one that scales it.
    lines[SCALED].budget += lines[SCALING].shown

    say(f"cell-small shrinks to {SHRUNK} nodes")
    lines["cell-small"].budget += GROWN - SHRUNK + 1
    lines["cell-small"].original += 2 * (GROWN - SHRUNK) + 3
    await world.edit(NODE_SET, "cell-small", {"replicas": SHRUNK})
    await _until(world, lines["cell-small"])

    say(f"{DELETED} and cell-large are deleted")
    for name, original in ((DELETED, 1), ("cell-large", SETS["cell-large"] + 2)):
        line = lines[name]
        line.gone, line.budget, line.original = True, line.budget + 1, line.original + original
        await world.delete(line.kind, name)
    await _until(world, *lines.values())


def reached(world: World, line: Line) -> bool:
    """Whether the object is where it should be."""
    obj = world.objects(line.kind).get(line.name)
    if obj is None or line.gone:
        line.goal = obj is None and line.gone
        return line.goal
    status = obj.get("status", {})
    conditions = {condition["type"]: condition["status"] for condition in status.get("conditions", ())}
    current = status.get("observedGeneration") == obj["metadata"]["generation"]
    line.goal = current and conditions.get("Ready") == "True"
    return line.goal


async def _until(world: World, *lines: Line) -> None:
    """Wait until all are where they should be; one progress patch per `batch_timeout` is due to what takes longer."""
    clock = asyncio.get_running_loop().time
    began, waiting = clock(), list(lines)
    while waiting:
        for line in [line for line in waiting if reached(world, line)]:
            waiting.remove(line)
            line.shown = int((clock() - began) / BatchConfig().batch_timeout)
            line.budget += line.shown
        await asyncio.sleep(0.05)
    # A moment more, so that a request too many would show.
    await asyncio.sleep(0.3)
