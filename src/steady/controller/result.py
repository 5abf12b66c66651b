"""What a reconcile comes to."""

from __future__ import annotations

from typing import Generic, TypeAlias, TypeVar

import msgspec

from steady.intervals import Interval
from steady.objects.view import Status

S = TypeVar("S", bound=Status)


class Done(msgspec.Struct, Generic[S], frozen=True):
    """All is as it should be: `status` is the whole desired status; nothing happens until something changes, or until
    the controller's `interval` has passed, where it has one.

    None lets the status stand as it is, whoever wrote it.
    """

    status: S | None


class Again(msgspec.Struct, Generic[S], frozen=True):
    """As `Done`, but look again `after` seconds, even if nothing changes.

    With an `Interval` that is soon where the object, its status or its children have changed since the last look, and
    ever later where they have not. It is for what no watch can tell.
    """

    status: S
    after: float | Interval


class Waiting(msgspec.Struct, Generic[S], frozen=True):
    """Not there yet, and what is missing will come as a change or a wake-up: `status` is shown as progress.

    With `after` it is also looked at again after that many seconds.
    """

    status: S
    after: float | None = None


class Failed(msgspec.Struct, Generic[S], frozen=True):
    """It did not work: `status` is written, and backoff decides by `error` when it is tried again.

    With `terminal` it is not tried again until the object, the configuration or the interpreter changes.
    """

    status: S
    error: Exception
    terminal: bool = False


Result: TypeAlias = Done[S] | Again[S] | Waiting[S] | Failed[S]
