"""What people ask of a controller by annotation, whatever its kind.

`<domain>/suspend: "true"`: nothing is done for the object until it is taken back; deleting it still cleans up.
`<domain>/reconcile: VALUE`: the whole work once more for each new value, although nothing differs.
`<domain>/interval: "30s"`: about that often it is looked at again, from 1 s to 24 h, although nothing has changed.

A value counts as handled once a reconcile has come to an end that is not tried again. That is remembered here at once,
and in the status (`lastHandledReconcile`) with the next write that tells a status anyway: so it costs no request of its
own, and a restart does not repeat it.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from steady.clock import seconds
from steady.intervals import LONGEST, Interval, every
from steady.objects.keys import Key
from steady.objects.raw import RawObject
from steady.objects.view import Status, longest_reconcile

S = TypeVar("S", bound=Status)

_SHORTEST = 1.0  # seconds; more often would be a hot loop by order
_FIELD = b'"lastHandledReconcile"'


class _Noted(msgspec.Struct, frozen=True, rename="camel"):
    last_handled_reconcile: str = ""


_noted = msgspec.json.Decoder(_Noted)


class Wishes:
    """The annotations of one controller, under `domain`, and which of their values are handled."""

    def __init__(self, domain: str) -> None:
        self.suspend = f"{domain}/suspend"
        self._reconcile = f"{domain}/reconcile"
        self._interval = f"{domain}/interval"
        self._handled: dict[Key, str] = {}
        self._refused: dict[Key, str] = {}

    def suspended(self, obj: RawObject) -> bool:
        """Whether nothing is to be done for `obj`."""
        return (obj.metadata.annotations or {}).get(self.suspend) == "true"

    def asked(self, obj: RawObject) -> str:
        """The value for which the whole work is wanted, or nothing."""
        return (obj.metadata.annotations or {}).get(self._reconcile, "")[:longest_reconcile]

    def renewed(self, old: RawObject | None, new: RawObject | None) -> bool:
        """Whether the change from `old` to `new` asks for something else."""
        return old is not None and new is not None and self.asked(old) != self.asked(new)

    def forced(self, obj: RawObject) -> bool:
        """Whether the whole work is wanted for a value that is not handled."""
        return bool(asked := self.asked(obj)) and asked != self._last(obj)

    def handled(self, obj: RawObject) -> None:
        """The work that `obj` asks for is done."""
        if asked := self.asked(obj):
            self._handled[obj.key] = asked

    def noted(self, obj: RawObject, status: S) -> S:
        """`status` with what is handled of `obj`."""
        last = self._last(obj)
        return msgspec.structs.replace(status, last_handled_reconcile=last) if last else status

    def unnoted(self, obj: RawObject) -> dict[str, str]:
        """What the status of `obj` lacks of it, as fields."""
        known = self._handled.get(obj.key)
        return {"lastHandledReconcile": known} if known and known != _shown(obj) else {}

    def interval(self, obj: RawObject) -> Interval | None:
        """How often to look at `obj` again, where that is wished. Raises ValueError, once, for what cannot be."""
        asked = (obj.metadata.annotations or {}).get(self._interval)
        if asked is None or self._refused.get(obj.key) == asked:
            return None
        try:
            wanted = seconds(asked)
            if not _SHORTEST <= wanted <= LONGEST:
                raise ValueError(f"{asked!r} is out of bounds: write a duration from 1s to 24h")
        except ValueError as error:
            self._refused[obj.key] = asked
            raise ValueError(f"the annotation {self._interval} is ignored: {error}") from error
        self._refused.pop(obj.key, None)
        return every(wanted)

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._handled.pop(key, None)
        self._refused.pop(key, None)

    def _last(self, obj: RawObject) -> str:
        return self._handled.get(obj.key) or _shown(obj)


def _shown(obj: RawObject) -> str:
    if _FIELD not in bytes(obj.status):
        return ""
    try:
        return _noted.decode(obj.status).last_handled_reconcile
    except msgspec.DecodeError:
        return ""
