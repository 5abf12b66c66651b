"""Who owns which field of an object (`metadata.managedFields`), and server-side apply, which depends on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from steady.apiserver import fields
from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause, Failure, quoted
from steady.apiserver.fields import Schema

_ORDER = ("operation", "time", "manager")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""Where kubectl keeps what it applied by itself."""
_METADATA = ("labels", "annotations", "finalizers", "ownerReferences")
"""What of metadata can be owned; the rest is the server's."""


class Manager(NamedTuple):
    """One who writes: a name, the operation (`Apply` or `Update`), the version of the API and the subresource."""

    name: str
    operation: str
    version: str
    subresource: str = ""

    @classmethod
    def of(cls, entry: Json) -> Manager:
        """Whose entry of `managedFields` that is."""
        return cls(*(entry.get(field, "") for field in ("manager", "operation", "apiVersion", "subresource")))

    def entries(self, owned: Json | None, time: str) -> list[Json]:
        """The entry that says what this manager owns; none where that is nothing."""
        if not owned:
            return []
        body = {"manager": self.name, "operation": self.operation, "apiVersion": self.version, "time": time}
        below = {"subresource": self.subresource} if self.subresource else {}
        return [body | {"fieldsType": "FieldsV1", "fieldsV1": owned} | below]

    def __str__(self) -> str:
        below = f" with subresource {quoted(self.subresource)}" if self.subresource else ""
        return quoted(self.name) + below + ("" if self.operation == "Apply" else f" using {self.version}")


class Owners:
    """The entries of one object, those of `manager` apart from those of the others."""

    def __init__(self, entries: Sequence[Json], manager: Manager) -> None:
        self.manager = manager
        self.own = next((entry.get("fieldsV1", {}) for entry in entries if Manager.of(entry) == manager), None)
        self.others = [entry for entry in entries if Manager.of(entry) != manager]
        self._entries = entries

    def only_own(self, tree: Json | None) -> Json | None:
        """What of a tree no other manager owns."""
        for entry in self.others:
            tree = fields.minus(tree, entry.get("fieldsV1", {}))
        return tree

    def check(self, changed: Json | None) -> None:
        """Raise 409 where somebody else owns a field that would change."""
        shared = [(Manager.of(entry), fields.both(entry.get("fieldsV1", {}), changed)) for entry in self.others]
        if found := {manager: list(fields.paths(tree)) for manager, tree in shared if tree is not None}:
            raise _conflict(found)

    def after(self, owned: Json | None, taken: Json | None, time: str) -> list[Json]:
        """The entries when the manager owns `owned` and the others have lost what was `taken`."""
        left = [(entry, fields.minus(entry.get("fieldsV1", {}), taken)) for entry in self.others]
        others = [
            entry if kept == entry.get("fieldsV1", {}) else entry | {"fieldsV1": kept} for entry, kept in left if kept
        ]
        if owned == self.own and others == self.others:
            return list(self._entries)
        entries = [*others, *self.manager.entries(owned, time)]
        return sorted(entries, key=lambda entry: [entry.get(field, "") for field in _ORDER])


def recorded(old: Json | None, new: Json, schema: Schema, manager: Manager, time: str) -> Json:
    """`new` with its owners: `manager` owns what it has changed from `old`, and nobody what is gone.

    Of an object that nobody owns nothing is recorded before the first apply.
    """
    entries = _entries(new) or _entries(old)
    if entries == [{}] or (old is not None and not entries):  # the first is how a writer says that nobody owns it
        return _with(new, [])
    changed, gone = fields.changes(_ownable(old), _ownable(new), schema)
    if manager.subresource == "scale" and all(
        fields.both(each.get("fieldsV1", {}), changed) is None for each in entries
    ):
        return new  # a scale knows the owners of what it shows, and here there are none
    owners = Owners(entries, manager)
    owned = fields.minus(fields.union(owners.own, changed), gone)
    return _with(new, owners.after(owned, fields.union(changed, gone), time))


def applied(live: Json | None, wanted: Json, schema: Schema, manager: Manager, time: str, *, force: bool) -> Json:
    """`live` after a server-side apply of `wanted`: what the manager says no more goes where nobody else owns it.

    Raises 409 naming who owns a field that would change, unless it is forced. What kubectl had applied by itself is
    kubectl's own here too.
    """
    owners = Owners(_entries(live) or _before_first_apply(live, schema, manager, time), manager)
    given = _tree(wanted, schema, containers=False)
    dropped = owners.only_own(fields.minus(owners.own, given))
    new = fields.merged(live or {}, wanted, schema)
    new = fields.without(new, dropped, schema) if dropped else new
    changed, gone = fields.changes(_ownable(live), _ownable(new), schema)
    remembered = _last_applied(live) if manager.name == "kubectl" else None
    if not force:
        owners.check(fields.minus(changed, _tree(remembered, schema, containers=True)) if remembered else changed)
    after = _with(new, owners.after(given, fields.union(changed, gone), time))
    return _remembering(after, wanted) if remembered else after


def _conflict(found: dict[Manager, list[str]]) -> Failure:
    causes = [
        Cause("FieldManagerConflict", f"conflict with {manager}", path).body()
        for manager, listed in found.items()
        for path in listed
    ]
    if len(causes) == 1:
        told = f"1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        lines = (
            line
            for manager in sorted(found)
            for line in [f"conflicts with {manager}:", *(f"- {path}" for path in found[manager])]
        )
        told = f"{len(causes)} conflicts: " + "\n".join(lines)
    return Failure(409, "Conflict", f"Apply failed with {told}", {"causes": causes})


def _before_first_apply(live: Json | None, schema: Schema, manager: Manager, time: str) -> list[Json]:
    """What nobody owns belongs, at the first apply, to somebody who was there before."""
    if live is None:
        return []
    unknown = Manager("before-first-apply", "Update", manager.version)
    return unknown.entries(_tree(live, schema, containers=True), time)


def _last_applied(live: Json | None) -> Json | None:
    text = ((live or {}).get("metadata", {}).get("annotations") or {}).get(_LAST_APPLIED)
    return msgspec.json.decode(text, type=Json) if text else None


def _remembering(data: Json, wanted: Json) -> Json:
    text = msgspec.json.encode(wanted, order="sorted").decode() + "\n"
    annotations = {**data["metadata"]["annotations"], _LAST_APPLIED: text}
    return {**data, "metadata": {**data["metadata"], "annotations": annotations}}


def _entries(data: Json | None) -> list[Json]:
    return list((data or {}).get("metadata", {}).get("managedFields") or ())


def _with(data: Json, entries: list[Json]) -> Json:
    metadata = {field: value for field, value in data["metadata"].items() if field != "managedFields"}
    return {**data, "metadata": metadata | ({"managedFields": entries} if entries else {})}


def _tree(data: Json, schema: Schema, *, containers: bool) -> Json:
    ownable = _ownable(data)
    held = {field: value for field, value in ownable.items() if field != "metadata" or value}
    return fields.tree(held, schema, containers=containers)


def _ownable(data: Json | None) -> Json:
    """The part of an object whose fields have owners."""
    present = data or {}
    metadata = present.get("metadata") or {}
    owned = {field: metadata[field] for field in _METADATA if field in metadata}
    rest = {field: value for field, value in present.items() if field not in {"apiVersion", "kind", "metadata"}}
    return {**rest, "metadata": owned}
