"""A declared kind as the CustomResourceDefinition that the API server installs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from steady.objects.conditions import unknown
from steady.objects.keys import CRDS
from steady.objects.view import Column, Declaration, Object
from steady.schema.openapi import Schema, SchemaError, plain, schema
from steady.schema.structural import problems

FIRST = msgspec.structs.replace(
    unknown("Ready", "Pending", "Waiting for the controller."), last_transition_time="1970-01-01T00:00:00Z"
)
"""What every new object says of itself before a controller has seen it. The schema's default cannot know the date."""

_AGE = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


def crd(kind: type[Object[Any, Any]]) -> dict[str, Any]:
    """The CRD of `kind`, ready for YAML: status and scale subresources, printer columns, atomic status with a default.

    Raises SchemaError naming the field, column or path that the API server would refuse.
    """
    declared, root = kind.declaration, _root(kind)
    if found := problems(root, kind.__name__):
        raise SchemaError("; ".join(found))
    resource = declared.resource
    return {
        "apiVersion": CRDS.api_version,
        "kind": CRDS.kind,
        "metadata": {"name": resource.qualified},
        "spec": {
            "group": resource.group,
            "names": _names(declared),
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "versions": [_version(declared, root)],
        },
    }


def _names(declared: Declaration) -> dict[str, Any]:
    resource = declared.resource
    names: dict[str, Any] = {
        "kind": resource.kind,
        "listKind": f"{resource.kind}List",
        "plural": resource.plural,
        "singular": resource.kind.lower(),
    }
    if declared.short_names:
        names["shortNames"] = list(declared.short_names)
    if declared.categories:
        names["categories"] = list(declared.categories)
    return names


def _version(declared: Declaration, root: Schema) -> dict[str, Any]:
    columns = [_column(title, wanted, root) for title, wanted in declared.columns.items()]
    return {
        "name": declared.resource.version,
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [*columns, _AGE],
        "schema": {"openAPIV3Schema": root},
        "subresources": _subresources(declared, root),
    }


def _root(kind: type[Object[Any, Any]]) -> Schema:
    spec = _spec(kind)
    root: Schema = {
        "type": "object",
        "description": inspect.cleandoc(kind.__doc__ or kind.__name__),
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": _status(kind),
        },
    }
    return root | ({"required": ["spec"]} if "required" in spec else {})


def _spec(kind: type[Object[Any, Any]]) -> Schema:
    spec = schema(kind.spec_type, path=f"{kind.__name__}.spec")
    if rules := kind.declaration.rules:
        spec["x-kubernetes-validations"] = [{"rule": rule, "message": message} for rule, message in rules.items()]
    if "required" not in spec:
        spec["default"] = {}  # the defaults inside of it then reach objects without any spec
    return spec


def _status(kind: type[Object[Any, Any]]) -> Schema:
    """No defaults inside: what the controller leaves out of a status must stay out, or its echo would differ."""
    status = schema(kind.status_type, path=f"{kind.__name__}.status", defaults=False)
    first = plain({"conditions": [FIRST], **kind.declaration.initial})
    return status | {"x-kubernetes-map-type": "atomic", "default": first}


def _subresources(declared: Declaration, root: Schema) -> dict[str, Any]:
    if declared.scale is None:
        return {"status": {}}
    scale = {
        "specReplicasPath": declared.scale.spec_replicas,
        "statusReplicasPath": declared.scale.status_replicas,
        "labelSelectorPath": declared.scale.selector,
    }
    for name, path in scale.items():
        _resolve(path, root, f"{declared.resource.kind}: {name}")
    return {"status": {}, "scale": scale}


def _column(title: str, wanted: str | Column, root: Schema) -> dict[str, Any]:
    column = wanted if isinstance(wanted, Column) else Column(wanted)
    found = _resolve(column.path, root, f"column {title!r}")
    written: dict[str, Any] = {
        "name": title,
        "type": column.type or _column_type(found),
        "jsonPath": column.path,
    }
    if description := column.description or found.get("description", ""):
        written["description"] = description
    if column.priority:
        written["priority"] = column.priority
    return written


def _column_type(found: Mapping[str, Any]) -> str:
    if found.get("format") == "date-time":
        return "date"
    type_ = found.get("type", "string")
    return type_ if type_ in ("integer", "number", "boolean") else "string"


def _resolve(path: str, root: Schema, what: str) -> Mapping[str, Any]:
    """The schema at a JSON path: behind a filter (`[?(…)]`) that of the items, within metadata a string's."""
    if not path.startswith("."):
        raise SchemaError(f"{what}: the path {path!r} does not start with a dot")
    if path.startswith(".metadata."):
        return {"type": "string"}
    found: Mapping[str, Any] = root
    for step in _steps(path):
        inner = found.get("items", {}) if step == "[]" else found.get("properties", {}).get(step)
        if inner is None:
            raise SchemaError(f"{what}: {path} is not in the schema, which has no {step!r} there")
        found = inner
    return found


def _steps(path: str) -> list[str]:
    """The property names of a JSON path, with `[]` for each filter or index."""
    steps: list[str] = []
    rest = path
    while rest:
        if rest.startswith("["):
            closing = rest.index(")]") + 2 if rest.startswith("[?(") else rest.index("]") + 1
            steps, rest = [*steps, "[]"], rest[closing:]
        else:
            name = rest[1:].split(".", 1)[0].split("[", 1)[0]
            steps, rest = [*steps, name], rest[1 + len(name) :]
    return steps
