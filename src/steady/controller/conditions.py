"""The conditions that every object has, by the rules of kstatus.

Ready is always there; Reconciling is True while work goes on, Stalled when only a change from outside can help; never
both, and neither is kept once it is over. What a reconciler says itself wins. Suspended is True while somebody wants
nothing to be done: neither good news nor bad, so it may stand beside Ready. All else then stays as it was last seen,
Stalled too, but for Reconciling, as nobody works; `observedGeneration` too, so that an object that was edited meanwhile
is not taken for a ready one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from steady import errors
from steady.objects.conditions import Condition, false, find, message_limit, true, unknown
from steady.objects.view import Status
from steady.status import Update

READY, RECONCILING, STALLED, SUSPENDED = "Ready", "Reconciling", "Stalled", "Suspended"
_RESERVED = {READY, RECONCILING, STALLED}

S = TypeVar("S", bound=Status)


def redacted(text: str) -> str:
    """`text` without credentials of URLs and headers, short enough for a condition."""
    return errors.redacted(text)[:message_limit]


def finished(status: S, generation: int) -> S:
    """`status` of an object that is as it should be."""
    ready = find(status.conditions, READY) or true(READY, "Reconciled")
    return _with(status, generation, (ready,))


def progressing(status: S, generation: int) -> S:
    """`status` of an object that is being worked on."""
    ready = find(status.conditions, READY) or false(READY, "Progressing")
    busy = find(status.conditions, RECONCILING) or true(RECONCILING, "Progressing")
    return _with(status, generation, (ready, busy))


def failing(status: S, generation: int, error: BaseException, *, stalled: bool) -> S:
    """`status` of an object that could not be brought to its goal; `stalled` when trying again is of no use."""
    reason, message = reason_of(error), redacted(str(error) or type(error).__name__)
    ready = find(status.conditions, READY)
    if ready is None or ready.status != "False":  # the schema's default says Unknown: that time is over
        ready = false(READY, reason, message)
    trouble = true(STALLED, reason, message) if stalled else true(RECONCILING, "Retrying", message)
    return _with(status, generation, (ready, trouble))


def unjudged(status: S) -> S:
    """`status` without what an earlier look came to, which says nothing of this one."""
    kept = tuple(condition for condition in status.conditions if condition.type not in _RESERVED)
    return msgspec.structs.replace(status, conditions=kept)


def suspended(shown: Sequence[Condition], annotation: str) -> Update | None:
    """What tells of an object with the conditions `shown` that nothing is done for it; None where they tell it."""
    known = find(shown, SUSPENDED)
    if known and known.status == "True":
        return None
    why = true(SUSPENDED, "SuspendedByAnnotation", f"nothing is done until the annotation {annotation} is removed")
    unseen = () if find(shown, READY) else (unknown(READY, SUSPENDED),)
    return Update(conditions=(why, *unseen), without=frozenset({RECONCILING}))


def reason_of(error: BaseException) -> str:
    """A CamelCase word for `error`: its `reason` if it has one, else its type."""
    reason = getattr(error, "reason", "")
    word = reason if isinstance(reason, str) and reason else type(error).__name__
    return re.sub(r"[^A-Za-z0-9_]", "", word) or "Error"


def _with(status: S, generation: int, own: tuple[Condition, ...]) -> S:
    said = {condition.type for condition in own}
    extra = tuple(
        condition
        for condition in status.conditions
        if condition.type != SUSPENDED
        and (condition.type not in _RESERVED or (condition.type not in said and condition.status == "True"))
    )
    stalled = any(condition.type == STALLED and condition.status == "True" for condition in (*own, *extra))
    kept = tuple(c for c in (*own, *extra) if not (stalled and c.type == RECONCILING))
    return msgspec.structs.replace(status, observed_generation=generation, conditions=kept)
