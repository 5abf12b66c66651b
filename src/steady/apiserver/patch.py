"""Patches applied to plain data. The original is never changed; what is untouched is shared with the result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from steady.apiserver.exchange import Json
from steady.apiserver.failures import bad_request, patch_failed

MERGE_KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey",),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port"),
}
"""`x-kubernetes-patch-merge-key` of the built-in lists that strategic merge patches merge by an entry's name."""

_SETS = frozenset({"finalizers"})


def merge(target: Any, patch: Any) -> Any:
    """`target` after the JSON merge patch `patch` (RFC 7386)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def operations(target: Any, steps: object) -> Any:
    """`target` after the JSON patch `steps` (RFC 6902). Raises 400 where they are none, 422 where one fails.

    As the real server does it, a field that is not there reads as null, so that `replace` can set it and `test` can
    find it missing; and a negative index counts from the end.
    """
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise bad_request("error decoding patch: a list of operations is expected")
    for step in steps:
        target = _operation(target, step)
    return target


def strategic(target: Any, patch: Any, field: str = "") -> Any:
    """`target` after a strategic merge patch: maps merge, lists of named entries merge by name, others are replaced."""
    if isinstance(patch, list):
        return _strategic_list(target, patch, field)
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        _strategic_field(merged, key, value)
    return merged


def _strategic_field(merged: dict[str, Any], key: str, value: Any) -> None:
    if key.startswith("$setElementOrder/") or key == "$patch":
        return
    if key == "$retainKeys":
        for name in set(merged) - set(value):
            del merged[name]
    elif key.startswith("$deleteFromPrimitiveList/"):
        of = key.partition("/")[2]
        merged[of] = [entry for entry in merged.get(of) or [] if entry not in value]
    elif value is None:
        merged.pop(key, None)
    else:
        merged[key] = strategic(merged.get(key), value, key)


def _strategic_list(target: Any, patch: list[Any], field: str) -> list[Any]:
    present = target if isinstance(target, list) else []
    if field in _SETS:
        return [*present, *(entry for entry in patch if entry not in present)]
    keys = [key for key in MERGE_KEYS.get(field, ()) if any(isinstance(e, dict) and key in e for e in patch)]
    if not keys:
        return [strategic(None, entry) for entry in patch]
    return _merged_by_name(present, patch, keys[0])


def _merged_by_name(present: list[Any], patch: list[Any], key: str) -> list[Any]:
    if any(entry.get("$patch") == "replace" for entry in patch):
        return [entry for entry in patch if "$patch" not in entry]
    entries = {entry.get(key): entry for entry in present}
    for entry in patch:
        name = entry.get(key)
        if entry.get("$patch") == "delete":
            entries.pop(name, None)
        else:
            entries[name] = strategic(entries.get(name), entry)
    return list(entries.values())


def _operation(target: Any, step: Json) -> Any:
    handler = _OPERATIONS.get(step.get("op", ""))
    if handler is None:
        raise patch_failed()
    return handler(target, _parts(step.get("path")), step)


def _parts(path: object) -> list[str]:
    """The steps of a JSON pointer; what stands before the first slash means nothing."""
    if not isinstance(path, str) or (path and "/" not in path):
        raise patch_failed()
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _index(part: str, length: int) -> int:
    """The place that `part` means in a list of `length` entries."""
    if not part.removeprefix("-").isdecimal() or not -length <= int(part) < length:
        raise patch_failed()
    return int(part) % length


def _get(target: Any, parts: list[str]) -> Any:
    """The value at `parts`; a missing field at the end of them is None."""
    *way, last = parts or [""]
    for part in way:
        target = _entry(target, part)
        if target is None:
            raise patch_failed()
    return _entry(target, last) if parts else target


def _entry(container: Any, part: str) -> Any:
    if isinstance(container, dict):
        return container.get(part)
    if isinstance(container, list):
        return container[_index(part, len(container))]
    raise patch_failed()


def _changed(target: Any, parts: list[str], change: Callable[[Any, str], Any]) -> Any:
    """A copy of `target` along `parts`, with `change(container, last part)` in the place of the innermost container."""
    if len(parts) == 1:
        return change(target, parts[0])
    inner = _changed(_get(target, parts[:1]), parts[1:], change)
    return _replaced(target, parts[0], inner)


def _replaced(container: Any, part: str, value: Any) -> Any:
    if isinstance(container, dict):
        return {**container, part: value}
    at = _index(part, len(container))
    return [*container[:at], value, *container[at + 1 :]]


def _add(target: Any, parts: list[str], step: Json) -> Any:
    value = step.get("value")
    return _changed(target, parts, partial(_added, value=value)) if parts else value


def _added(container: Any, part: str, value: Any) -> Any:
    if isinstance(container, dict):
        return {**container, part: value}
    if not isinstance(container, list):
        raise patch_failed()
    at = len(container) if part == "-" else _index(part, len(container) + 1)
    return [*container[:at], value, *container[at:]]


def _remove(target: Any, parts: list[str], _step: Json) -> Any:
    return _changed(target, parts, _removed) if parts else None


def _removed(container: Any, part: str) -> Any:
    if isinstance(container, list):
        at = _index(part, len(container))
        return [*container[:at], *container[at + 1 :]]
    if not isinstance(container, dict) or part not in container:
        raise patch_failed()
    return {key: value for key, value in container.items() if key != part}


def _replace(target: Any, parts: list[str], step: Json) -> Any:
    _get(target, parts)
    value = step.get("value")
    return _changed(target, parts, partial(_replaced, value=value)) if parts else value


def _test(target: Any, parts: list[str], step: Json) -> Any:
    if msgspec.json.encode(_get(target, parts), order="sorted") != msgspec.json.encode(
        step.get("value"), order="sorted"
    ):
        raise patch_failed()
    return target


def _move(target: Any, parts: list[str], step: Json) -> Any:
    source = _parts(step.get("from"))
    return _add(_remove(target, source, step), parts, {"value": _get(target, source)})


def _copy(target: Any, parts: list[str], step: Json) -> Any:
    return _add(target, parts, {"value": _get(target, _parts(step.get("from")))})


_OPERATIONS: Mapping[str, Callable[[Any, list[str], Json], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "test": _test,
    "move": _move,
    "copy": _copy,
}
