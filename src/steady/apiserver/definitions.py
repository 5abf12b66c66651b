"""CustomResourceDefinitions: from the object to kinds that are served."""

from __future__ import annotations

from collections.abc import Iterator

from steady.apiserver import cel
from steady.apiserver.custom import Structural
from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause
from steady.apiserver.kinds import Column, Kind, ScalePaths
from steady.apiserver.validation import shown
from steady.clock import Clock, timestamp
from steady.objects import Resource

_AGE = Column("Age", "date", ".metadata.creationTimestamp")


def named(data: Json) -> Json:
    """The definition with the names and the conversion that its author left to the server."""
    spec = data.get("spec") or {}
    names = spec.get("names") or {}
    kind = names.get("kind", "")
    filled = {"singular": kind.lower(), "listKind": f"{kind}List", **names}
    return {**data, "spec": {"conversion": {"strategy": "None"}, **spec, "names": filled}}


def established(data: Json, clock: Clock) -> Json:
    """The definition with the status of one that is served."""
    spec, now = data["spec"], timestamp(clock.now())
    stored = [version["name"] for version in spec["versions"] if version.get("storage")]
    known = (data.get("status") or {}).get("storedVersions") or []
    conditions = [
        _condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
        _condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now),
    ]
    status = {
        "conditions": (data.get("status") or {}).get("conditions") or conditions,
        "acceptedNames": spec["names"],
        "storedVersions": [*known, *(name for name in stored if name not in known)],
    }
    return {**data, "status": status}


def kinds(data: Json) -> list[Kind]:
    """One kind for each version that the definition serves."""
    return [_kind(data["spec"], version) for version in data["spec"]["versions"] if version.get("served")]


def faults(data: Json) -> list[Cause]:
    """What keeps the definition from being served."""
    spec = data.get("spec") or {}
    names = spec.get("names") or {}
    found = [
        Cause("FieldValueRequired", "Required value", f"spec.{field}")
        for field in ("group", "scope", "versions")
        if not spec.get(field)
    ]
    found += [
        Cause("FieldValueRequired", "Required value", f"spec.names.{field}")
        for field in ("plural", "kind")
        if not names.get(field)
    ]
    if found:
        return found
    expected = f"{names['plural']}.{spec['group']}"
    name = data["metadata"]["name"]
    if name != expected:
        message = f'Invalid value: "{name}": must be spec.names.plural+"."+spec.group'
        found.append(Cause("FieldValueInvalid", message, "metadata.name"))
    if sum(bool(version.get("storage")) for version in spec["versions"]) != 1:
        message = "Invalid value: must have exactly one version marked as storage version"
        found.append(Cause("FieldValueInvalid", message, "spec.versions"))
    for index, version in enumerate(spec["versions"]):
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            message = "Required value: schemas are required"
            found.append(Cause("FieldValueRequired", message, f"spec.versions[{index}].schema.openAPIV3Schema"))
    return found or [
        cause for index, version in enumerate(spec["versions"]) for cause in _schema_faults(index, version)
    ]


def _schema_faults(index: int, version: Json) -> list[Cause]:
    path = f"spec.versions[{index}].schema.openAPIV3Schema"
    schema = version["schema"]["openAPIV3Schema"]
    if found := list(_rule_faults(schema, path)):
        return found
    try:
        Structural(schema)
    except ValueError as error:
        return [Cause("FieldValueInvalid", f"Invalid value: {shown(schema)}: {error}", path)]
    return []


def _rule_faults(schema: Json, path: str) -> Iterator[Cause]:
    """Rules that cannot be compiled, at any depth."""
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        try:
            cel.compiled(rule)
        except cel.BadRule as error:
            message = f"Invalid value: {shown(rule)}: compilation failed: {error}"
            yield Cause("FieldValueInvalid", message, f"{path}.x-kubernetes-validations[{index}].rule")
    for name, inner in (schema.get("properties") or {}).items():
        yield from _rule_faults(inner, f"{path}.properties[{name}]")
    for name in ("items", "additionalProperties"):
        if isinstance(inner := schema.get(name), dict):
            yield from _rule_faults(inner, f"{path}.{name}")


def _condition(type_: str, reason: str, message: str, now: str) -> Json:
    return {"type": type_, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message}


def _kind(spec: Json, version: Json) -> Kind:
    names = spec["names"]
    resource = Resource(spec["group"], version["name"], names["kind"], names["plural"], spec["scope"] == "Namespaced")
    subresources = version.get("subresources") or {}
    return Kind(
        resource,
        resource.qualified,
        names.get("singular") or names["kind"].lower(),
        tuple(names.get("shortNames") or ()),
        tuple(names.get("categories") or ()),
        "status" in subresources,
        _scale(subresources.get("scale")),
        generation=True,
        columns=_columns(version.get("additionalPrinterColumns")),
        custom=True,
        structural=Structural(version["schema"]["openAPIV3Schema"]),
        list_kind=names.get("listKind") or f"{names['kind']}List",
    )


def _scale(scale: Json | None) -> ScalePaths | None:
    if scale is None:
        return None
    return ScalePaths(scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath", ""))


def _columns(declared: list[Json] | None) -> tuple[Column, ...]:
    if not declared:
        return (_AGE,)
    return tuple(
        Column(
            column["name"],
            column["type"],
            column["jsonPath"],
            column.get("priority", 0),
            column.get("description", ""),
            column.get("format", ""),
        )
        for column in declared
    )
