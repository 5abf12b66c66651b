"""What one status write says: the complete status or what is shown, and partial updates on top of it.

Invariants
- Composing updates first and applying the result says the same as applying them one after the other.
- A condition never replaces one of its type that observed a later generation; `observedGeneration` never goes down.
- `lastTransitionTime` changes only where `status` differs from what was sent last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from steady.objects.conditions import Condition, stamped
from steady.objects.view import Status

Json = dict[str, Any]


class Update(msgspec.Struct, frozen=True):
    """A partial status: what it does not name stays as it is.

    `fields` are JSON names with new values, None for a field that goes. Conditions of the types in `without` go; then
    `conditions` replace those of their types. `observed_generation` says that the object was looked at as a whole.
    Raises ValueError where `fields` names conditions or the generation.
    """

    fields: Mapping[str, Any] = {}
    conditions: tuple[Condition, ...] = ()
    without: frozenset[str] = frozenset()
    observed_generation: int = 0

    def __post_init__(self) -> None:
        if own := {"conditions", "observedGeneration"} & self.fields.keys():
            raise ValueError(f"fields: {', '.join(sorted(own))} must be given as a parameter of its own")

    @property
    def latest(self) -> int:
        """The latest generation that any part of it observed."""
        return max(self.observed_generation, *(condition.observed_generation for condition in self.conditions), 0)

    def at(self, generation: int) -> Update:
        """This update, its conditions observed at `generation` unless they say so themselves."""
        conditions = tuple(
            msgspec.structs.replace(condition, observed_generation=condition.observed_generation or generation)
            for condition in self.conditions
        )
        return msgspec.structs.replace(self, conditions=conditions)

    def then(self, later: Update) -> Update:
        """Both, `later` winning where both speak."""
        conditions = {c.type: c for c in self.conditions if c.type not in later.without}
        for condition in later.conditions:
            before = conditions.get(condition.type)
            if before is None or before.observed_generation <= condition.observed_generation:
                conditions[condition.type] = condition
        return Update(
            {**self.fields, **later.fields},
            tuple(conditions.values()),
            self.without | later.without,
            max(self.observed_generation, later.observed_generation),
        )

    def onto(self, status: Json, generation: int) -> Json:
        """`status` with this update; `generation` is the object's, beyond which nobody can have observed anything."""
        gone = {name for name, value in self.fields.items() if value is None}
        updated = {name: value for name, value in {**status, **self.fields}.items() if name not in gone}
        conditions = {type_: shown for type_, shown in _conditions(status).items() if type_ not in self.without}
        for condition in self.conditions:
            before = conditions.get(condition.type, {}).get("observedGeneration", 0)
            if not condition.observed_generation < before <= generation:
                conditions[condition.type] = msgspec.to_builtins(condition)
        if conditions or "conditions" in status:
            updated["conditions"] = list(conditions.values())
        if (
            self.observed_generation
            and not self.observed_generation < status.get("observedGeneration", 0) <= generation
        ):
            updated["observedGeneration"] = self.observed_generation
        return updated


class Known(msgspec.Struct, frozen=True, rename="camel"):
    """What the runtime itself reads of a status."""

    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()

    def latest(self, reached: int) -> int:
        """The latest generation that any part of it observed, of those up to `reached`: nobody can observe others."""
        observed = (self.observed_generation, *(condition.observed_generation for condition in self.conditions))
        return max((generation for generation in observed if generation <= reached), default=0)


_known = msgspec.json.Decoder(Known)
_status = msgspec.json.Decoder(Json)
# Sorted as the server writes it, so that most comparisons end at equal bytes.
_encoder = msgspec.json.Encoder(order="sorted")


def known(status: msgspec.Raw) -> Known:
    """What a status says of generations and conditions; nothing where it is not a status."""
    try:
        return _known.decode(status or b"{}")
    except msgspec.DecodeError:
        return Known()


def composed(
    complete: Status | None, update: Update | None, shown: msgspec.Raw, last: Known, generation: int, now: str
) -> msgspec.Raw:
    """The JSON of `complete`, or else of what is `shown`, with `update` on top.

    `last` is the status that was sent last; `generation` is the object's; `now` dates the transitions.
    """
    before = {condition.type: condition for condition in last.conditions}
    if complete is not None:
        conditions = stamped(complete.conditions, before, complete.observed_generation, now)
        shown = _raw(msgspec.structs.replace(complete, conditions=conditions))
    if update is None:
        return shown
    dated = msgspec.structs.replace(update, conditions=tuple(_dated(update.conditions, before, now)))
    return _raw(dated.onto(_object(shown), generation))


def _dated(conditions: Iterable[Condition], before: Mapping[str, Condition], now: str) -> Iterable[Condition]:
    for condition in conditions:
        yield from stamped((condition,), before, condition.observed_generation, now)


def _conditions(status: Json) -> dict[str, Json]:
    return {shown["type"]: shown for shown in status.get("conditions") or () if "type" in shown}


def _object(status: msgspec.Raw) -> Json:
    try:
        return _status.decode(status or b"{}")
    except msgspec.DecodeError:
        return {}


def _raw(status: Status | Json) -> msgspec.Raw:
    return msgspec.Raw(_encoder.encode(status))
