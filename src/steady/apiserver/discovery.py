"""Discovery: what the server serves, as clients ask for it."""

from __future__ import annotations

from steady.apiserver.exchange import Json
from steady.apiserver.kinds import VERBS, Kind, Registry

_SUBRESOURCE_VERBS = ["get", "patch", "update"]


def core_versions() -> Json:
    """`/api`."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def groups(registry: Registry) -> Json:
    """`/apis`."""
    found = [_group(group, versions) for group, versions in registry.versions().items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def one_group(registry: Registry, name: str) -> Json | None:
    """`/apis/GROUP`, None where it is not served."""
    versions = registry.versions().get(name)
    return None if not name or not versions else {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)}


def resources(registry: Registry, group: str, version: str) -> Json | None:
    """`/apis/GROUP/VERSION`, None where it is not served."""
    kinds = registry.within(group, version)
    if not kinds:
        return None
    listed = [entry for kind in kinds for entry in _entries(kind)]
    at = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": at, "resources": listed}


def version() -> Json:
    """`/version`."""
    return {
        "major": "1",
        "minor": "36",
        "gitVersion": "v1.36.3+embedded",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "none",
        "platform": "any",
    }


def _group(name: str, versions: list[str]) -> Json:
    listed = [{"groupVersion": f"{name}/{each}", "version": each} for each in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _entries(kind: Kind) -> list[Json]:
    resource = kind.resource
    base: Json = {"name": resource.plural, "singularName": kind.singular, "namespaced": resource.namespaced}
    main = {**base, "kind": resource.kind, "verbs": list(VERBS)}
    main |= {"shortNames": list(kind.short_names)} if kind.short_names else {}
    main |= {"categories": list(kind.categories)} if kind.categories else {}
    below = {"singularName": "", "namespaced": resource.namespaced, "verbs": _SUBRESOURCE_VERBS}
    entries = [main]
    if kind.status:
        entries.append({"name": f"{resource.plural}/status", **below, "kind": resource.kind})
    if kind.scale:
        of = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        entries.append({"name": f"{resource.plural}/scale", **below, **of})
    return entries
