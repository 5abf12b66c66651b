"""One reconcile, as everything that it causes knows it: log lines, requests, events, commits."""

from __future__ import annotations

import itertools
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

_numbers: Final = itertools.count(1)
_process: Final = secrets.token_hex(4)


class Trace:
    """Names one reconcile of `key` by `controller`; `id` differs in every process.

    Its requests are counted by reason in `spent`, which the reconciles of one object share. `span` is the context of
    its span, where there is a tracer.
    """

    __slots__ = ("_requests", "controller", "id", "key", "span", "spent")

    def __init__(self, controller: str, key: str, spent: Counter[str] | None = None) -> None:
        self.controller = controller
        self.key = key
        self.id = f"{_process}-{next(_numbers)}"
        self.spent = Counter() if spent is None else spent
        self.span: Any = None
        self._requests = 0

    def request(self, reason: str) -> str:
        """Count a request; returns a name for it, fit for the header `Audit-ID` (64 characters at most)."""
        self.spent[reason] += 1
        self._requests += 1
        return f"{self.id}.{self._requests}"


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


@contextmanager
def caused_by(trace: Trace | None) -> Iterator[None]:
    """What happens within is caused by this reconcile, or by none."""
    token = _current.set(trace)
    try:
        yield
    finally:
        _current.reset(token)


def work_for(trace: Trace | None) -> None:
    """What this task does from here on is caused by this reconcile, or by none."""
    _current.set(trace)


def current() -> Trace | None:
    """The reconcile that is at work here, if there is one."""
    return _current.get()
