"""What the server says of itself: discovery and OpenAPI documents by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from steady.apiserver import discovery, openapi
from steady.apiserver.exchange import Json
from steady.apiserver.kinds import Registry

_V3 = "/openapi/v3"
_FIXED: Mapping[str, Callable[[Registry], Json]] = {
    "/api": lambda _: discovery.core_versions(),
    "/apis": discovery.groups,
    "/version": lambda _: discovery.version(),
    "/openapi/v2": lambda _: openapi.v2(),
    "/openapi/v3": openapi.index,
}


def found(registry: Registry, path: str) -> Json | None:
    """The document at `path`, None where there is none."""
    if made := _FIXED.get(path):
        return made(registry)
    describe = discovery.resources
    if path.startswith(_V3):
        path, describe = path.removeprefix(_V3), openapi.document
    match path.split("/")[1:]:
        case ["api", version]:
            return describe(registry, "", version)
        case ["apis", group, version]:
            return describe(registry, group, version)
        case ["apis", group]:
            return discovery.one_group(registry, group)
    return None
