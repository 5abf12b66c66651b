"""What the demo shows: live while it runs, and the account at its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pygit2
from rich.console import Console, Group, RenderableType
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from nephoran.cli.demo.story import Line, reached
from nephoran.cli.demo.world import World

_MANIFEST = "networkintents/default/upf-hpa/deployment-upf.yaml"


def account(world: World, lines: dict[str, Line]) -> list[dict[str, Any]]:
    """Per object: what it used, what it may, why, and whether it is where it should be."""
    used = world.used()
    return [
        {
            "kind": line.kind,
            "name": line.name,
            "goal": reached(world, line),
            "used": sum(used.get(line.name, {}).values()),
            "budget": line.budget,
            "original": line.original,
            "reasons": dict(used.get(line.name, {})),
        }
        for line in lines.values()
    ]


def unaccounted(world: World, lines: dict[str, Line]) -> dict[str, int]:
    """Requests that belong to no object of the story."""
    return {name: sum(counts.values()) for name, counts in world.used().items() if name not in lines}


def faults(rows: list[dict[str, Any]], strays: dict[str, int], unfinished: str = "") -> list[str]:
    """What went wrong, a line each; none if the story ended with every object at its goal and within its budget."""
    found = []
    for row in rows:
        name = f"{row['kind']}/{row['name']}"
        if not row["goal"]:
            found.append(f"{name} did not reach its goal")
        if row["used"] > row["budget"]:
            found.append(f"{name} used {row['used']} requests of a budget of {row['budget']}")
    found += [f"{name or 'no object'} used {count} requests and has no budget" for name, count in strays.items()]
    if unfinished:
        found.append(f"the story did not end in time; it was still at: {unfinished}")
    return found


def say(console: Console, text: str) -> None:
    """One line as it is: no markup, no colours, and never broken."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def live(world: World, lines: dict[str, Line], scene: str) -> RenderableType:
    """The picture while it runs."""
    table = Table(box=None, pad_edge=False)
    for title in ("KIND", "NAME", "PHASE", "READY", "REQUESTS"):
        table.add_column(title)
    for row in account(world, lines):
        status = world.objects(row["kind"]).get(row["name"], {}).get("status", {})
        mark = Text("●", style="green" if row["goal"] else "yellow")
        table.add_row(row["kind"], row["name"], status.get("phase", "gone"), mark, str(row["used"]))
    ready = sum(line.goal for line in lines.values())
    return Group(Text(scene, style="bold"), table, Text(f"{ready} of {len(lines)} objects are where they should be"))


def show(console: Console, world: World, rows: list[dict[str, Any]]) -> None:
    """The end: commits, files, one manifest, the RIC's nodes and the account."""
    console.rule("git log")
    for commit in _log(world.remote):
        say(console, f"{str(commit.id)[:10]} {commit.message.splitlines()[0]}")
    console.rule("git tree")
    files = dict(_files(world.remote))
    for path in files:
        say(console, path)
    console.rule(_MANIFEST)
    text = files[_MANIFEST].data.decode() if _MANIFEST in files else "missing"
    shown = Syntax(text, "yaml", background_color="default") if console.is_terminal else Text(text)
    console.print(shown, soft_wrap=not console.is_terminal)
    console.rule("nodes, as the RIC sees them")
    for name, node in sorted(world.ric.nodes.items()):
        say(console, f"{name} {node.status}")
    console.rule("requests")
    console.print(_table(rows))


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None)
    for title in ("object", "goal", "used", "budget", "Go original", "reasons"):
        table.add_column(title, justify="right" if title in {"used", "budget", "Go original"} else "left")
    for row in rows:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(row["reasons"].items()))
        fine = row["used"] <= row["budget"]
        used = Text(str(row["used"]), style="green" if fine else "red")
        goal = "reached" if row["goal"] else "MISSED"
        table.add_row(f"{row['kind']}/{row['name']}", goal, used, str(row["budget"]), str(row["original"]), reasons)
    total = [sum(row[key] for row in rows) for key in ("used", "budget", "original")]
    table.add_row("total", "", *(str(number) for number in total), "")
    return table


def _log(repository: pygit2.Repository) -> Iterator[pygit2.Commit]:
    if not repository.head_is_unborn:
        yield from repository.walk(repository.head.target, pygit2.enums.SortMode.TOPOLOGICAL)


def _files(repository: pygit2.Repository) -> Iterator[tuple[str, pygit2.Blob]]:
    """The files of the last commit by path; none where nothing was committed."""
    if not repository.head_is_unborn:
        yield from _blobs(repository.head.peel(pygit2.Commit).tree)


def _blobs(tree: pygit2.Tree, parent: str = "") -> Iterator[tuple[str, pygit2.Blob]]:
    for entry in tree:
        path = f"{parent}{entry.name}"
        if isinstance(entry, pygit2.Tree):
            yield from _blobs(entry, f"{path}/")
        elif isinstance(entry, pygit2.Blob):
            yield path, entry
