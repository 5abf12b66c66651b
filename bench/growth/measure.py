"""What so many completed intents cost one process: `python -m bench.growth.measure FILE COUNT`, JSON on stdout.

FILE holds the objects as a server would list them, and the records of their directories: see `bench.growth.made`.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from bench.growth.made import Life, intents_controller
from bench.ledger import Ledger
from bench.micro import keys, statuses
from bench.micro.house import house
from bench.micro.timing import together
from steady.metrics import Metrics
from steady.metrics.exposition import exposition
from steady.objects.raw import RawObject, decode_object
from steady.tasks import run

_TICK = 0.005  # seconds between two looks at how late the loop is


class Growth(msgspec.Struct, frozen=True):
    """One size. Bytes; seconds, where nothing else is said.

    `kept` is what an object keeps in memory, all in; `decode` and `reconcile` are microseconds of CPU per object.
    `restart` is until every object has been looked at, `stall` the longest that the loop stood still meanwhile,
    `requests` what was asked of the server. `relist` is the moment in which a new list, of the same content, becomes
    the truth: the loop stands still. `collect` is one full collection. `queue` and `submit` are microseconds each.
    """

    objects: int
    kept: float
    resident: float
    decode: float
    relist: float
    restart: float
    reconcile: float
    stall: float
    requests: int
    collect: float
    queue: float
    submit: float
    exposition: float
    series: int


async def measured(path: Path, count: int) -> Growth:
    """What the first `count` objects of the file cost."""
    metrics = Metrics()
    controller, ledger, done = intents_controller(count)
    async with house(controller, ()):
        pass  # what every process has, whatever it holds
    gc.collect()
    before = _resident()
    began = time.process_time()
    objects = list(_decoded(path, count, ledger))
    decode = time.process_time() - began
    async with house(controller, objects, metrics=metrics) as it:
        del objects
        lag = asyncio.create_task(_longest_lag(done))
        await asyncio.sleep(0)
        wall, cpu = time.perf_counter(), time.process_time()
        it.restart()
        await done.wait()
        restart, reconcile = time.perf_counter() - wall, time.process_time() - cpu
        stall, requests = await lag, it.requests
        wall = time.perf_counter()
        gc.collect()
        collect = time.perf_counter() - wall
        resident = _resident()
        again = list(_decoded(path, count, ledger))
        wall = time.perf_counter()
        it.store.replace(again, "2")
        relist = time.perf_counter() - wall
        wall, series = time.perf_counter(), 0
        async for piece in exposition(metrics.registry):
            series += sum(not line.startswith(b"#") for line in piece.splitlines())
        exposed = time.perf_counter() - wall
    (queue,) = await together([keys.queue], [count])
    (submit,) = await together([statuses.submit], [count])
    return Growth(
        objects=count,
        kept=(resident - before) / count,
        resident=resident,
        decode=decode / count * 1e6,
        relist=relist,
        restart=restart,
        reconcile=reconcile / count * 1e6,
        stall=stall,
        requests=requests,
        collect=collect,
        queue=min(queue),
        submit=min(submit),
        exposition=exposed,
        series=series,
    )


def _decoded(path: Path, count: int, ledger: Ledger) -> Iterator[RawObject]:
    """The objects as a list brings them; the records of their directories go into `ledger`."""
    with path.open("rb") as lines:
        for line in islice(lines, count):
            life = msgspec.json.decode(line, type=Life)
            ledger.records[life.namespace, life.name] = life.record
            yield decode_object(life.object)


async def _longest_lag(done: asyncio.Event) -> float:
    """How late the loop was at most until `done`."""
    loop, longest = asyncio.get_running_loop(), 0.0
    while not done.is_set():
        began = loop.time()
        await asyncio.sleep(_TICK)
        longest = max(longest, loop.time() - began - _TICK)
    return longest


def _resident() -> float:
    """Bytes that are resident now."""
    return float(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def _main(path: Path, count: int) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(await measured(path, count)))


if __name__ == "__main__":
    run(_main(Path(sys.argv[1]), int(sys.argv[2])))  # as the operator runs
