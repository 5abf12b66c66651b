"""The subresources status and scale."""

from __future__ import annotations

import copy

import pytest

from tests.contract.api import JSON_PATCH, METADATA_ONLY, Api
from tests.contract.widgets import FINALIZER, GROUP, PENDING, SCHEMA, Widgets, crd, group_of_its_own, install, widget

pytestmark = pytest.mark.asyncio(loop_scope="session")
READY = {"type": "Ready", "status": "True"}


async def test_a_status_patch_writes_the_status_only(widgets: Widgets) -> None:
    """PATCH /status ignores finalizers, labels, annotations and spec, and keeps generation."""
    await widgets.create()
    metadata = {"finalizers": [FINALIZER], "labels": {"a": "b"}, "annotations": {"c": "d"}}
    body = {"metadata": metadata, "spec": {"size": 7}, "status": {"phase": "Done"}}
    patched = await widgets.api.patch(widgets.at("a", "status"), body)
    assert (patched.status, patched.json["status"]["phase"], patched.json["spec"]["size"]) == (200, "Done", 1)
    assert not metadata.keys() & patched.json["metadata"].keys()
    assert patched.json["metadata"]["generation"] == 1


async def test_a_status_merge_patch_merges(widgets: Widgets) -> None:
    """Atomic ownership does not change what a merge patch means: other fields of the status stay."""
    await widgets.create()
    patched = await widgets.api.patch(widgets.at("a", "status"), {"status": {"size": 2}})
    assert patched.json["status"] == PENDING | {"size": 2}


async def test_a_status_patch_that_changes_nothing_keeps_the_version(widgets: Widgets) -> None:
    """The same status again: 200, same resourceVersion."""
    await widgets.create()
    body = {"status": {"phase": "Done", "conditions": [READY]}}
    first = await widgets.api.patch(widgets.at("a", "status"), body)
    second = await widgets.api.patch(widgets.at("a", "status"), body)
    assert (second.status, second.version) == (200, first.version)


async def test_a_status_set_to_null_is_defaulted_again(widgets: Widgets) -> None:
    """Removing the status brings the schema's default back."""
    await widgets.create()
    await widgets.api.patch(widgets.at("a", "status"), {"status": {"phase": "Done"}})
    patched = await widgets.api.patch(widgets.at("a", "status"), {"status": None})
    assert patched.json["status"] == PENDING


async def test_a_status_patch_with_another_uid_is_written(widgets: Widgets) -> None:
    """A merge patch on /status does not compare metadata.uid: 200, written."""
    uid = (await widgets.create()).json["metadata"]["uid"]
    body = {"metadata": {"uid": "another"}, "status": {"phase": "Done"}}
    patched = await widgets.api.patch(widgets.at("a", "status"), body)
    assert (patched.status, patched.json["status"]["phase"]) == (200, "Done")
    assert patched.json["metadata"]["uid"] == uid


async def test_a_status_patch_with_a_stale_version_is_a_conflict(widgets: Widgets) -> None:
    """A resourceVersion inside a status patch is a precondition."""
    created = await widgets.create()
    await widgets.api.patch(widgets.at(), {"spec": {"size": 2}})
    body = {"metadata": {"resourceVersion": created.version}, "status": {"phase": "Done"}}
    refused = await widgets.api.patch(widgets.at("a", "status"), body)
    assert (refused.status, refused.json["reason"]) == (409, "Conflict")


async def test_a_status_update_replaces_the_status_only(widgets: Widgets) -> None:
    """PUT /status writes the whole status and leaves the spec."""
    body = (await widgets.create()).json
    body["spec"] = {"text": "ignored"}
    body["status"] = {"phase": "Done"}
    updated = await widgets.api.put(widgets.at("a", "status"), body)
    assert (updated.status, updated.json["status"]) == (200, {"phase": "Done"})
    assert updated.json["spec"]["text"] == "hello"


async def test_a_status_is_validated(widgets: Widgets) -> None:
    """A status against its schema is Invalid, with the field named."""
    await widgets.create()
    refused = await widgets.api.patch(widgets.at("a", "status"), {"status": {"phase": 3}})
    assert (refused.status, refused.causes) == (422, [("FieldValueTypeInvalid", "status.phase")])


async def test_duplicate_condition_types_are_refused(widgets: Widgets) -> None:
    """Conditions are a map by type, even below an atomic status."""
    await widgets.create()
    body = {"status": {"conditions": [READY, READY]}}
    refused = await widgets.api.patch(widgets.at("a", "status"), body)
    assert (refused.status, refused.causes) == (422, [("FieldValueDuplicate", "status.conditions[1]")])
    assert 'Duplicate value: {"type":"Ready"}' in refused.json["message"]


async def test_unknown_status_fields_are_pruned(widgets: Widgets) -> None:
    """A status field that the schema does not have is dropped."""
    await widgets.create()
    patched = await widgets.api.patch(widgets.at("a", "status"), {"status": {"phase": "Done", "zzz": 1}})
    assert (patched.status, "zzz" in patched.json["status"]) == (200, False)


async def test_a_status_answer_can_be_metadata_only(widgets: Widgets) -> None:
    """A status patch answers with metadata only where asked to."""
    await widgets.create()
    patched = await widgets.api.patch(widgets.at("a", "status"), {"status": {"phase": "Done"}}, accept=METADATA_ONLY)
    assert (patched.status, patched.json["kind"]) == (200, "PartialObjectMetadata")
    assert "status" not in patched.json


async def test_a_status_answer_tells_of_a_spec_that_it_does_not_show(widgets: Widgets) -> None:
    """The answer to a status patch has the generation of the newest spec, whoever wrote that."""
    await widgets.create()
    await widgets.api.patch(widgets.at(), {"spec": {"size": 2}})
    patched = await widgets.api.patch(widgets.at("a", "status"), {"status": {"phase": "Done"}}, accept=METADATA_ONLY)
    assert patched.json["metadata"]["generation"] == 2


async def test_a_guarded_patch_makes_the_first_status(api: Api, namespace: str) -> None:
    """`add /status` works where the schema has no default and no status is there yet."""
    group, schema = group_of_its_own(), copy.deepcopy(SCHEMA)
    del schema["properties"]["status"]["default"]
    await install(api, crd(group, schema=schema))
    path = f"/apis/{group}/v1/namespaces/{namespace}/widgets"
    created = await api.post(path, widget() | {"apiVersion": f"{group}/v1"})
    assert "status" not in created.json
    operations = [
        {"op": "test", "path": "/metadata/uid", "value": created.json["metadata"]["uid"]},
        {"op": "add", "path": "/status", "value": {"phase": "Done"}},
    ]
    patched = await api.patch(f"{path}/a/status", operations, JSON_PATCH)
    assert (patched.status, patched.json["status"]) == (200, {"phase": "Done"})


async def test_a_status_can_be_read(widgets: Widgets) -> None:
    """GET /status answers with the whole object."""
    created = await widgets.create()
    assert (await widgets.api.get(widgets.at("a", "status"))).json == created.json


async def test_a_status_patch_of_nothing_is_not_found(widgets: Widgets) -> None:
    """No object, no status."""
    assert (await widgets.api.patch(widgets.at("nope", "status"), {"status": {}})).status == 404


async def test_scale_shows_replicas_and_selector(widgets: Widgets) -> None:
    """GET /scale maps the paths that the CRD declares."""
    created = await widgets.create()
    await widgets.api.patch(widgets.at("a", "status"), {"status": {"size": 1, "selector": "app=a"}})
    scale = (await widgets.api.get(widgets.at("a", "scale"))).json
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert (scale["spec"], scale["status"]) == ({"replicas": 1}, {"replicas": 1, "selector": "app=a"})
    assert scale["metadata"]["uid"] == created.json["metadata"]["uid"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_scale_writes_the_spec(widgets: Widgets, method: str) -> None:
    """A write of /scale sets the replicas path of the spec and adds one to generation."""
    await widgets.create()
    body = (await widgets.api.get(widgets.at("a", "scale"))).json
    body["spec"]["replicas"] = 5
    kind = "application/merge-patch+json" if method == "PATCH" else ""
    written = await widgets.api.request(method, widgets.at("a", "scale"), body, kind)
    assert (written.status, written.json["spec"]) == (200, {"replicas": 5})
    found = (await widgets.api.get(widgets.at())).json
    assert (found["spec"]["size"], found["metadata"]["generation"]) == (5, 2)


async def test_scale_obeys_the_schema(widgets: Widgets) -> None:
    """Replicas beyond the schema's maximum are Invalid."""
    await widgets.create()
    refused = await widgets.api.patch(widgets.at("a", "scale"), {"spec": {"replicas": 101}})
    assert (refused.status, refused.json["reason"]) == (422, "Invalid")


async def test_scale_refuses_what_is_no_number_of_replicas(widgets: Widgets) -> None:
    """A negative number is Invalid at the path that the CRD declares, in the object and in its scale."""
    await widgets.create()
    scaled = await widgets.api.patch(widgets.at("a", "scale"), {"spec": {"replicas": -1}})
    patched = await widgets.api.patch(widgets.at("a", "status"), {"status": {"size": -1}})
    assert (scaled.status, patched.status) == (422, 422)
    assert ("FieldValueInvalid", ".spec.size") in scaled.causes
    assert patched.causes == [("FieldValueInvalid", ".status.size")]


async def test_scale_with_a_stale_version_is_a_conflict(widgets: Widgets) -> None:
    """The version in a scale is that of the object."""
    await widgets.create()
    scale = (await widgets.api.get(widgets.at("a", "scale"))).json
    await widgets.api.patch(widgets.at(), {"spec": {"text": "bye"}})
    refused = await widgets.api.put(widgets.at("a", "scale"), scale)
    assert (refused.status, refused.json["reason"]) == (409, "Conflict")


async def test_an_unknown_subresource_is_not_found(widgets: Widgets) -> None:
    """A subresource that the kind does not have answers NotFound."""
    await widgets.create()
    missing = await widgets.api.get(f"/apis/{GROUP}/v1/namespaces/{widgets.namespace}/widgets/a/nope")
    assert (missing.status, missing.json["reason"]) == (404, "NotFound")
