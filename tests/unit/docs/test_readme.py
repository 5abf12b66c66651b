"""What the README shows is what the repository holds."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from steady.apiserver import Server
from steady.clock import ManualClock
from steady.schema import crd
from tests.behaviour.house import CRDS, User, pass_time, requests, running

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
ECHOES = "/apis/example.com/v1/namespaces/default/echoes"


def links() -> list[tuple[str, str]]:
    """Every link of every page that leads to a file of the repository."""
    found = []
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        text = re.sub(r"`[^`\n]*`", "", text)
        targets = re.findall(r"\]\(([^)\s]+)\)", text)
        found += [(str(page.relative_to(ROOT)), target) for target in targets if ":" not in target]
    return found


def shown() -> str:
    """The README's one block of Python."""
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1
    return str(blocks[0])


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The README's code as a module."""
    module = ModuleType("echo_of_the_readme")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(shown(), "README.md", "exec"), module.__dict__)
    return module


def test_the_readme_shows_the_example() -> None:
    """The block is the file, letter by letter."""
    assert shown() == (ROOT / "examples" / "echo.py").read_text(encoding="utf-8")


@pytest.mark.looptime
async def test_the_code_of_the_readme_runs(echo: Any) -> None:
    """Read from the page, it does its job for one POST of the child and one status patch."""
    async with Server(clock=ManualClock()) as server:
        user = User(server)
        await user.send("POST", CRDS, crd(echo.Echo))
        async with running(server, echo.controller):
            body = {"apiVersion": "example.com/v1", "kind": "Echo", "metadata": {"name": "a"}, "spec": {"text": "hi"}}
            await user.send("POST", ECHOES, body)
            await pass_time()
            assert (await user.send("GET", f"{ECHOES}/a"))["status"]["said"] == "hi"
            assert requests(server) == {("create", "configmaps", ""): 1, ("patch", "echoes", "status"): 1}


@pytest.mark.parametrize(("page", "target"), links(), ids=str)
def test_every_relative_link_leads_somewhere(page: str, target: str) -> None:
    """The file that a page links to is there."""
    file = target.partition("#")[0]
    assert not file or (ROOT / page).parent.joinpath(file).exists()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`(pytest [^`]+)`", README))))
def test_every_budget_names_exactly_one_test(command: str) -> None:
    """The command beside a number runs one test of the file that it names."""
    found = re.fullmatch(r"pytest (\S+) -k (\w+)", command)
    assert found
    tests = re.findall(r"^async def (test_\w+)", (ROOT / found[1]).read_text(encoding="utf-8"), re.MULTILINE)
    assert len([name for name in tests if found[2] in name]) == 1


def test_every_command_shown_exists() -> None:
    """Every `make` target and every `nephoran` command in a console block is one that there is."""
    from nephoran.cli import cli

    consoles = "\n".join(re.findall(r"^```console\n(.*?)^```", README, re.DOTALL | re.MULTILINE))
    targets = set(
        re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0].split()
    )
    assert {"demo", "test"} <= set(re.findall(r"^make ([\w-]+)", consoles, re.MULTILINE)) <= targets
    assert {"install", "run", "interpret", "apiserver"} <= set(re.findall(r"^nephoran (\w+)", consoles, re.MULTILINE))
    assert set(re.findall(r"^nephoran (\w+)", consoles, re.MULTILINE)) <= set(cli.commands)
