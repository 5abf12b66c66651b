"""`nephoran demo`."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from nephoran.cli.demo.story import Line
    from nephoran.cli.demo.world import World

_PLAIN_WIDTH = 120
"""Columns where nobody says how many there are: room for every name, reason and digest unbroken."""
_LONGEST = 50.0  # seconds for the story; the start before it and the end after it take few


@click.command()
@click.option("--keep", is_flag=True, help="Leave everything running at the end, for kubectl, until Ctrl-C.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def demo(*, keep: bool, output: str) -> None:
    """Show the whole operator at work on this machine; no cluster is needed.

    Ends by itself in less than a minute. The exit code is 0 only if every object reached its goal within its budget.
    """
    try:
        sys.exit(asyncio.run(_play(keep=keep, output=output)))
    except KeyboardInterrupt:
        sys.exit(130)


async def _play(*, keep: bool, output: str) -> int:
    import msgspec
    from rich.console import Console

    from nephoran.cli.demo.report import account, faults, say, show, unaccounted
    from nephoran.cli.demo.story import first_lines
    from nephoran.cli.demo.world import world

    console = Console(stderr=output == "json")
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    lines = first_lines()
    async with world() as here:
        unfinished = await _told(here, lines, console)
        rows, strays = account(here, lines), unaccounted(here, lines)
        wrong = faults(rows, strays, unfinished)
        if output == "json":
            click.echo(msgspec.json.encode({"objects": rows, "unaccounted": strays, "faults": wrong}))
        else:
            show(console, here, rows)
        for line in wrong or ["every object reached its goal within its budget"]:
            say(console, f"FAILED: {line}" if wrong else line)
        if keep:
            await _kept(here, console)
    return 1 if wrong else 0


async def _told(here: World, lines: dict[str, Line], console: Console) -> str:
    """Let the story happen and be seen; the scene in which it ran out of time, or nothing."""
    from rich.live import Live

    from nephoran.cli.demo.report import live, say
    from nephoran.cli.demo.story import tell
    from steady.tasks import Scope

    scene = ""

    def enter(text: str) -> None:
        nonlocal scene
        scene = text
        if not console.is_terminal:
            say(console, text)

    async def redraw(picture: Live) -> None:
        while True:
            picture.update(live(here, lines, scene), refresh=True)
            await asyncio.sleep(0.1)

    try:
        async with asyncio.timeout(_LONGEST):
            if not console.is_terminal:
                await tell(here, lines, enter)
                return ""
            with Live(console=console, auto_refresh=False, transient=True) as picture:
                async with Scope("picture") as scope:
                    scope.start(redraw(picture), "redraw")
                    await tell(here, lines, enter)
    except TimeoutError:
        return scene
    return ""


async def _kept(here: World, console: Console) -> None:
    """Say where everything is, and wait for Ctrl-C or SIGTERM: that is how what was asked to stay ends in order."""
    from nephoran.cli.demo.report import say

    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    say(console, f"kubectl --server={here.url} get networkintents,e2nodesets")
    say(console, f"curl {here.metrics}")
    await stopped.wait()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)  # a second one ends at once
