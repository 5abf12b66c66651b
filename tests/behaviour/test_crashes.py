"""Killed at any write, the operator ends where it would have ended undisturbed, and does nothing twice that shows."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pytest

from nephoran.api import E2NodeSet, NetworkIntent
from steady.apiserver import Server
from steady.clock import ManualClock
from steady.schema import crd
from tests.behaviour.house import CRDS, Json, User, pass_time
from tests.behaviour.lives import Death, Fate, Moment, World

pytestmark = pytest.mark.looptime

OBJECTS = "/apis/nephoran.com/v1/namespaces/default"
INTENTS, SETS = f"{OBJECTS}/networkintents", f"{OBJECTS}/e2nodesets"
STORED = ("networkintents", "e2nodesets", "configmaps")
FUNCTION = {"functionID": 7, "revision": 2, "description": "another one", "oid": "1.2.3"}
REST = 40.0
"""Seconds between two chapters: more than a lease outlives its holder, and the work that the next one finds."""
UNSAID = {"uid", "resourceVersion", "managedFields"}
REPEATABLE = re.compile(r"commit|(update|deregister) \S+")
"""What the next life may have to do once more: a commit that was not pushed; and updates and deregistrations whose
nodes were not written or deleted yet, for nothing else tells that the RIC has heard of them."""
_IDS = re.compile(r" reconcile=\S+(?<!:)")


class Picture(NamedTuple):
    """All that outlives a process, in words that are the same in every run."""

    objects: Mapping[str, Json]
    files: Mapping[str, str]
    changes: Mapping[str, int]
    nodes: Mapping[str, object]
    registrations: Mapping[str, int]


class Story:
    """What a user does, chapter by chapter, and what there was to see at the end of each."""

    def __init__(self, world: World) -> None:
        self.pictures: list[Picture] = []
        self._world = world
        self._user = User(world.server)
        self._names: dict[str, str] = {}

    async def begin(self) -> None:
        """Install the kinds."""
        for kind in (NetworkIntent, E2NodeSet):
            await self._user.send("POST", CRDS, crd(kind))

    async def tell(self) -> None:
        """Three intents, of which one changes another; a set that grows, shrinks, changes, moves and goes."""
        await self._create(INTENTS, "NetworkIntent", "core", {"intent": "Deploy AMF with 2 replicas"})
        await self._create(INTENTS, "NetworkIntent", "edge", {"intent": "Deploy UPF with 3 replicas"})
        await self._create(SETS, "E2NodeSet", "ran", {"replicas": 4})
        await self._rest()
        await self._create(INTENTS, "NetworkIntent", "more", {"intent": "Scale AMF to 5 replicas"})
        await self._edit(f"{SETS}/ran", {"replicas": 6})
        await self._rest()
        await self._edit(f"{INTENTS}/core", {"intent": "Deploy AMF with 3 replicas"})
        await self._edit(f"{SETS}/ran", {"replicas": 3})
        await self._rest()
        await self._user.send("DELETE", f"{INTENTS}/edge")
        await self._edit(f"{SETS}/ran", {"template": {"spec": {"supportedRANFunctions": [FUNCTION]}}})
        await self._rest()
        await self._user.send("DELETE", f"{INTENTS}/more")
        await self._edit(f"{SETS}/ran", {"ricConfiguration": {"ricEndpoint": "http://other-ric:38080"}})
        await self._rest()
        await self._user.send("DELETE", f"{SETS}/ran")
        await self._rest()

    async def _create(self, path: str, kind: str, name: str, spec: Json) -> None:
        body = {"apiVersion": "nephoran.com/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        made = await self._user.send("POST", path, body)
        self._names[made["metadata"]["uid"]] = f"(uid of {name})"

    async def _edit(self, path: str, spec: Json) -> None:
        await self._user.merge(path, {"spec": spec})

    async def _rest(self) -> None:
        await pass_time(REST)
        self.pictures.append(self._picture())
        self._world.clock.advance(REST)

    def _picture(self) -> Picture:
        world = self._world
        stored = [obj for resource in STORED for obj in world.server.objects(resource)]
        body = _IDS.sub("", "".join(commit.message for commit in world.remote.commits)).splitlines()
        known = [(ric, *entry) for ric, table in world.rics.items() for entry in table.nodes.items()]
        asked = [(ric, *entry) for ric, table in world.rics.items() for entry in table.asked.items()]
        return Picture(
            objects={f"{obj['kind']} {obj['metadata']['name']}": self._told(obj) for obj in stored},
            files={"/".join(place): self._named(repr(files)) for place, files in world.remote.tree.items()},
            changes=Counter(self._named(line) for line in body if line.startswith("- ")),
            nodes={f"{name} at {ric}": (node.status, node.functions) for ric, name, node in known},
            registrations={f"{name} at {ric}": count for ric, (kind, name), count in asked if kind == "register"},
        )

    def _told(self, obj: Json) -> Json:
        metadata = {name: value for name, value in obj["metadata"].items() if name not in UNSAID}
        told: Json = json.loads(self._named(json.dumps({**obj, "metadata": metadata})))
        return told

    def _named(self, text: str) -> str:
        """`text` with names for what differs from run to run: an intent's uid, and the commit that names it."""
        for uid, name in self._names.items():
            text = text.replace(uid, name)
        for commit in self._world.remote.commits:
            text = text.replace(commit.id, "(a commit)").replace(commit.id[:12], "(a commit)")
        return text


async def lived(death: Death | None = None) -> tuple[list[Picture], Fate]:
    """The whole story, with at most one death in it."""
    clock, fate = ManualClock(), Fate(death)
    async with Server(clock=clock) as server:
        world = World(server, clock)
        story = Story(world)
        await story.begin()
        async with world.lived_in(fate):
            await story.tell()
    return story.pictures, fate


def differences(wanted: list[Picture], found: list[Picture]) -> list[str]:
    """What differs in the first chapter in which something does."""
    for chapter, pictures in enumerate(zip(wanted, found, strict=True)):
        told = [
            f"chapter {chapter}, {part}: {name}: {other.get(name)} instead of {one.get(name)}"
            for part, one, other in zip(Picture._fields, *pictures, strict=True)
            for name in sorted({*one, *other})
            if one.get(name) != other.get(name)
        ]
        if told:
            return told
    return []


def repetitions(wanted: Fate, found: Fate) -> Iterator[str]:
    """What took effect more often than it may."""
    for what, count in (Counter(found.landed) - Counter(wanted.landed)).items():
        if count > 1 or not REPEATABLE.fullmatch(what):
            yield f"{what}: {count} times more"


async def test_undisturbed_the_story_has_every_kind_of_write() -> None:
    """And each change is committed once, each node registered once."""
    pictures, fate = await lived()
    assert {what.split()[0] for what in fate.left} == {
        *("POST", "PATCH", "DELETE"),
        *("commit", "push"),
        *("register", "update", "deregister"),
    }
    assert fate.left == fate.landed
    last = pictures[-1]
    assert list(last.objects) == ["NetworkIntent core"]
    assert list(last.files) == ["default/core"]
    assert last.nodes == {}
    assert set(last.changes.values()) == {1}
    assert set(last.registrations.values()) == {1}


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
async def test_a_death_at_any_write_leaves_no_trace(moment: Moment) -> None:
    """After every chapter the same objects, files and nodes; each change committed and each node registered once."""
    wanted, undisturbed = await lived()
    traces = []
    for number, what in enumerate(undisturbed.left):
        found, fate = await lived(Death(number, moment))
        assert fate.met
        assert fate.left[: number + 1] == undisturbed.left[: number + 1]
        trace = [*differences(wanted, found), *repetitions(undisturbed, fate)]
        traces += [f"died at write {number}, {what}, {moment}: {each}" for each in trace]
    assert not traces, "\n".join(traces)
