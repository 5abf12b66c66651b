"""`nephoran demo`: how it judges what it showed, and the command itself, ended by itself and by its user."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pygit2
import pytest

from nephoran.cli.demo import command, story
from nephoran.cli.demo import world as place
from nephoran.cli.demo.report import account, faults, unaccounted
from nephoran.cli.demo.story import SCALING, SENTENCES, SETS, Line, _until, first_lines, reached
from nephoran.cli.demo.world import OPERATOR, World
from nephoran.e2.simulator import RicSimulator
from steady.apiserver import Entry, Server

CODE = "import sys; from nephoran.cli import main; sys.exit(main())"
LONGEST = 60.0  # seconds that the command promises to need at most
INTENT = "NetworkIntent"

Json = dict[str, Any]


def obj(*, generation: int = 1, observed: int = 1, ready: str = "True") -> Json:
    """An object as the server holds it."""
    status = {"observedGeneration": observed, "conditions": [{"type": "Ready", "status": ready}]}
    return {"metadata": {"generation": generation}, "status": status}


def row(name: str = "amf", *, goal: bool = True, used: int = 1, budget: int = 1) -> Json:
    """One object's account."""
    return {
        "kind": INTENT,
        "name": name,
        "goal": goal,
        "used": used,
        "budget": budget,
        "original": 20,
        "reasons": {"status": used},
    }


class Still(World):
    """A world in which nothing moves but what a test moves."""

    def __init__(self, objects: dict[str, Json], remote: Path | None = None) -> None:
        self.server = Server()
        self.url = "http://unused"
        self.held = objects
        self.ric = RicSimulator()
        if remote is not None:
            self.remote = pygit2.init_repository(str(remote), bare=True, initial_head="main")

    def objects(self, kind: str) -> dict[str, Json]:
        return self.held

    def asked(self, verb: str, name: str, resource: str = "networkintents", subresource: str = "") -> None:
        """The operator has sent one request more."""
        self.server.log.append(Entry(OPERATOR, verb, resource, subresource, "default", name, 200, ""))


# The judgement.


def test_nothing_is_wrong_where_all_is_reached_within_its_budget() -> None:
    """A budget may be used up, or not at all."""
    assert faults([row(used=1), row("smf", used=0)], {}) == []


def test_each_fault_names_its_object() -> None:
    """A missed goal, a budget exceeded by one, both at once, and requests for something else."""
    rows = [row("a", goal=False), row("b", used=2), row("c"), row("d", goal=False, used=9, budget=3)]
    assert faults(rows, {"other": 2, "": 1}) == [
        "NetworkIntent/a did not reach its goal",
        "NetworkIntent/b used 2 requests of a budget of 1",
        "NetworkIntent/d did not reach its goal",
        "NetworkIntent/d used 9 requests of a budget of 3",
        "other used 2 requests and has no budget",
        "no object used 1 requests and has no budget",
    ]


def test_a_story_without_its_end_is_a_fault_of_its_own() -> None:
    """Although all that there is by then may be where it should be."""
    assert faults([row()], {}, "cell-small shrinks") == [
        "the story did not end in time; it was still at: cell-small shrinks"
    ]


@pytest.mark.parametrize(
    ("held", "gone", "there"),
    [
        ({"amf": obj()}, False, True),
        ({"amf": obj(ready="False")}, False, False),
        ({"amf": obj(ready="Unknown")}, False, False),
        ({"amf": obj(generation=2)}, False, False),
        ({"amf": {"metadata": {"generation": 1}}}, False, False),
        ({}, False, False),
        ({"amf": obj()}, True, False),
        ({}, True, True),
    ],
)
def test_a_goal_is_ready_for_the_spec_that_is_there_or_gone_if_deleted(
    held: dict[str, Json], gone: bool, there: bool
) -> None:
    """A status of an older spec says nothing."""
    line = Line(INTENT, "amf", 1, 20, gone=gone, goal=not there)
    assert (reached(Still(held), line), line.goal) == (there, there)


def test_the_account_counts_what_the_operator_sent_for_each_object_and_why() -> None:
    """Nodes count for their set; watches, the Lease and what the user sent count for nobody."""
    here = Still({"amf": obj(), "cell": obj()})
    here.asked("patch", "amf", subresource="status")
    here.asked("patch", "amf")
    here.asked("create", "amf.17", resource="events")
    for number in (0, 1):
        here.asked("create", f"cell-e2node-{number}", resource="configmaps")
    here.asked("watch", "")
    here.asked("update", "lease", resource="leases")
    here.server.log.append(Entry("user", "create", "networkintents", "", "default", "amf", 201, ""))
    lines = {"amf": Line(INTENT, "amf", 2, 20), "cell": Line("E2NodeSet", "cell", 2, 30)}
    rows = {each["name"]: each for each in account(here, lines)}
    assert (rows["amf"]["used"], rows["amf"]["reasons"]) == (2, {"status": 1, "finalizer": 1})
    assert (rows["cell"]["used"], rows["cell"]["reasons"]) == (2, {"child create": 2})
    assert unaccounted(here, lines) == {"amf.17": 1}


@pytest.mark.looptime
async def test_progress_that_had_to_be_shown_is_part_of_the_budget() -> None:
    """One patch for each `batch_timeout`, which is 2 s, that the work took; not for what was there at once."""
    here = Still({"amf": obj(ready="False"), "smf": obj()})
    slow, quick = Line(INTENT, "amf", 1, 20), Line(INTENT, "smf", 1, 20)

    async def work() -> None:
        await asyncio.sleep(5.0)
        here.held["amf"] = obj()

    await asyncio.gather(_until(here, slow, quick), work())
    assert (slow.budget, slow.shown) == (3, 2)
    assert (quick.budget, quick.shown) == (1, 0)


# The command, in a world where nothing moves.


Play = Callable[[Callable[..., Any], World], None]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Put another story and world in the place of the real ones."""

    def put(tell: Callable[..., Any], here: World) -> None:
        @asynccontextmanager
        async def world() -> AsyncIterator[World]:
            yield here

        monkeypatch.setattr(place, "world", world)
        monkeypatch.setattr(story, "tell", tell)
        monkeypatch.setattr(story, "first_lines", lambda: {"amf": Line(INTENT, "amf", 1, 20)})

    return put


@pytest.mark.looptime
async def test_the_exit_code_is_1_where_a_budget_is_exceeded(play: Play, capsys: pytest.CaptureFixture[str]) -> None:
    """And the last lines name what went wrong."""
    here = Still({"amf": obj()})

    async def tell(here: Still, lines: dict[str, Line], say: Callable[[str], None]) -> None:
        here.asked("patch", "amf", subresource="status")

    play(tell, here)
    assert await command._play(keep=False, output="json") == 0
    assert await command._play(keep=False, output="json") == 1
    printed = capsys.readouterr()
    good, bad = map(json.loads, printed.out.splitlines())
    assert (good["faults"], bad["faults"]) == ([], ["NetworkIntent/amf used 2 requests of a budget of 1"])
    assert printed.err.splitlines() == [
        "every object reached its goal within its budget",
        "FAILED: NetworkIntent/amf used 2 requests of a budget of 1",
    ]


@pytest.mark.looptime
@pytest.mark.parametrize("terminal", [False, True])
async def test_a_story_that_hangs_is_ended_and_told_to_be(
    play: Play, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, terminal: bool
) -> None:
    """Within the minute; what there is to see is shown, also where nothing was ever committed."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setattr(command, "_LONGEST", 2.0)  # hundreds of pictures prove no more than twenty

    async def tell(here: World, lines: dict[str, Line], say: Callable[[str], None]) -> None:
        say("amf is applied")
        await asyncio.Event().wait()

    play(tell, Still({"amf": obj(ready="False")}, tmp_path / "remote"))
    assert await command._play(keep=False, output="text") == 1
    assert asyncio.get_running_loop().time() < LONGEST
    printed = capsys.readouterr().out
    assert ("\x1b" in printed) is terminal
    assert printed.splitlines()[-2:] == [
        "FAILED: NetworkIntent/amf did not reach its goal",
        "FAILED: the story did not end in time; it was still at: amf is applied",
    ]
    assert "MISSED" in printed


# The real command, in a process of its own.


def environment() -> dict[str, str]:
    """Without what would let it think that it has a terminal, or change what it does."""
    left_out = ("KUBE", "NEPHORAN", "FORCE_COLOR", "TTY_", "COLUMNS")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def test_as_json_the_account_is_all_there_is_on_standard_output() -> None:
    """One document, in less than a minute: every object with what it used, its budget and the reasons."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, "demo", "-o", "json"],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
        env=environment(),
    )
    document = json.loads(done.stdout)
    assert (done.returncode, document["faults"], document["unaccounted"]) == (0, [], {})
    assert done.stderr.splitlines()[-1] == "every object reached its goal within its budget"
    rows = {each["name"]: each for each in document["objects"]}
    assert [*rows] == [*first_lines(), SCALING]
    for each in rows.values():
        assert each["goal"]
        assert each["used"] == sum(each["reasons"].values()) <= each["budget"] < each["original"]
    kinds = Counter(each["kind"] for each in rows.values())
    assert kinds == {"NetworkIntent": len(SENTENCES) + 1, "E2NodeSet": len(SETS)}
    large, small = rows["cell-large"]["reasons"], rows["cell-small"]["reasons"]
    assert (large["child create"], large["finalizer"]) == (50, 1)
    assert (small["child create"], small["child delete"]) == (12, 5)


def test_kept_it_says_how_to_reach_it_and_ends_in_order_at_the_first_interrupt(tmp_path: Path) -> None:
    """Plain lines without a terminal; the interrupt is how a kept demo ends, so the exit code is the demo's own."""
    with subprocess.Popen(
        [sys.executable, "-c", CODE, "demo", "--keep"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment(), "TMPDIR": str(tmp_path)},
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        deadline = threading.Timer(LONGEST, running.kill)
        deadline.start()
        try:
            lines = []
            for line in running.stdout:
                lines.append(line.rstrip("\n"))
                if line.startswith("kubectl "):
                    break
            assert lines, running.stderr.read()
            found = re.fullmatch(r"kubectl --server=http://127\.0\.0\.1:(\d+) get networkintents,e2nodesets", lines[-1])
            assert found, lines[-1]
            address = ("127.0.0.1", int(found[1]))
            with socket.create_connection(address, timeout=5.0):
                pass
            assert running.poll() is None
            running.send_signal(signal.SIGINT)
            rest, errors = running.stdout.read(), running.stderr.read()
            running.wait()
        finally:
            deadline.cancel()
            running.kill()
    assert (running.returncode, errors) == (0, "")
    assert rest.startswith("curl http://127.0.0.1:")
    with socket.create_server(address):
        pass
    assert [*tmp_path.iterdir()] == []
    story_is_told(lines)


def story_is_told(lines: list[str]) -> None:
    """What the demo promises to show, line by line, with nothing broken and nothing for a terminal in it."""
    assert not [line for line in lines if "\x1b" in line or "\r" in line]
    headings = [line.strip("─ ") for line in lines if line.startswith("───")]
    manifest = "networkintents/default/upf-hpa/deployment-upf.yaml"
    assert headings == ["git log", "git tree", manifest, "nodes, as the RIC sees them", "requests"]
    log, tree, yaml, nodes, table = ([*part] for part in parts(lines))
    assert all(re.fullmatch(r"[0-9a-f]{10} (Deploy|Remove) .+", line) for line in log)
    assert manifest in tree
    assert not [path for path in tree if not path.startswith("networkintents/default/") or path.count("/") != 3]
    assert {"apiVersion: apps/v1", "kind: Deployment"} <= {*yaml}
    assert nodes == [f"default-cell-small-node-{number} CONNECTED" for number in range(7)]
    header, *objects, total = (line.split() for line in table[:-2])
    assert " ".join(header) == "object goal used budget Go original reasons"
    assert len(objects) == len(SENTENCES) + len(SETS) + 1
    assert total == ["total", *(str(sum(int(each[column]) for each in objects)) for column in (2, 3, 4))]
    assert table[-2] == "every object reached its goal within its budget"


def parts(lines: list[str]) -> list[list[str]]:
    """What stands below each heading."""
    found: list[list[str]] = []
    for line in lines:
        if line.startswith("───"):
            found.append([])
        elif found:
            found[-1].append(line)
    return found
