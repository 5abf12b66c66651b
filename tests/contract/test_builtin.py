"""The built-in kinds that an operator uses."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.contract.api import STRATEGIC, Api
from tests.contract.widgets import config_map

pytestmark = pytest.mark.asyncio(loop_scope="session")


def deployment(replicas: int = 1) -> dict[str, Any]:
    """Return a small Deployment."""
    labels = {"app": "a"}
    containers = [{"name": "main", "image": "example.invalid/main:1"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a", "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


async def test_a_config_map_has_no_generation(api: Api, namespace: str) -> None:
    """ConfigMaps are created, patched by key and read."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    created = await api.post(path, config_map(k="1", l="1"))
    assert (created.status, "generation" in created.json["metadata"]) == (201, False)
    patched = await api.patch(f"{path}/a", {"data": {"k": "2", "l": None}})
    assert (patched.status, patched.json["data"]) == (200, {"k": "2"})


async def test_a_no_op_patch_of_a_config_map_keeps_its_version(api: Api, namespace: str) -> None:
    """The same data again: same resourceVersion, from the first write on."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    created = await api.post(path, config_map(k="1"))
    assert (await api.patch(f"{path}/a", {"data": {"k": "1"}})).version == created.version


async def test_a_config_map_value_must_be_text(api: Api, namespace: str) -> None:
    """A number in `data` is a bad request."""
    refused = await api.post(f"/api/v1/namespaces/{namespace}/configmaps", config_map() | {"data": {"k": 1}})
    assert (refused.status, refused.json["reason"]) == (400, "BadRequest")


async def test_unknown_fields_of_a_config_map_are_pruned_with_a_warning(api: Api, namespace: str) -> None:
    """What a ConfigMap does not have is dropped; `fieldValidation=Strict` refuses it."""
    path, body = f"/api/v1/namespaces/{namespace}/configmaps", config_map(k="1") | {"odd": 1}
    refused = await api.post(path, body, fieldValidation="Strict")
    assert (refused.status, 'strict decoding error: unknown field "odd"' in refused.json["message"]) == (400, True)
    created = await api.post(path, body)
    assert (created.status, "odd" in created.json) == (201, False)
    assert created.headers["Warning"] == '299 - "unknown field \\"odd\\""'


async def test_an_immutable_config_map_keeps_its_data(api: Api, namespace: str) -> None:
    """Data cannot change, nor can it be made mutable again; metadata can."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await api.post(path, config_map(k="1") | {"immutable": True})
    changed = await api.patch(f"{path}/a", {"data": {"k": "2"}})
    freed = await api.patch(f"{path}/a", {"immutable": False})
    assert changed.causes == [("FieldValueForbidden", "data")]
    assert freed.causes == [("FieldValueForbidden", "immutable")]
    assert (await api.patch(f"{path}/a", {"metadata": {"labels": {"a": "b"}}})).status == 200


@pytest.mark.filterwarnings("ignore:Sending a large body")
@pytest.mark.parametrize("data", [{"a b": "x"}, {"k": "x" * (1024 * 1024 + 1)}])
async def test_the_data_of_a_config_map_is_validated(api: Api, namespace: str, data: dict[str, str]) -> None:
    """Keys are names of files, and all values together have at most 1 MiB."""
    refused = await api.post(f"/api/v1/namespaces/{namespace}/configmaps", config_map(**data))
    assert (refused.status, refused.json["reason"]) == (422, "Invalid")


async def test_a_built_in_kind_takes_strategic_patches(api: Api, namespace: str) -> None:
    """Strategic merge patch of a ConfigMap: 200."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await api.post(path, config_map(k="1"))
    patched = await api.patch(f"{path}/a", {"data": {"l": "2"}}, STRATEGIC)
    assert (patched.status, patched.json["data"]) == (200, {"k": "1", "l": "2"})


async def test_a_secret_keeps_its_text_encoded(api: Api, namespace: str) -> None:
    """`stringData` becomes base64 `data`; the type is Opaque."""
    path = f"/api/v1/namespaces/{namespace}/secrets"
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"k": "hush"}}
    created = await api.post(path, body)
    assert (created.status, created.json["type"]) == (201, "Opaque")
    assert created.json["data"] == {"k": base64.b64encode(b"hush").decode()}
    assert "stringData" not in created.json


async def test_a_namespace_is_active(api: Api, namespace: str) -> None:
    """A namespace has phase Active and its name as a label."""
    found = (await api.get(f"/api/v1/namespaces/{namespace}")).json
    assert found["status"] == {"phase": "Active"}
    assert found["metadata"]["labels"] == {"kubernetes.io/metadata.name": namespace}


async def test_the_default_namespace_is_there(api: Api) -> None:
    """Nobody has to make `default`."""
    assert (await api.get("/api/v1/namespaces/default")).status == 200


async def test_events_of_the_new_group_are_core_events_too(api: Api, namespace: str) -> None:
    """An events.k8s.io Event can be read as a core Event."""
    body = {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "a.1", "namespace": namespace},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "contract.example.com/test",
        "reportingInstance": "test-1",
        "action": "Reconcile",
        "reason": "Done",
        "type": "Normal",
        "note": "It is done.",
        "regarding": {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "namespace": namespace},
    }
    created = await api.post(f"/apis/events.k8s.io/v1/namespaces/{namespace}/events", body)
    assert created.status == 201, created.text
    core = (await api.get(f"/api/v1/namespaces/{namespace}/events/a.1")).json
    assert (core["message"], core["involvedObject"]["name"]) == ("It is done.", "a")
    assert core["reportingComponent"] == "contract.example.com/test"


async def test_a_lease_is_taken_by_its_version(api: Api, namespace: str) -> None:
    """Of two updates from one version, the second is a conflict."""
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    spec = {"holderIdentity": "one", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000000Z"}
    created = await api.post(
        path, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "a"}, "spec": spec}
    )
    assert (created.status, created.json["spec"]) == (201, spec)
    first = await api.put(f"{path}/a", created.json | {"spec": spec | {"holderIdentity": "two"}})
    second = await api.put(f"{path}/a", created.json | {"spec": spec | {"holderIdentity": "three"}})
    assert (first.status, second.status, second.json["reason"]) == (200, 409, "Conflict")


async def test_a_deployment_has_defaults_and_generation(api: Api, namespace: str) -> None:
    """One replica by default, generation 1, and the next on a change of the spec."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    body = deployment()
    del body["spec"]["replicas"]
    created = await api.post(path, body)
    assert (created.status, created.json["spec"]["replicas"], created.json["metadata"]["generation"]) == (201, 1, 1)
    patched = await api.patch(f"{path}/a", {"spec": {"replicas": 3}})
    assert patched.json["metadata"]["generation"] == 2


async def test_a_deployment_status_can_be_set(api: Api, namespace: str) -> None:
    """PATCH /status of a Deployment writes what a controller manager would."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    await api.post(path, deployment())
    status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    patched = await api.patch(f"{path}/a/status", {"status": status})
    assert (patched.status, patched.json["status"]) == (200, status)
    assert patched.json["metadata"]["generation"] == 1


async def test_a_deployment_scales(api: Api, namespace: str) -> None:
    """PATCH /scale of a Deployment sets its replicas."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    await api.post(path, deployment())
    scaled = await api.patch(f"{path}/a/scale", {"spec": {"replicas": 4}})
    assert (scaled.status, scaled.json["spec"], scaled.json["kind"]) == (200, {"replicas": 4}, "Scale")
    assert (await api.get(f"{path}/a")).json["spec"]["replicas"] == 4


async def test_a_deployment_without_a_selector_is_invalid(api: Api, namespace: str) -> None:
    """The selector is required."""
    body = deployment()
    del body["spec"]["selector"]
    refused = await api.post(f"/apis/apps/v1/namespaces/{namespace}/deployments", body)
    assert (refused.status, refused.json["reason"]) == (422, "Invalid")
    assert ("FieldValueRequired", "spec.selector") in refused.causes
