"""What was worked out lately and may be asked for again: bounded, the longest unused is forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import _lru_cache_wrapper, lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

T = TypeVar("T")


class Use(NamedTuple):
    """How often a memory was asked and knew (`hits`) or did not (`misses`), and how many values it holds."""

    hits: int
    misses: int
    entries: int


class Memory(Generic[K, V]):
    """At most `most` values by key, for what cannot be a cached function. `hits` and `misses` count what was asked."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.hits = 0
        self.misses = 0
        self._values: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    @property
    def use(self) -> Use:
        """How much it is used."""
        return Use(self.hits, self.misses, len(self))

    def recall(self, key: K) -> V | None:
        """The value of `key`, if it is remembered."""
        value = self._values.get(key)
        if value is None:
            self.misses += 1
            return None
        self.hits += 1
        self._values.move_to_end(key)
        return value

    def keep(self, key: K, value: V) -> None:
        """Remember `value`."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self.most:
            self._values.popitem(last=False)


_functions: dict[str, _lru_cache_wrapper[Any]] = {}


def remembered(name: str, most: int) -> Callable[[Callable[..., T]], _lru_cache_wrapper[T]]:
    """Remembers the latest `most` results of a pure function, as `functools.lru_cache` does, and is known by `name`."""

    def decorate(function: Callable[..., T]) -> _lru_cache_wrapper[T]:
        _functions[name] = cached = lru_cache(maxsize=most)(function)
        return cached

    return decorate


def uses() -> dict[str, Use]:
    """How much each memory of a pure function is used in this process, by name."""
    infos = {name: function.cache_info() for name, function in _functions.items()}
    return {name: Use(info.hits, info.misses, info.currsize) for name, info in infos.items()}
