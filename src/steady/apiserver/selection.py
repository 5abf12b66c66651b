"""Which objects a request means: by label and by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from steady.apiserver.exchange import Json
from steady.apiserver.failures import bad_request
from steady.apiserver.kinds import Kind
from steady.objects.selectors import parse_selector

_EVERY_KIND = {"metadata.name", "metadata.namespace"}
_MORE: Mapping[str, set[str]] = {
    "secrets": {"type"},
    "namespaces": {"status.phase"},
    "pods": {"spec.nodeName", "status.phase"},
    "replicasets.apps": {"status.replicas"},
    "events": {
        "reason",
        "type",
        "reportingComponent",
        "source",
        *(f"involvedObject.{field}" for field in ("kind", "name", "namespace", "uid", "apiVersion", "fieldPath")),
    },
}
"""The fields by which objects of a storage can be selected."""
_STORED = {"regarding": "involvedObject", "reportingController": "reportingComponent"}

_Term = tuple[tuple[str, ...], str, bool]


def selection(kind: Kind, query: Mapping[str, str]) -> Callable[[Json], bool]:
    """Whether an object is meant by the label and field selectors of `query`. Raises 400 for what they cannot say."""
    try:
        labels = parse_selector(query.get("labelSelector", ""))
    except ValueError as error:
        raise bad_request(str(error)) from error
    terms = [_term(kind, text) for text in query.get("fieldSelector", "").split(",") if text]
    if not labels.requirements and not terms:
        return _everything
    return lambda data: labels.matches(data["metadata"].get("labels")) and all(_holds(data, *term) for term in terms)


def _everything(_data: Json) -> bool:
    return True


def _term(kind: Kind, text: str) -> _Term:
    path, operator, value = text.partition("!=" if "!=" in text else "==" if "==" in text else "=")
    if not operator:
        raise bad_request(f"invalid selector: '{text}'; can't understand '{text}'")
    head, dot, rest = path.partition(".")
    stored = _STORED.get(head, head) + dot + rest
    if stored not in _EVERY_KIND | _MORE.get(kind.storage, set()):
        raise bad_request(
            f"field label not supported: {path}" if kind.custom else f'"{path}" is not a known field selector'
        )
    return tuple(stored.split(".")), value, operator != "!="


def _holds(data: Json, path: tuple[str, ...], value: str, equal: bool) -> bool:
    found: object = data
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return (str(found if found is not None else "") == value) is equal
