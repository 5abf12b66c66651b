"""Objects that a controller makes for another: what they should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import msgspec

from steady.objects.keys import CONFIG_MAPS, Resource


class Child(Protocol):
    """A desired object. `content` maps each part besides the metadata (`data`, `spec`) to what it should be."""

    resource: ClassVar[Resource]

    @property
    def name(self) -> str:
        """Unique within the namespace."""
        ...

    @property
    def namespace(self) -> str:
        """Empty means the owner's own."""
        ...

    @property
    def labels(self) -> Mapping[str, str]:
        """Added to those that the object has."""
        ...

    @property
    def annotations(self) -> Mapping[str, str]:
        """Added to those that the object has."""
        ...

    @property
    def marked(self) -> bool:
        """Whether its own annotations tell one desired content from another; else the runtime adds one that does."""
        ...

    def content(self) -> Mapping[str, Any]:
        """The parts."""
        ...


class ConfigMap(msgspec.Struct, frozen=True):
    """A desired ConfigMap. Annotations of one's own that mark the content may leave times out of the comparison."""

    resource: ClassVar[Resource] = CONFIG_MAPS

    name: str
    data: Mapping[str, str]
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    namespace: str = ""
    marked: bool = False

    def content(self) -> Mapping[str, Any]:
        """Its data."""
        return {"data": dict(self.data)}
