"""OpenAPI documents: enough for kubectl to see that the server validates fields itself, and to explain custom kinds."""

from __future__ import annotations

import hashlib

from steady.apiserver.exchange import Json
from steady.apiserver.kinds import Kind, Registry

_INFO = {"title": "Kubernetes", "version": "v1.36.3"}
_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation")
]

V2_PROTOBUF = b"\x0a\x032.0"
"""An empty `openapi.v2.Document` in protobuf: its first field, the version."""


def index(registry: Registry) -> Json:
    """`/openapi/v3`: where the document of each group and version is."""
    paths = {}
    for group, versions in registry.versions().items():
        for version in versions:
            at = f"apis/{group}/{version}" if group else f"api/{version}"
            names = sorted(kind.resource.plural for kind in registry.within(group, version))
            digest = hashlib.sha256(repr(names).encode()).hexdigest()[:16]
            paths[at] = {"serverRelativeURL": f"/openapi/v3/{at}?hash={digest}"}
    return {"paths": paths}


def document(registry: Registry, group: str, version: str) -> Json | None:
    """The document of one group and version, None where it is not served."""
    kinds = registry.within(group, version)
    if not kinds:
        return None
    paths = {_object_path(kind): {"patch": _patch(kind)} for kind in kinds}
    schemas = {_name(kind): _schema(kind) for kind in kinds}
    return {"openapi": "3.0.0", "info": _INFO, "paths": paths, "components": {"schemas": schemas}}


def v2() -> Json:
    """`/openapi/v2`, without definitions: clients of today read version 3."""
    return {"swagger": "2.0", "info": _INFO, "paths": {}, "definitions": {}}


def _object_path(kind: Kind) -> str:
    resource = kind.resource
    namespace = "{namespace}" if resource.namespaced else ""
    return resource.path(namespace, "{name}")


def _patch(kind: Kind) -> Json:
    return {
        "operationId": f"patch{kind.resource.kind}",
        "parameters": _PARAMETERS,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": _identity(kind),
    }


def _schema(kind: Kind) -> Json:
    schema: Json = kind.structural.schema if kind.structural is not None else {"type": "object"}
    return {**schema, "x-kubernetes-group-version-kind": [_identity(kind)]}


def _identity(kind: Kind) -> Json:
    return {"group": kind.resource.group, "version": kind.resource.version, "kind": kind.resource.kind}


def _name(kind: Kind) -> str:
    reverse = ".".join(reversed((kind.resource.group or "core.api.k8s.io").split(".")))
    return f"{reverse}.{kind.resource.version}.{kind.resource.kind}"
