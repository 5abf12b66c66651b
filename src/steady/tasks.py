"""Supervised scopes: no task exists outside one, and none ends unseen."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

_log = logging.getLogger("steady.tasks")

_YOUNG_OBJECTS = 10_000


class Scope:
    """Owns tasks. On leaving it, all of them are cancelled and awaited.

    Invariant: the scope holds a strong reference to every live task (the event loop holds only weak ones). A task that
    fails is logged by name; the first failure is kept and is raised by `failed()` and on leaving the scope.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failure: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        self._failure = asyncio.get_running_loop().create_future()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.cancel()
        failure = self._failure
        self._failure = None
        if failure is None or not failure.done():
            return
        if (cause := failure.exception()) and error is None:
            raise cause

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run `work` as a task called `name` until it ends or the scope is left."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self.name}/{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def __len__(self) -> int:
        return len(self._tasks)

    async def failed(self) -> None:
        """Wait until a task of the scope fails, then raise its error."""
        if self._failure is None:
            raise RuntimeError(f"scope {self.name} is not entered")
        await asyncio.shield(self._failure)

    async def cancel(self) -> None:
        """Cancel all tasks and wait until every one has ended."""
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._tasks.difference_update(tasks)

    async def drained(self) -> None:
        """Wait until no task is left, without cancelling any."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        _log.error("task %s failed: %s: %s", task.get_name(), type(error).__name__, error)
        if self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)
            self._failure.exception()


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run `work`, for which the process is there, on an event loop of its own: uvloop's where that is installed."""
    # What a reconcile makes dies by reference count: the collector's looks, every 700 objects, were 2 % of a burst's
    # CPU and found nothing. What has been imported stays.
    gc.set_threshold(_YOUNG_OBJECTS)
    gc.freeze()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(work)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    return uvloop.new_event_loop
