"""Whatever is sent, the server answers and stays what it is."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steady.apiserver import Request, Server
from steady.clock import ManualClock
from tests.contract.test_builtin import deployment
from tests.contract.widgets import CRDS, GROUP, config_map, crd, widget

WIDGETS = f"/apis/{GROUP}/v1/namespaces/default/widgets"
PATHS = (
    WIDGETS,
    f"{WIDGETS}/a",
    f"{WIDGETS}/a/status",
    f"{WIDGETS}/a/scale",
    "/api/v1/namespaces/default/configmaps",
    "/api/v1/namespaces/default/configmaps/a",
    "/api/v1/namespaces/default/secrets",
    "/api/v1/namespaces/default/events",
    "/apis/events.k8s.io/v1/namespaces/default/events",
    "/api/v1/namespaces",
    "/apis/apps/v1/namespaces/default/deployments",
    "/apis/apps/v1/namespaces/default/deployments/a/scale",
    CRDS,
    f"{CRDS}/widgets.{GROUP}",
)
MEDIA = (
    "application/json",
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/vnd.kubernetes.protobuf",
)
ACCEPTS = (
    "",
    "application/json;as=Table;g=meta.k8s.io;v=v1",
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io",
)
WORDS = (
    "apiVersion kind metadata spec status name labels finalizers ownerReferences managedFields data immutable replicas",
    "selector template containers versions properties text size tags conditions op path value from uid resourceVersion",
    "preconditions propagationPolicy dryRun $patch a",
)
NAMES = st.sampled_from(" ".join(WORDS).split(" "))
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from(["", "a", "v1", "Widget", "object", f"{GROUP}/v1", "ConfigMap", "add", "/spec/text", "//", "99"])
)
ANYTHING = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4))
LIKELY: tuple[Any, ...] = (
    widget(),
    widget()
    | {"metadata": {"name": "a", "finalizers": ["a.b/c"], "labels": {"a": "b"}, "ownerReferences": [{"uid": "u"}]}},
    widget() | {"status": {"phase": "Done", "size": 1, "conditions": [{"type": "Ready", "status": "True"}]}},
    config_map(k="v"),
    deployment(),
    crd("other.example.com"),
    crd(),
    {"spec": {"replicas": 2}},
    {"preconditions": {"uid": "u"}, "propagationPolicy": "Orphan"},
    [{"op": "test", "path": "/metadata/uid", "value": "u"}, {"op": "add", "path": "/status", "value": {}}],
)


def put(data: Any, where: list[int], value: Any) -> Any:
    """Return `data` with `value` at the place to which these turns lead."""
    if not where or not isinstance(data, dict | list) or not data:
        return value
    turn, *rest = where
    if isinstance(data, list):
        at = turn % len(data)
        return [*data[:at], put(data[at], rest, value), *data[at + 1 :]]
    name = sorted(data)[turn % len(data)]
    return {**data, name: put(data[name], rest, value)}


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Any method on any path, with a body that is likely but for a part of it."""
    method, path = draw(st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "GET"])), draw(st.sampled_from(PATHS))
    body = draw(st.sampled_from(LIKELY))
    for _ in range(draw(st.integers(0, 2))):
        body = put(body, draw(st.lists(st.integers(0, 20), max_size=6)), draw(ANYTHING))
    query = draw(
        st.dictionaries(
            st.sampled_from(
                ["dryRun", "fieldManager", "force", "fieldValidation", "limit", "continue", "labelSelector"]
            ),
            st.sampled_from(["", "All", "a", "1", "-1", "a in (b)", "Strict", "e30", "e30="]),
            max_size=2,
        )
    )
    headers = {"content-type": draw(st.sampled_from(MEDIA)), "accept": draw(st.sampled_from(ACCEPTS))}
    return Request(method, path, query, headers, msgspec.json.encode(body))


@given(st.lists(requests(), min_size=1, max_size=5))
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_nonsense_gets_an_answer(sent: list[Request]) -> None:
    """A code that fits, JSON, and a kind that can still be served."""

    async def send() -> None:
        async with Server(clock=ManualClock()) as server:
            await server.handle(Request("POST", CRDS, {}, {}, msgspec.json.encode(crd())))
            await server.handle(Request("POST", WIDGETS, {}, {}, msgspec.json.encode(widget())))
            for request in sent:
                answer = await server.handle(request)
                assert answer.status < 500 or b"resourceVersion should not be set" in answer.body
                if "json" in answer.headers["Content-Type"]:
                    msgspec.json.decode(answer.body)
            for path in (WIDGETS, "/api/v1/configmaps", "/openapi/v3", f"/openapi/v3/apis/{GROUP}/v1", "/apis"):
                assert (await server.handle(Request("GET", path, {}, {"accept": ACCEPTS[1]}))).status in {200, 404, 429}

    asyncio.run(send())
