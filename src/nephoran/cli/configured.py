"""Commands that are configured: `--config`, and an option for every key that names one in its declaration."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from steady.configuration import Setting


class Configured(click.Command):
    """A command whose function takes `read`, which reads the configuration anew each time, and its own parameters.

    The options are made when they are needed: the declaration brings the whole operator, for which the help of other
    commands need not wait. All of them are texts here; the configuration says what is wrong with one.
    """

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters, `--config`, and those of the keys."""
        from nephoran.configuration import Configuration
        from steady.configuration import settings

        file = click.Option(
            ["--config", "file"], type=click.Path(path_type=Path), help="File to read; else $NEPHORAN_CONFIG."
        )
        made = [_option(setting) for setting in settings(Configuration()).values() if "option" in setting.extra]
        *own, help_ = super().get_params(ctx)
        return [*own, file, *made, help_]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command's function."""
        from nephoran.configuration import Configuration, configured
        from steady.configuration import Given, settings

        given = [
            Given(setting.name, value, setting.extra["option"].partition("/")[0], text=not isinstance(value, bool))
            for setting in settings(Configuration()).values()
            if (value := ctx.params.pop(_parameter(setting), None)) not in (None, ())
        ]
        ctx.params["read"] = partial(configured, ctx.params.pop("file"), given)
        return super().invoke(ctx)


def _option(setting: Setting) -> click.Option:
    default = "" if setting.default in ("", (), {}) else f"  [default: {setting.default}]"
    flag = isinstance(setting.default, bool)
    return click.Option(
        [_parameter(setting), setting.extra["option"]],
        default=None,
        multiple=setting.many or setting.mapped,
        metavar=None if flag else _metavar(setting),
        help=setting.description + default.lower(),
    )


def _metavar(setting: Setting) -> str:
    if setting.allowed.startswith("one of "):
        return f"[{'|'.join(setting.allowed.removeprefix('one of ').split(', '))}]"
    return "NAME=VALUE" if setting.mapped else "TEXT"


def _parameter(setting: Setting) -> str:
    """How click calls the option of a key: no name of another parameter has a double underscore."""
    return setting.name.replace(".", "__")
