"""What the server says of itself: discovery and OpenAPI documents by path."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from steady.apiserver import discovery, openapi
from steady.apiserver.exchange import Json
from steady.apiserver.kinds import Registry

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
    match path.split("/")[1:]:
        case ["api", version]:
            return discovery.resources(registry, "", version)
        case ["apis", group]:
            return discovery.group(registry, group)
        case ["apis", group, version]:
            return discovery.resources(registry, group, version)
        case ["openapi", "v3", "api", version]:
            return openapi.document(registry, "", version)
        case ["openapi", "v3", "apis", group, version]:
            return openapi.document(registry, group, version)
        case _:
            return None
