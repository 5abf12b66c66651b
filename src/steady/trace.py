"""One reconcile, as everything that it causes knows it: log lines, requests, events, commits."""

from __future__ import annotations

import itertools
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_numbers: Final = itertools.count(1)
_process: Final = secrets.token_hex(4)


class Trace:
    """Names one reconcile of `key` by `controller`; `id` differs in every process. Counts its requests by reason."""

    __slots__ = ("controller", "id", "key", "spent")

    def __init__(self, controller: str, key: str) -> None:
        self.controller = controller
        self.key = key
        self.id = f"{_process}-{next(_numbers)}"
        self.spent: Counter[str] = Counter()

    @contextmanager
    def active(self) -> Iterator[None]:
        """What happens within is caused by this reconcile."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def request(self, reason: str) -> str:
        """Count a request; returns a name for it, fit for the header `Audit-ID` (64 characters at most)."""
        self.spent[reason] += 1
        return f"{self.id}.{self.spent.total()}"


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current() -> Trace | None:
    """The reconcile that is at work here, if there is one."""
    return _current.get()
