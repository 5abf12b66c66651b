"""Conditions (`metav1.Condition`): what is true of an object, since when and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

message_limit = 32768  # characters; the limit that apimachinery validates conditions against

Truth = Literal["True", "False", "Unknown"]


class Condition(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """One observation. `type` and `reason` are CamelCase words, `message` is for people.

    `last_transition_time` and `observed_generation` are filled in by the runtime.
    """

    type: str
    status: Truth
    reason: str
    message: str = ""
    last_transition_time: str = ""
    observed_generation: int = 0


def true(type_: str, reason: str, message: str = "") -> Condition:
    """The condition holds."""
    return Condition(type_, "True", reason, message[:message_limit])


def false(type_: str, reason: str, message: str = "") -> Condition:
    """The condition does not hold."""
    return Condition(type_, "False", reason, message[:message_limit])


def unknown(type_: str, reason: str, message: str = "") -> Condition:
    """It is not known whether the condition holds."""
    return Condition(type_, "Unknown", reason, message[:message_limit])


def find(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """The condition of that type, if there is one."""
    return next((condition for condition in conditions if condition.type == type_), None)


def stamped(
    desired: Iterable[Condition], previous: Mapping[str, Condition], generation: int, now: str
) -> tuple[Condition, ...]:
    """`desired` with times and generations.

    Invariant: `last_transition_time` changes only when `status` changes; all else keeps the time of `previous`.
    """
    return tuple(
        msgspec.structs.replace(
            condition,
            observed_generation=generation,
            last_transition_time=_since(condition, previous.get(condition.type), now),
        )
        for condition in desired
    )


def _since(condition: Condition, before: Condition | None, now: str) -> str:
    if before is None or before.status != condition.status or not before.last_transition_time:
        return now
    return before.last_transition_time
