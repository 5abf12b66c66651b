"""Every block of code of the documents is true: Python runs, commands exist, YAML is taken, queries find series.

A text block right below a Python block is what that prints. Console blocks are not run: their commands may be meant for
a cluster, so only the names are held; what promtool says of queries is asked with the marker `prometheus`.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import sys
from collections.abc import Coroutine, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import looptime
import pytest
import yaml

from nephoran.api.install import crds
from nephoran.cli import cli
from nephoran.configuration import Configuration
from steady.apiserver import Request, Server
from steady.clock import ManualClock
from steady.configuration import load
from tests.behaviour.house import CRDS, User
from tests.unit.docs.pages import PAGES, ROOT, Block, blocks, options, queries
from tests.unit.monitoring.test_rules import SELECTOR, families

LANGUAGES = {"console", "go", "json", "makefile", "mermaid", "promql", "python", "text", "yaml"}
ELSEWHERE = {"README.md"}  # the README's Python has a test of its own
PATHS = {"NetworkIntent": "networkintents", "E2NodeSet": "e2nodesets"}
FOREIGN = {"PodMonitor"}
OTHERS = {"cd", "curl", "git", "grep", "kubectl", "pip", "tail"}
TARGETS = set(re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0].split())
SPLIT = re.compile(r"\s+(?:\||&&|;)\s+")


def named(*languages: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", blocks(*languages), ids=str)


def test_every_block_says_its_language() -> None:
    """One that the tests below know what to do with; Go is only quoted where one comes from it."""
    assert [str(block) for block in blocks() if block.language not in LANGUAGES] == []
    assert {block.page for block in blocks("go")} <= {"docs/migration/from-the-go-package.md"}


def test_no_block_is_indented() -> None:
    """The site shows one in a list as plain text, and no test sees it."""
    assert [
        page.name for page in PAGES if re.search(r"^[ \t]+```", page.read_text(encoding="utf-8"), re.MULTILINE)
    ] == []


# Python.


@pytest.mark.parametrize("block", [it for it in blocks("python") if it.page not in ELSEWHERE], ids=str)
def test_python_runs_and_prints_what_the_page_says(
    block: Block, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a program of its own, on virtual time."""
    module = ModuleType(f"block_{block.line}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(asyncio, "run", _run)
    exec(compile(block.text, str(block), "exec"), module.__dict__)
    assert capsys.readouterr().out == _printed(block)


def _run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        runner.run(main)


def _printed(block: Block) -> str:
    """What stands below the block."""
    own = blocks()
    below = own[own.index(block) + 1 : own.index(block) + 2]
    return below[0].text if below and below[0].follows == "python" and below[0].language == "text" else ""


# YAML.


@named("yaml")
async def test_yaml_is_an_object_that_the_server_takes_or_a_configuration(block: Block, tmp_path: Path) -> None:
    """Our kinds are created on the embedded server, strictly; anything without a kind is our configuration."""
    async with Server(clock=ManualClock()) as server:
        user = User(server)
        for definition in crds():
            await user.send("POST", CRDS, definition)
        for document in yaml.safe_load_all(block.text):
            kind = document.get("kind")
            if kind in PATHS:
                namespace = document["metadata"].get("namespace", "default")
                path = f"/apis/nephoran.com/v1/namespaces/{namespace}/{PATHS[kind]}"
                body, headers = json.dumps(document).encode(), {"content-type": "application/json"}
                answer = await server.handle(Request("POST", path, {"fieldValidation": "Strict"}, headers, body))
                assert answer.status == 201, answer.body
            elif kind or "scrape_configs" in document or "groups" in document:
                assert kind in FOREIGN or kind is None
            else:
                file = tmp_path / "configuration.yaml"
                file.write_text(yaml.safe_dump(document), encoding="utf-8")
                load(Configuration(), file)


# Commands.


def commands(block: Block) -> Iterator[list[str]]:
    """Every command of a console block. Where a prompt is shown, what has none is output."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if any(line.startswith("$ ") for line in lines):
        lines = [line[2:] for line in lines if line.startswith("$ ")]
    for line in lines:
        for part in SPLIT.split(line):
            words = shlex.split(part, comments=True)
            while words and re.match(r"[A-Z_]+=", words[0]):
                del words[0]
            if words:
                yield words


def unknown(words: list[str]) -> str:
    """What of a command does not exist, or nothing."""
    name, *rest = words
    match name.rpartition("/")[2]:
        case "make":
            return next((word for word in rest if "=" not in word and word not in TARGETS), "")
        case "nephoran":
            return _unknown_of_ours(rest)
        case "python" | "python3" if rest[0] == "dev.py":
            return next((word for word in rest[1:2] if word not in TARGETS and word != "COMMAND"), "")
        case "python" | "python3":
            return "" if find_spec(rest[rest.index("-m") + 1]) else rest[rest.index("-m") + 1]
        case "pytest":
            return next((word for word in rest if "/" in word and not (ROOT / word.partition("::")[0]).exists()), "")
        case other:
            return "" if other in OTHERS else other


def _unknown_of_ours(words: list[str]) -> str:
    command: click.Command = cli
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            if word not in command.commands:
                return word
            command = command.commands[word]
        elif word.startswith("-") and word.partition("=")[0] not in options(command) | {"-h", "--help"}:
            return word
    return ""


@named("console")
def test_every_command_shown_exists(block: Block) -> None:
    """Programs, our subcommands and their options, make targets, and files that are tested."""
    assert [found for words in commands(block) if (found := unknown(words))] == []


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("make nothing", "nothing"),
        ("nephoran deploy", "deploy"),
        ("nephoran run --git-uri x", "--git-uri"),
        ("nephoran config show --origins", ""),
        ("pytest tests/none.py -q", "tests/none.py"),
        ("python3 dev.py frobnicate", "frobnicate"),
        ("python -m steady.testing.nowhere", "steady.testing.nowhere"),
        ("helm install x", "helm"),
    ],
)
def test_what_does_not_exist_is_found(line: str, missing: str) -> None:
    """The test above can fail."""
    assert unknown(shlex.split(line)) == missing


# Queries.


@named("promql")
def test_every_query_asks_for_series_that_exist(block: Block) -> None:
    """By labels that they have."""
    known = families()
    for query in queries(block.text):
        found = SELECTOR.findall(query)
        assert found, query
        for series, labels in found:
            assert series in known, query
            assert set(re.findall(r"(\w+)(?:=|!)", labels)) - {"job"} <= known[series], query
