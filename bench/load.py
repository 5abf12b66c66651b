"""Half a minute of load on a real API server: 200 intents under way at every moment, each followed by the next.

Judged by the headline targets of the optimized Go controllers. What is compared with, the original pattern, was
measured on a machine of this size on another day: requests compare exactly, CPU by its size. `python -m bench.peers`
measures both side by side.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, aclosing
from typing import Any, Final

import aiohttp
import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from bench.child import Child
from bench.measure import Percentiles, Usage, percentiles
from bench.report import Verdict
from bench.server import ApiServer, Choice, chosen
from bench.workload import Body, Intents, events
from nephoran.api.names import GROUP, VERSION
from steady.tasks import Scope

_NAMESPACE: Final = "load"
_MOST: Final = 100_000  # intents that there are sentences for
_LIMIT_SECONDS: Final = 60.0  # for those under way when the time is over
_SETTLE_SECONDS: Final = 1.0
_WIDTH: Final = 120

_ORIGINAL_CPU: Final = 37.0  # ms of the controller per intent, 200 at once (the Go original, instant LLM and git)
_ORIGINAL_REQUESTS: Final = 20.0  # per intent, to Completed, as the server's audit log counts
_ORIGINAL_SERVER: Final = 145.0  # ms of kube-apiserver per intent: 29 s for 200


class Loaded(msgspec.Struct, frozen=True):
    """What a run came to. CPU in milliseconds and requests are per intent; `wait` is from creation to Completed."""

    server: str
    seconds: float
    at_once: int
    created: int
    completed: int
    most: int
    wait: Percentiles
    cpu: float
    requests: float
    server_cpu: float | None
    peak: float

    def verdicts(self) -> Iterator[Verdict]:
        """The headline targets, and whether they were kept."""
        less = _less(self.cpu, _ORIGINAL_CPU)
        yield Verdict("controller CPU 50 % below the original's", f"{self.cpu:.2f} ms, {less:.1f} % below", less >= 50)
        less = _less(self.requests, _ORIGINAL_REQUESTS)
        yield Verdict("API load 40 % below the original's: requests", f"{self.requests:.2f}, {less:.1f} %", less >= 40)
        if self.server_cpu is not None:
            less = _less(self.server_cpu, _ORIGINAL_SERVER)
            told = f"{self.server_cpu:.2f} ms, {less:.1f} %"
            yield Verdict("API load 40 % below the original's: server's CPU", told, less >= 40)
        yield Verdict("P95 under 2 s", f"{self.wait.p95:.2f} s", self.wait.p95 < 2.0)
        told = f"{self.most} at once, {self.completed:,} of {self.created:,} completed"
        kept = self.most >= self.at_once and self.completed == self.created
        yield Verdict(f"{self.at_once}+ intents at once, none lost", told, kept)


def _less(ours: float, theirs: float) -> float:
    return 100 * (1 - ours / theirs)


class Load:
    """A user who keeps `at_once` intents under way for `seconds`."""

    def __init__(self, session: aiohttp.ClientSession, *, at_once: int, seconds: float) -> None:
        self.waits: list[float] = []
        self.created = 0
        self.most = 0
        self._session = session
        self._path = f"/apis/{GROUP}/{VERSION}/namespaces/{_NAMESPACE}/networkintents"
        self._at_once = at_once
        self._seconds = seconds
        self._under_way: dict[str, asyncio.Future[float]] = {}

    async def run(self) -> None:
        """Do it; returns when the last intent is completed, or was waited for long enough."""
        loop = asyncio.get_running_loop()
        bodies = iter(Intents(_MOST).bodies())
        until = loop.time() + self._seconds
        async with Scope("load") as scope:
            watching = scope.start(self._watch(), "watch")
            users = [scope.start(self._create_all(bodies, until), f"user-{n}") for n in range(self._at_once)]
            done = asyncio.gather(*users)
            limit = self._seconds + _LIMIT_SECONDS
            await asyncio.wait([done, watching], timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
            if done.done():
                done.result()

    async def _create_all(self, bodies: Iterator[Body], until: float) -> None:
        loop = asyncio.get_running_loop()
        for body in bodies:
            began = loop.time()
            name = body["metadata"]["name"]
            finished = self._under_way[name] = loop.create_future()
            self.created += 1
            self.most = max(self.most, len(self._under_way))
            async with self._session.post(self._path, json=body) as answer:
                assert answer.status == 201, await answer.text()
            self.waits.append(await finished - began)
            if loop.time() >= until:
                return

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        async with aclosing(events(self._session, self._path)) as found:
            async for event in found:
                if event.object.status.phase != Intents.goal:
                    continue
                finished = self._under_way.pop(event.object.metadata.name, None)
                if finished:
                    finished.set_result(loop.time())


async def loaded(server: ApiServer, *, at_once: int, seconds: float) -> Loaded:
    """One run on `server`."""
    async with AsyncExitStack() as stack:
        await server.take_policy()
        user = await stack.enter_async_context(server.user())
        async with user.post("/api/v1/namespaces", json={"metadata": {"name": _NAMESPACE}}) as answer:
            assert answer.status == 201, await answer.text()
        options = (f"--namespace={_NAMESPACE}", f"--kubeconfig={server.kubeconfig()}")
        operator = await stack.enter_async_context(Child("bench.operator", *options))
        load = Load(user, at_once=at_once, seconds=seconds)
        before, asked, served = await _usage(operator), await server.requests(), await server.cpu()
        began = asyncio.get_running_loop().time()
        await load.run()
        took = asyncio.get_running_loop().time() - began
        await asyncio.sleep(_SETTLE_SECONDS)
        after, asking, serving = await _usage(operator), await server.requests(), await server.cpu()
    intents = max(len(load.waits), 1)
    return Loaded(
        server=server.name,
        seconds=took,
        at_once=at_once,
        created=load.created,
        completed=len(load.waits),
        most=load.most,
        wait=percentiles(load.waits),
        cpu=1000 * (after.cpu - before.cpu) / intents,
        requests=(asking - asked).total() / intents,
        server_cpu=None if served is None or serving is None else 1000 * (serving - served) / intents,
        peak=after.peak,
    )


async def _usage(operator: Child) -> Usage:
    return msgspec.convert(await operator.ask("usage"), Usage)


def show(it: Loaded, console: Console) -> None:
    """Print the numbers and the verdicts."""
    console.print(
        f"API server: {it.server}. {it.completed:,} intents in {it.seconds:.1f} s, {it.completed / it.seconds:.0f} a "
        f"second. Creation to Completed: p50 {it.wait.p50:.2f} s, p95 {it.wait.p95:.2f} s, p99 {it.wait.p99:.2f} s. "
        f"Peak {it.peak:.0f} MiB."
    )
    table = Table(title="Headline targets", box=box.SIMPLE)
    for heading in ("target", "measured", ""):
        table.add_column(heading, no_wrap=True)
    for verdict in it.verdicts():
        table.add_row(verdict.promise, verdict.measured, "kept" if verdict.kept else "[bold]MISSED[/]")
    console.print(table)
    console.print(
        f"The original: {_ORIGINAL_CPU:g} ms and {_ORIGINAL_REQUESTS:g} requests per intent, {_ORIGINAL_SERVER:g} ms "
        "of the server's CPU; measured on another day (python -m bench.peers: side by side)."
    )


async def _measure(choice: Choice, at_once: int, seconds: float) -> Loaded:
    async with chosen(choice) as server:
        return await loaded(server, at_once=at_once, seconds=seconds)


@click.command(help=__doc__)
@click.option("--server", type=click.Choice(["real", "embedded"]), default="real", show_default=True)
@click.option("--at-once", default=200, show_default=True, type=click.IntRange(min=1))
@click.option("--seconds", default=30.0, show_default=True, type=click.FloatRange(min=0.1, max=600.0))
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def main(server: Choice, at_once: int, seconds: float, output: str) -> None:
    """Load and judge; the exit code is 1 where a target was missed."""
    it = asyncio.run(_measure(server, at_once, seconds))
    if output == "json":
        told: dict[str, Any] = {**msgspec.to_builtins(it), "verdicts": list(it.verdicts())}
        click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        show(it, Console(width=None if sys.stdout.isatty() else _WIDTH))
    sys.exit(0 if all(verdict.kept for verdict in it.verdicts()) else 1)


if __name__ == "__main__":
    main()
