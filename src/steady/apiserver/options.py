"""The options that a query carries, checked before anything else is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from steady.apiserver.failures import Cause, Failure, invalid, quoted
from steady.objects import Resource

_OPTIONS = {
    "list": "ListOptions",
    "watch": "ListOptions",
    "create": "CreateOptions",
    "update": "UpdateOptions",
    "patch": "PatchOptions",
    "delete": "DeleteOptions",
    "deletecollection": "DeleteOptions",
}
_POLICIES = ("Foreground", "Background", "Orphan")


def check(verb: str, query: Mapping[str, str], *, apply: bool, watch_list: bool) -> None:
    """Raise 422 naming each option that means nothing for `verb`.

    An `apply` is a patch with options of its own; initial events are sent only with `watch_list`.
    """
    if verb not in _OPTIONS:
        return
    if verb in {"list", "watch"}:
        found = [*_match(query, verb), *([] if watch_list else _unknown_to_old_servers(query, verb))]
    else:
        found = [*_write(query, verb, apply=apply)]
    if found:
        raise _invalid(verb, found)


def check_policy(policy: str | None) -> None:
    """Raise 422 where a deletion asks for another policy than there are."""
    if policy and policy not in _POLICIES:
        raise _invalid("delete", [_unsupported("propagationPolicy", quoted(policy), (*_POLICIES, "nil"))])


def _invalid(verb: str, causes: list[Cause]) -> Failure:
    return invalid(Resource("meta.k8s.io", "v1", _OPTIONS[verb], ""), "", causes)


def _match(query: Mapping[str, str], verb: str) -> Iterator[Cause]:
    """Which version a reader wants, and how exactly."""
    match, initial = query.get("resourceVersionMatch", ""), "sendInitialEvents" in query
    known = ("NotOlderThan",) if verb == "watch" else ("Exact", "NotOlderThan", "")
    if verb == "list" and initial:
        yield _forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")
    if verb == "watch" and initial and match != "NotOlderThan":
        yield _forbidden(
            "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        )
    if not match:
        return
    if verb == "watch" and not initial:
        why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        yield _forbidden("resourceVersionMatch", why)
    if verb == "list" and not query.get("resourceVersion"):
        yield _forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided")
    if query.get("continue"):
        yield _forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided")
    if match not in known:
        yield _unsupported("resourceVersionMatch", quoted(match), known)
    if verb == "list" and match == "Exact" and query.get("resourceVersion") == "0":
        why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        yield _forbidden("resourceVersionMatch", why)


def _unknown_to_old_servers(query: Mapping[str, str], verb: str) -> Iterator[Cause]:
    if verb == "watch" and "sendInitialEvents" in query:
        why = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
        yield _forbidden("sendInitialEvents", why)


def _write(query: Mapping[str, str], verb: str, *, apply: bool) -> Iterator[Cause]:
    if query.get("dryRun", "All") not in {"", "All"}:
        yield _unsupported("dryRun", f"[{quoted(query['dryRun'])}]", ("All",))
    if verb.startswith("delete"):
        return
    if (mode := query.get("fieldValidation", "")) not in {"", "Ignore", "Strict", "Warn"}:
        yield _unsupported("fieldValidation", quoted(mode), ("", "Ignore", "Strict", "Warn"))
    if apply and not query.get("fieldManager"):
        yield Cause("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
    if verb == "patch" and not apply and "force" in query:
        yield _forbidden("force", "may not be specified for non-apply patch")


def _forbidden(field: str, why: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {why}", field)


def _unsupported(field: str, value: str, known: tuple[str, ...]) -> Cause:
    listed = ", ".join(quoted(each) for each in known)
    return Cause("FieldValueNotSupported", f"Unsupported value: {value}: supported values: {listed}", field)
