"""Deleting objects, with and without finalizers and preconditions."""

from __future__ import annotations

import pytest

from tests.contract.api import JSON_PATCH, Api
from tests.contract.widgets import FINALIZER, GROUP, Widgets, config_map, widget

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_delete_without_finalizers_answers_success_with_the_uid(widgets: Widgets) -> None:
    """An object without finalizers is gone at once; the answer is a Status that names it."""
    uid = (await widgets.create()).json["metadata"]["uid"]
    deleted = await widgets.api.delete(widgets.at())
    assert deleted.status == 200
    assert deleted.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "a", "group": GROUP, "kind": "widgets", "uid": uid},
    }
    assert (await widgets.api.get(widgets.at())).status == 404


async def test_delete_of_nothing_is_not_found(widgets: Widgets) -> None:
    """A second DELETE answers NotFound."""
    missing = await widgets.api.delete(widgets.at("nope"))
    assert (missing.status, missing.json["reason"]) == (404, "NotFound")


async def test_delete_with_a_finalizer_marks_the_object(widgets: Widgets) -> None:
    """The object stays, with deletionTimestamp, grace period 0 and the next generation."""
    created = await widgets.create(finalizers=[FINALIZER])
    deleted = await widgets.api.delete(widgets.at())
    metadata = deleted.json["metadata"]
    assert (deleted.status, deleted.json["kind"]) == (200, "Widget")
    assert metadata["deletionTimestamp"].endswith("Z")
    assert (metadata["deletionGracePeriodSeconds"], metadata["generation"]) == (0, 2)
    assert int(deleted.version) > int(created.version)
    assert (await widgets.api.get(widgets.at())).version == deleted.version


async def test_a_second_delete_of_a_marked_object_changes_nothing(widgets: Widgets) -> None:
    """DELETE again answers 200 with the same version."""
    await widgets.create(finalizers=[FINALIZER])
    first = await widgets.api.delete(widgets.at())
    second = await widgets.api.delete(widgets.at())
    assert (second.status, second.version) == (200, first.version)


async def test_removing_the_last_finalizer_removes_the_object(widgets: Widgets) -> None:
    """The patch answers 200 with the object; then it is gone."""
    await widgets.create(finalizers=[FINALIZER])
    await widgets.api.delete(widgets.at())
    patched = await widgets.api.patch(widgets.at(), {"metadata": {"finalizers": None}})
    assert (patched.status, patched.json["kind"], "finalizers" in patched.json["metadata"]) == (200, "Widget", False)
    assert (await widgets.api.get(widgets.at())).status == 404


async def test_a_finalizer_can_be_removed_by_json_patch(widgets: Widgets) -> None:
    """A guarded removal by index works on a deleted object and leaves the other finalizer."""
    await widgets.create(finalizers=[FINALIZER, f"{GROUP}/other"])
    await widgets.api.delete(widgets.at())
    operations = [
        {"op": "test", "path": "/metadata/finalizers/0", "value": FINALIZER},
        {"op": "remove", "path": "/metadata/finalizers/0"},
    ]
    patched = await widgets.api.patch(widgets.at(), operations, JSON_PATCH)
    assert patched.json["metadata"]["finalizers"] == [f"{GROUP}/other"]


async def test_removing_a_finalizer_of_a_live_object_keeps_it(widgets: Widgets) -> None:
    """Without a deletion, no finalizers means nothing."""
    await widgets.create(finalizers=[FINALIZER])
    await widgets.api.patch(widgets.at(), {"metadata": {"finalizers": None}})
    assert (await widgets.api.get(widgets.at())).status == 200


async def test_a_new_finalizer_during_deletion_is_forbidden(widgets: Widgets) -> None:
    """A deleted object takes no more finalizers: Invalid, with the same cause twice."""
    await widgets.create(finalizers=[FINALIZER])
    await widgets.api.delete(widgets.at())
    refused = await widgets.api.patch(widgets.at(), {"metadata": {"finalizers": [FINALIZER, f"{GROUP}/new"]}})
    assert (refused.status, refused.json["reason"]) == (422, "Invalid")
    assert refused.causes == [("FieldValueForbidden", "metadata.finalizers")] * 2
    assert "no new finalizers can be added if the object is being deleted" in refused.json["message"]


async def test_a_deleted_object_still_takes_a_status(widgets: Widgets) -> None:
    """While finalizers hold it, the status can be written."""
    await widgets.create(finalizers=[FINALIZER])
    await widgets.api.delete(widgets.at())
    patched = await widgets.api.patch(widgets.at("a", "status"), {"status": {"phase": "Leaving"}})
    assert (patched.status, patched.json["status"]["phase"]) == (200, "Leaving")


async def test_delete_with_another_uid_is_a_conflict(widgets: Widgets) -> None:
    """A uid precondition that does not hold: 409, with the Kind in its details, and the object stays."""
    uid = (await widgets.create()).json["metadata"]["uid"]
    refused = await widgets.api.delete(widgets.at(), {"preconditions": {"uid": "another"}})
    assert (refused.status, refused.json["reason"]) == (409, "Conflict")
    assert refused.json["details"] == {"name": "a", "group": GROUP, "kind": "Widget"}
    why = f"Precondition failed: UID in precondition: another, UID in object meta: {uid}"
    other = f"the UID in the precondition (another) does not match the UID in record ({uid})"
    assert why in refused.json["message"] or other in refused.json["message"]
    assert (await widgets.api.get(widgets.at())).status == 200


async def test_delete_with_the_right_uid_deletes(widgets: Widgets) -> None:
    """A uid precondition that holds is no hindrance."""
    uid = (await widgets.create()).json["metadata"]["uid"]
    assert (await widgets.api.delete(widgets.at(), {"preconditions": {"uid": uid}})).status == 200


async def test_delete_with_a_stale_version_is_a_conflict(widgets: Widgets) -> None:
    """A resourceVersion precondition that does not hold: 409."""
    created = await widgets.create()
    await widgets.api.patch(widgets.at(), {"spec": {"size": 2}})
    refused = await widgets.api.delete(widgets.at(), {"preconditions": {"resourceVersion": created.version}})
    assert (refused.status, refused.json["reason"]) == (409, "Conflict")


async def test_a_name_is_taken_until_its_object_is_gone(widgets: Widgets) -> None:
    """While finalizers hold a deleted object, its name cannot be used: AlreadyExists says why."""
    await widgets.create(finalizers=[FINALIZER])
    await widgets.api.delete(widgets.at())
    refused = await widgets.api.post(widgets.path, widget())
    assert (refused.status, refused.json["reason"]) == (409, "AlreadyExists")
    assert refused.json["message"] == f'object is being deleted: widgets.{GROUP} "a" already exists'


async def test_a_deletion_can_be_tried(widgets: Widgets) -> None:
    """DryRun answers as the deletion would, and nothing is gone."""
    await widgets.create()
    await widgets.create("held", finalizers=[FINALIZER])
    gone = await widgets.api.delete(widgets.at(), dryRun="All")
    held = await widgets.api.delete(widgets.at("held"), dryRun="All")
    assert (gone.json["status"], held.json["metadata"]["deletionGracePeriodSeconds"]) == ("Success", 0)
    assert (await widgets.api.get(widgets.at())).status == 200
    assert "deletionTimestamp" not in (await widgets.api.get(widgets.at("held"))).json["metadata"]


async def test_the_body_of_a_deletion_overrules_the_query(widgets: Widgets) -> None:
    """With options in the body those of the query are not read, not even dryRun."""
    uid = (await widgets.create()).json["metadata"]["uid"]
    await widgets.api.delete(widgets.at(), {"preconditions": {"uid": uid}}, dryRun="All")
    assert (await widgets.api.get(widgets.at())).status == 404


async def test_an_unknown_propagation_policy_is_invalid(widgets: Widgets) -> None:
    """422 about DeleteOptions, and the object stays."""
    await widgets.create()
    refused = await widgets.api.delete(widgets.at(), {"propagationPolicy": "Odd"})
    assert (refused.status, refused.json["details"]["kind"]) == (422, "DeleteOptions")
    assert refused.causes == [("FieldValueNotSupported", "propagationPolicy")]
    assert (await widgets.api.get(widgets.at())).status == 200


async def test_a_leaving_namespace_takes_nothing_new(api: Api, namespace: str) -> None:
    """A deleted namespace is Terminating while something is held in it, and refuses new objects: 403 with a cause."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    held = config_map()
    held["metadata"]["finalizers"] = [FINALIZER]
    assert (await api.post(path, held)).status == 201
    deleted = await api.delete(f"/api/v1/namespaces/{namespace}")
    assert (deleted.status, deleted.json["status"]["phase"]) == (200, "Terminating")
    refused = await api.post(path, config_map("late"))
    assert (refused.status, refused.json["reason"]) == (403, "Forbidden")
    assert refused.causes == [("NamespaceTerminating", "metadata.namespace")]
    assert (await api.get(f"{path}/a")).status == 200


async def test_a_name_used_again_is_a_new_object(widgets: Widgets) -> None:
    """Delete and create: another uid, generation 1."""
    first = (await widgets.create()).json["metadata"]
    await widgets.api.patch(widgets.at(), {"spec": {"size": 2}})
    await widgets.api.delete(widgets.at())
    second = (await widgets.create()).json["metadata"]
    assert second["uid"] != first["uid"]
    assert second["generation"] == 1


async def test_delete_of_a_collection_takes_its_selector(widgets: Widgets) -> None:
    """DELETE of a collection removes what the label selector picks."""
    await widgets.create("a", labels={"app": "x"})
    await widgets.create("b", labels={"app": "y"})
    deleted = await widgets.api.delete(widgets.path, labelSelector="app=x")
    left = (await widgets.api.get(widgets.path)).json["items"]
    assert (deleted.status, [item["metadata"]["name"] for item in left]) == (200, ["b"])


async def test_delete_of_a_config_map_answers_success(api: Api, namespace: str) -> None:
    """A built-in object's Status names it without a group."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    uid = (await api.post(path, config_map())).json["metadata"]["uid"]
    deleted = await api.delete(f"{path}/a")
    assert (deleted.status, deleted.json["details"]) == (200, {"name": "a", "kind": "configmaps", "uid": uid})


async def test_delete_accepts_a_propagation_policy(widgets: Widgets) -> None:
    """`propagationPolicy=Background` deletes at once."""
    await widgets.create()
    deleted = await widgets.api.delete(widgets.at(), {"propagationPolicy": "Background"})
    assert (deleted.status, (await widgets.api.get(widgets.at())).status) == (200, 404)
