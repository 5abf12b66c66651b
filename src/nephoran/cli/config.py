"""`nephoran config`: what is in force, whether a file is right, and what there is to decide."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from nephoran.cli.configured import Configured

if TYPE_CHECKING:
    from collections.abc import Callable

    from nephoran.configuration import Configuration
    from steady.configuration import Loaded


@click.group()
def config() -> None:
    """Show, check and explain the configuration."""


@config.command(cls=Configured)
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True)
@click.option("--origins", is_flag=True, help="Show where each value comes from, key by key.")
def show(read: Callable[[], Loaded[Configuration]], output: Literal["yaml", "json"], *, origins: bool) -> None:
    """Print the configuration that `run` would have with the same options, file and environment; no secret is in it."""
    loaded = read()
    whole: dict[str, Any] = loaded.tree()
    if origins:
        whole = {key: {"value": shown.value, "origin": shown.origin} for key, shown in loaded.flat().items()}
    if output == "json":
        import msgspec

        click.echo(msgspec.json.encode(whole).decode())
    else:
        import yaml

        click.echo(yaml.dump(whole, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True), nl=False)


@config.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Say what is wrong with FILE, a line for each key; exit code 0 if nothing is, else 2."""
    from nephoran.configuration import Configuration
    from steady.configuration import load

    load(Configuration(), file)
    click.echo(f"{file}: ok")


@config.command()
def reference() -> None:
    """Print the reference page: every key with its type, range, default, variable and meaning."""
    from nephoran.configuration import page

    click.echo(page(), nl=False)
