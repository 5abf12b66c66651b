"""A quick benchmark, some minutes at most: `python -m bench.quick [--server=auto|embedded|real] [-o json]`.

The operator, the API server and the user who creates and watches are three processes, so that each has its own CPU and
memory. Every run has a fresh operator and a namespace of its own.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Literal, NamedTuple

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.child import Child
from bench.measure import Usage, percentiles
from bench.report import Result, show
from bench.server import ApiServer, Choice, Requests, chosen
from bench.workload import Intents, NodeSet, Seen, Workload, bare_repository, durations
from nephoran.e2.simulator import RicSimulator

_LIMIT_SECONDS = 120.0
_WIDTH = 120  # of the tables, where no terminal says otherwise
_SETTLE_SECONDS = 1.0  # what is still on its way after the last goal was seen belongs to the run, too


class Run(NamedTuple):
    """One measurement to make: `units` intents at once, or one set of `units` nodes."""

    kind: Literal["intents", "nodes"]
    units: int
    git: bool
    policy: bool

    @property
    def name(self) -> str:
        """What the tables call it."""
        parts = [f"{self.units:,} {self.kind}", "git" if self.git else "", "policy" if self.policy else ""]
        return ", ".join(part for part in parts if part)


RUNS = (
    Run("intents", 200, git=False, policy=False),
    Run("intents", 200, git=False, policy=True),
    Run("intents", 200, git=True, policy=True),
    Run("intents", 2000, git=False, policy=True),
    Run("intents", 2000, git=True, policy=True),
    Run("nodes", 1000, git=False, policy=True),
)


class Bench:
    """Makes one run after another against one API server. `profiles` is a folder for profiles of the operator."""

    def __init__(self, server: ApiServer, profiles: Path | None) -> None:
        self._server = server
        self._profiles = profiles
        self._policy = False

    async def run(self, run: Run, seen: Seen) -> Result:
        """Make `run`."""
        if run.policy and not self._policy:
            await self._server.take_policy()
            self._policy = True
        async with AsyncExitStack() as stack:
            ric = await stack.enter_async_context(RicSimulator())
            user = await stack.enter_async_context(self._server.user())
            namespace = f"bench-{run.kind}-{run.units}-git-{run.git}-policy-{run.policy}".lower()
            async with user.post("/api/v1/namespaces", json={"metadata": {"name": namespace}}) as answer:
                assert answer.status == 201, await answer.text()
            options = [f"--namespace={namespace}", f"--kubeconfig={self._server.kubeconfig()}"]
            options.append(f"--ric={ric.url.removeprefix('http://')}")
            if run.git:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-remote-")))
                options.append(f"--git={bare_repository(folder)}")
            if self._profiles:
                options.append(f"--profile={self._profiles / namespace}.pstats")
            operator = await stack.enter_async_context(Child("bench.operator", *options))
            workload = Intents(run.units) if run.kind == "intents" else NodeSet(run.units, ric.url)
            before = await self._look(operator)
            waits = await durations(user, namespace, workload, seen, _LIMIT_SECONDS)
            await asyncio.sleep(_SETTLE_SECONDS)
            after = await self._look(operator)
        return self._result(run, workload, waits, before, after)

    async def _look(self, operator: Child) -> _Look:
        usage = msgspec.convert(await operator.ask("usage"), Usage)
        return _Look(usage, await self._server.cpu(), await self._server.requests())

    def _result(self, run: Run, workload: Workload, waits: list[float], before: _Look, after: _Look) -> Result:
        def each(total: float) -> float:
            return 1000 * total / run.units

        made = after.requests - before.requests
        known = after.server is not None and before.server is not None
        return Result(
            name=run.name,
            kind=workload.plural,
            server=self._server.name,
            git=run.git,
            policy=run.policy,
            units=run.units,
            objects=len(workload.bodies()),
            reached=len(waits),
            requests={" ".join(request): count / run.units for request, count in made.items()},
            cpu=each(after.usage.cpu - before.usage.cpu),
            children_cpu=each(after.usage.children - before.usage.children),
            server_cpu=each((after.server or 0.0) - (before.server or 0.0)) if known else None,
            wait=percentiles(waits),
            peak=after.usage.peak,
        )


class _Look(NamedTuple):
    usage: Usage
    server: float | None
    requests: Requests


async def measure(choice: Choice, runs: Iterable[Run], profiles: Path | None, console: Console) -> list[Result]:
    """Make all runs, showing how far they are."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        starting = progress.add_task("API server", total=1)
        async with chosen(choice) as server:
            progress.update(starting, completed=1, description=f"API server: {server.name}")
            bench = Bench(server, profiles)
            results = []
            for run in runs:
                task = progress.add_task(run.name, total=1 if run.kind == "nodes" else run.units)

                def seen(count: int, task: int = task) -> None:
                    progress.update(task, completed=count)  # type: ignore[arg-type]

                results.append(await bench.run(run, seen))
    return results


@click.command(help=__doc__)
@click.option("--server", type=click.Choice(["auto", "embedded", "real"]), default="auto", show_default=True)
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--only", default="", metavar="TEXT", help="Only the runs whose name contains TEXT.")
@click.option("--profile", type=click.Path(path_type=Path), help="Folder for profiles of the operator (cProfile).")
def main(server: Choice, output: str, only: str, profile: Path | None) -> None:
    """Measure and report; the exit code is 1 where a promise was not kept."""
    if profile:
        profile.mkdir(parents=True, exist_ok=True)
    runs = [run for run in RUNS if only in run.name]
    results = asyncio.run(measure(server, runs, profile, Console(stderr=True)))
    if output == "json":
        click.echo(msgspec.json.format(msgspec.json.encode([_told(result) for result in results])).decode())
    else:
        show(results, Console(width=None if sys.stdout.isatty() else _WIDTH))
    sys.exit(0 if all(verdict.kept for result in results for verdict in result.verdicts()) else 1)


def _told(result: Result) -> dict[str, object]:
    return {**msgspec.to_builtins(result), "verdicts": list(result.verdicts())}


if __name__ == "__main__":
    main()
