"""Intents that act on what other intents of the same namespace deployed: who is whose.

Derived from the statuses in the cache, so that it is the same after a restart; a modifying intent that has no status
yet announces itself. The newest provider of a component is the one that is acted upon.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Hashable, Iterable
from typing import Final

import msgspec

from nephoran.api.networkintent import Interpretation
from nephoran.intent.meaning import Meaning
from nephoran.intent.plan import provides, targets
from steady.cache import Store
from steady.objects import Key, RawObject
from steady.wakes import Wakes

PROVIDERS: Final = "providers"
MODIFIERS: Final = "modifiers"

_DEPLOYING = frozenset({"deploy", "slice"})
_ANY = "*"


class _Known(msgspec.Struct, frozen=True, rename="camel"):
    interpretation: Interpretation | None = None
    git_commit_hash: str = ""


_known = msgspec.json.Decoder(_Known)
_nothing = _Known()


def known(raw: RawObject) -> _Known:
    """What the status says of the intent's meaning and commit; nothing where it cannot be read."""
    try:
        return _known.decode(bytes(raw.status) or b"{}")
    except msgspec.DecodeError:
        return _nothing


def providing(raw: RawObject) -> Iterable[Hashable]:
    """Index: (namespace, component) that a living intent has committed manifests for."""
    status = known(raw)
    if raw.metadata.deleting or not status.git_commit_hash or status.interpretation is None:
        return ()
    if status.interpretation.action not in _DEPLOYING:
        return ()
    return [(raw.metadata.namespace, component) for component in (*status.interpretation.components, _ANY)]


def modifying(raw: RawObject) -> Iterable[Hashable]:
    """Index: the namespace of a living intent that changes what others deploy."""
    interpretation = known(raw).interpretation
    if raw.metadata.deleting or interpretation is None or interpretation.action in _DEPLOYING:
        return ()
    return [raw.metadata.namespace]


class Neighbours:
    """The relation, and the wake-ups that follow from it."""

    def __init__(self) -> None:
        self._announced: dict[str, dict[Key, str]] = defaultdict(dict)
        self._wakes = Wakes[Key]()

    def announce(self, raw: RawObject) -> None:
        """`raw` changes what others deploy, whatever its status says so far."""
        self._announced[raw.metadata.namespace][raw.key] = raw.metadata.uid

    def withdraw(self, raw: RawObject) -> None:
        """`raw` no longer does."""
        self._announced[raw.metadata.namespace].pop(raw.key, None)

    def modifiers(self, store: Store, namespace: str, recorded: Iterable[Key] = ()) -> list[RawObject]:
        """Living intents of `namespace` that change what others deploy, and those `recorded` as such, oldest first."""
        keys = {*store.index(MODIFIERS, modifying)[namespace], *self._announced[namespace], *recorded}
        found = [raw for key in keys if (raw := store.get(key)) and not raw.metadata.deleting]
        return sorted(found, key=_age)

    def providers(self, store: Store, namespace: str, meaning: Meaning) -> list[RawObject]:
        """The intents that `meaning` acts on: for each of its components the newest one that provides it."""
        index = store.index(PROVIDERS, providing)
        chosen: dict[Key, RawObject] = {}
        for component in sorted(targets(meaning)):
            candidates = [raw for key in index[namespace, component] if (raw := store.get(key))]
            if candidates:
                newest = max(candidates, key=_age)
                chosen[newest.key] = newest
        return sorted(chosen.values(), key=_age)

    def related(self, raw: RawObject, store: Store) -> Iterable[Key]:
        """The keys to look at when `raw` has changed: those that act on it, or those that it acts on."""
        status = known(raw)
        if status.interpretation is None:
            return ()
        namespace = raw.metadata.namespace
        if status.interpretation.action in _DEPLOYING:
            return [other.key for other in self.modifiers(store, namespace) if other.key != raw.key]
        index = store.index(PROVIDERS, providing)
        components = status.interpretation.components or (_ANY,)
        return [key for component in components for key in index[namespace, component] if key != raw.key]

    def wake(self, keys: Iterable[Key]) -> None:
        """Look at `keys` soon."""
        self._wakes.add(keys)

    def wakes(self) -> AsyncIterator[Key]:
        """Keys as they are woken, each once however often it was."""
        return self._wakes.keys()


def concerns(meaning: Meaning, provider: Meaning) -> frozenset[str]:
    """The components of `provider` that `meaning` acts on."""
    return targets(meaning) & provides(provider)


def _age(raw: RawObject) -> tuple[str, str]:
    return raw.metadata.creation_timestamp or "", raw.metadata.name
