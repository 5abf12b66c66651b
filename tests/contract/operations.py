"""Random requests, and one server's answers to them in a form that another server's can be compared with."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.contract.api import APPLY, JSON_PATCH, MERGE, METADATA_ONLY, STRATEGIC, Answer, Api, Json
from tests.contract.widgets import FINALIZER, GROUP

CURRENT, STALE, UID, OTHER_UID = "$current", "$stale", "$uid", "$other"
"""What a body says where each server has its own value."""
WIDGETS, CONFIG_MAPS = "widgets", "configmaps"
_PATHS = {WIDGETS: f"/apis/{GROUP}/v1", CONFIG_MAPS: "/api/v1"}
_TYPES = {WIDGETS: (f"{GROUP}/v1", "Widget"), CONFIG_MAPS: ("v1", "ConfigMap")}
_OWN = {"time", "continue"}
"""Fields that differ on two servers for no reason of interest."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}")


class Step(NamedTuple):
    """One request; `name` and `subresource` may be empty."""

    method: str
    plural: str
    name: str = ""
    subresource: str = ""
    body: Any = None
    content: str = ""
    query: tuple[tuple[str, str], ...] = ()
    accept: str = ""


# What is asked


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """An object with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


def _of(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


_name = _of("a", "a", "b")
_labels = _some(app=_of("x", "y"), tier=_of("1", "")) | st.none()
_finalizers = _of([], [FINALIZER], [FINALIZER, f"{GROUP}/other"], None)
_metadata = _some(
    labels=_labels,
    annotations=_some(note=_of("n", "m", None)),
    finalizers=_finalizers,
    resourceVersion=_of(CURRENT, STALE),
    uid=_of(UID, OTHER_UID),
    strange=st.just(1),
)
_spec = _some(
    text=_of("x", "hello", "hello", "hello", "", 3, "x" * 41, None),
    size=_of(0, 1, 5, 101, -1, "1", None),
    color=_of("red", "green", "blue", None),
    code=_of("abc", "A1"),
    tags=_of([], ["x"], ["x", "y"], ["x", "y", "z"], [1], None),
    extra=_some(k=_of("v", "w", 1, None), l=_of("v")),
    free=_of({}, {"deep": {"list": [1, {"a": None}]}}, None, {"deep": 1}),
    low=_of(0, 5),
    high=_of(1, None),
    unknown=st.just(1),
)
_conditions = st.lists(
    st.fixed_dictionaries({"type": _of("Ready", "Other"), "status": _of("True", "False", "Odd")}), max_size=2
)
_status = (
    _some(
        phase=_of("Done", "Pending", 3, None),
        size=_of(1, 2, -1),
        selector=_of("app=x"),
        conditions=_conditions,
        alien=st.just(1),
    )
    | st.none()
)
_data = _some(k=_of("1", "2", "", None), l=_of("3"), m=_of(1, "4")) | st.none()
_PARTS = {
    WIDGETS: {"metadata": _metadata, "spec": _spec, "status": _status},
    CONFIG_MAPS: {"metadata": _metadata, "data": _data, "immutable": _of(True, False, None), "odd": st.just(1)},
}
_modes = _of((), (), (("fieldValidation", "Strict"),), (("fieldValidation", "Ignore"),), (("dryRun", "All"),))
_accepts = _of("", "", METADATA_ONLY)


def _typed(plural: str, body: Json, name: str) -> Json:
    version, kind = _TYPES[plural]
    metadata = {**(body.get("metadata") or {}), "name": name}
    whole = {"apiVersion": version, "kind": kind, **body, "metadata": metadata}
    return whole if plural != WIDGETS else {**whole, "spec": {"text": "hello", **(whole.get("spec") or {})}}


@st.composite
def _writes(draw: st.DrawFn, plural: str) -> Step:
    """Create, update, merge or apply an object with any parts."""
    how = draw(_of("POST", "POST", "PUT", MERGE, MERGE, APPLY, *([STRATEGIC] if plural != WIDGETS else [])))
    subresource = draw(_of("", "status")) if plural == WIDGETS and how != "POST" else ""
    name, query, body = draw(_name), draw(_modes), draw(_some(**_PARTS[plural]))
    accept = draw(_accepts)
    if how == "POST":
        body.get("metadata", {}).pop("resourceVersion", None)
        body.pop("status", None)
        return Step("POST", plural, body=_typed(plural, body, name), query=query, accept=accept)
    if how == "PUT":
        body |= {"spec": {"size": 9}} if subresource else {"status": {"phase": "Done"}} if "status" in body else {}
        whole = _typed(plural, body, name)
        whole["metadata"].setdefault("resourceVersion", CURRENT)
        return Step("PUT", plural, name, subresource, whole, query=query, accept=accept)
    if how == APPLY:
        manager = (("fieldManager", draw(_of("one", "two"))), *((("force", "true"),) if draw(st.booleans()) else ()))
        valid = {
            **body,
            "spec": draw(_some(text=_of("x", "y"), tags=_of(["x"], ["y"]), extra=_some(k=_of("v", "w")).filter(bool))),
        }
        whole = _typed(plural, valid if plural == WIDGETS else {"data": draw(_some(k=_of("1", "2"), l=_of("3")))}, name)
        whole["metadata"] = {"name": name, **draw(_some(labels=_labels.filter(bool), uid=_of(UID, OTHER_UID)))}
        whole |= {"status": draw(_some(phase=_of("Done", "Going"), size=_of(1, 2)))} if plural == WIDGETS else {}
        return Step("PATCH", plural, name, subresource, whole, APPLY, manager, accept)
    if subresource:
        body = {**body, "spec": {"size": 9}, "status": body.get("status", {"phase": "Done"})}
    elif "status" in body:
        body["status"] = {"phase": "Done"}
    return Step("PATCH", plural, name, subresource, body, how, query, accept)


_METADATA = ("labels/app", "labels", "finalizers/0", "finalizers/-", "finalizers")
_SPEC = ("text", "size", "tags/0", "tags/-", "tags/-1", "none/deeper")
_STATUS = ("phase", "size", "conditions/0/status", "conditions/0", "none/deeper")
_values = _of("x", 1, None, ["x"], {"app": "y"}, {"phase": "Done"}, "True", FINALIZER)


@st.composite
def _json_patches(draw: st.DrawFn) -> Step:
    """Up to two operations, and often a guard; what the path does not let them write is left as it is."""
    subresource, steps = draw(_of("", "status")), []
    own = (
        [f"/status/{field}" for field in _STATUS] if subresource else ["/spec", *(f"/spec/{field}" for field in _SPEC)]
    )
    pointers = _of(*own, *(f"/metadata/{field}" for field in _METADATA))
    if draw(st.booleans()):
        steps.append({"op": "test", "path": "/metadata/uid", "value": draw(_of(UID, UID, UID, OTHER_UID))})
    for _ in range(draw(st.integers(0, 2))):
        operation = draw(_of("add", "add", "replace", "remove", "test", "copy", "move"))
        step = {"op": operation, "path": draw(pointers)}
        step |= {"from": draw(pointers)} if operation in {"copy", "move"} else {"value": draw(_values)}
        steps.append(step)
    if subresource and draw(st.booleans()):
        steps.append({"op": "add", "path": "/status", "value": draw(_of({"phase": "Done"}, {}, None))})
    return Step("PATCH", WIDGETS, draw(_name), subresource, steps, JSON_PATCH, draw(_modes), draw(_accepts))


@st.composite
def _scales(draw: st.DrawFn) -> Step:
    replicas = draw(_of(2, 3, 101, -1))
    return Step(
        "PATCH",
        WIDGETS,
        draw(_name),
        "scale",
        {"spec": {"replicas": replicas}},
        MERGE,
        draw(_of((), (("dryRun", "All"),))),
    )


@st.composite
def _deletes(draw: st.DrawFn) -> Step:
    plural = draw(_of(WIDGETS, WIDGETS, CONFIG_MAPS))
    if draw(st.integers(0, 5)) == 0:
        return Step("DELETE", plural, query=(("labelSelector", draw(_of("app=x", "app!=x"))),))
    preconditions = draw(_some(uid=_of(UID, OTHER_UID), resourceVersion=_of(CURRENT, STALE)))
    body = {"preconditions": preconditions} if preconditions else None
    return Step("DELETE", plural, draw(_name), body=body, query=draw(_of((), (), (("dryRun", "All"),))))


@st.composite
def _reads(draw: st.DrawFn) -> Step:
    plural, accept = draw(_of(WIDGETS, CONFIG_MAPS)), draw(_accepts)
    if draw(st.booleans()):
        return Step("GET", plural, draw(_name), accept=accept)
    query = draw(
        _of(
            (),
            (("limit", "1"),),
            (("labelSelector", "app=x"),),
            (("labelSelector", "tier,app!=y"),),
            (("fieldSelector", "metadata.name=b"),),
            (("limit", "1"), ("labelSelector", "app in (x,y)")),
        )
    )
    return Step("GET", plural, query=query)


steps = st.one_of(
    _writes(WIDGETS), _writes(WIDGETS), _writes(CONFIG_MAPS), _json_patches(), _scales(), _deletes(), _reads()
)


# What is answered


class Side:
    """One server and the objects of one namespace in it; says the same of the same answers as the other side."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._uids: dict[str, str] = {}
        self._versions: dict[str, str] = {}
        self._seen: dict[tuple[str, str], list[Json]] = {}

    async def take(self, step: Step) -> list[object]:
        """Send a request; return its answer, and the object that it names as it then is."""
        answer = await self._api.request(
            step.method,
            self._path(step.plural, step.name, step.subresource),
            self._filled(step, step.body),
            step.content,
            step.accept,
            **dict(step.query),
        )
        said = self._said(answer)
        name = step.name or ((step.body or {}).get("metadata") or {}).get("name", "") if step.body else step.name
        if not name:
            return [said]
        found = await self._api.get(self._path(step.plural, name, ""))
        if found.status == 200:
            self._seen.setdefault((step.plural, name), []).append(found.json["metadata"])
        return [said, self._said(found)]

    async def events(self, plural: str, version: str) -> list[object]:
        """Everything that has happened to a kind since a version."""
        last = await self._api.post(self._path(plural, "", ""), _typed(plural, {}, "zz-last"))
        assert last.status == 201, last.text
        found: list[object] = []
        async with self._api.watch(self._path(plural, "", ""), resourceVersion=version) as watch:
            while (event := await watch.event())["object"]["metadata"]["name"] != "zz-last":
                found.append([event["type"], self._plain(event["object"])])
        return found

    async def version(self) -> str:
        """The server's present version."""
        return (await self._api.get(self._path(WIDGETS, "", ""))).version

    def _path(self, plural: str, name: str, subresource: str) -> str:
        parts = [_PATHS[plural], "namespaces", self._namespace, plural, name, subresource]
        return "/".join(part for part in parts if part)

    def _filled(self, step: Step, value: Any) -> Any:
        """A body with this server's own uids and versions."""
        if isinstance(value, dict):
            return {key: self._filled(step, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._filled(step, inner) for inner in value]
        seen = self._seen.get((step.plural, step.name)) or [{"uid": "never-was", "resourceVersion": "1"}]
        known = {
            CURRENT: seen[-1]["resourceVersion"],
            STALE: seen[0]["resourceVersion"],
            UID: seen[-1]["uid"],
            OTHER_UID: "another",
        }
        return known.get(value, value) if isinstance(value, str) else value

    def _said(self, answer: Answer) -> list[object]:
        body, warning = answer.json, sorted(", ".join(answer.headers.getall("Warning", [])).split(", "))
        if "items" in body:
            body["metadata"].pop("resourceVersion")
        if body.get("kind") != "Status":
            return [answer.status, warning, self._plain(body)]
        details = body.get("details") or {}
        causes = sorted({self._cause(cause) for cause in details.pop("causes", [])})
        # Of what could not be read, and of several faults at once, each server has its own words.
        worded = len(causes) < 2 and body.get("reason") != "BadRequest" and all(message for *_, message in causes)
        message = self._text(body.get("message", "")) if worded else ""
        return [answer.status, body.get("reason", ""), message, causes, self._plain(details)]

    def _cause(self, cause: Json) -> tuple[str, str, str]:
        """Reason, field and message of a cause, but for messages that each server words in its own way."""
        field = cause.get("field", "")
        own = field == "patch" or field.startswith("status.")
        return cause["reason"], field, "" if own else self._text(cause["message"])

    def _plain(self, value: Any, key: str = "") -> Any:
        """A value without what no two servers have in common."""
        if isinstance(value, dict):
            return {name: self._plain(inner, name) for name, inner in sorted(value.items()) if name not in _OWN}
        if isinstance(value, list):
            plain = [self._plain(inner) for inner in value]
            return sorted(plain, key=str) if key == "managedFields" else plain
        if key == "resourceVersion":
            return self._versions.setdefault(value, f"version {len(self._versions)}")
        if key.endswith("Timestamp"):
            return "a time"
        return self._text(value) if isinstance(value, str) else value

    def _text(self, value: str) -> str:
        plain = value.replace(self._namespace, "the namespace")
        plain = _UUID.sub(lambda found: self._uids.setdefault(found[0], f"uid {len(self._uids)}"), plain)
        return re.sub(r"\((\d+)\)", lambda found: f"({self._versions.get(found[1], found[1])})", plain)
