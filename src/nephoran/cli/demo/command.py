"""`nephoran demo`."""

from __future__ import annotations

import asyncio
import sys

import click

_PLAIN_WIDTH = 120
"""Columns where nobody says how many there are: room for every name, reason and digest unbroken."""


@click.command()
@click.option("--keep", is_flag=True, help="Leave everything running at the end, for kubectl.")
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
    from rich.live import Live

    from nephoran.cli.demo.report import account, live, show, unaccounted
    from nephoran.cli.demo.story import first_lines, tell
    from nephoran.cli.demo.world import world
    from steady.tasks import Scope

    console = Console(stderr=output == "json")
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    lines = first_lines()
    scene = ""
    async with world() as here:

        def say(text: str) -> None:
            nonlocal scene
            scene = text
            if not console.is_terminal:
                console.print(text, markup=False, highlight=False)

        async def redraw(picture: Live) -> None:
            while True:
                picture.update(live(here, lines, scene), refresh=True)
                await asyncio.sleep(0.1)

        try:
            if console.is_terminal:
                with Live(console=console, auto_refresh=False, transient=True) as picture:
                    async with Scope("picture") as scope:
                        scope.start(redraw(picture), "redraw")
                        await tell(here, lines, say)
            else:
                await tell(here, lines, say)
        except TimeoutError:
            missed = ", ".join(name for name, line in lines.items() if not line.goal)
            console.print(f"not reached in time: {missed}", markup=False)
        rows, strays = account(here, lines), unaccounted(here, lines)
        if output == "json":
            click.echo(msgspec.json.encode({"objects": rows, "unaccounted": strays}))
        else:
            show(console, here, rows)
        good = not strays and all(row["goal"] and row["used"] <= row["budget"] for row in rows)
        console.print("every object reached its goal within its budget" if good else f"FAILED {strays or ''}")
        if keep:
            console.print(f"kubectl --server={here.url} get networkintents,e2nodesets", markup=False, highlight=False)
            console.print(f"curl {here.metrics}", markup=False, highlight=False)
            await asyncio.Event().wait()
    return 0 if good else 1
