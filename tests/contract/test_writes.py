"""Changing objects: patches, updates, versions and generations."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.api import JSON_PATCH, MERGE, METADATA_ONLY, STRATEGIC, Api, failure
from tests.contract.widgets import FINALIZER, GROUP, Widgets, config_map, widget

pytestmark = pytest.mark.asyncio(loop_scope="session")
STALE = "the object has been modified; please apply your changes to the latest version and try again"


async def test_merge_patch_changes_what_it_names(widgets: Widgets) -> None:
    """A merge patch sets values, removes those that are null, and leaves the rest."""
    await widgets.create(labels={"keep": "1", "drop": "1"})
    body = {"metadata": {"labels": {"drop": None, "new": "1"}}, "spec": {"size": 3}}
    patched = await widgets.api.patch(widgets.at(), body)
    assert (patched.status, patched.json["metadata"]["labels"]) == (200, {"keep": "1", "new": "1"})
    assert patched.json["spec"] == {"text": "hello", "size": 3}


async def test_a_spec_change_adds_one_to_generation(widgets: Widgets) -> None:
    """A spec change makes a newer resourceVersion and the next generation."""
    before = await widgets.create()
    after = await widgets.api.patch(widgets.at(), {"spec": {"size": 3}})
    assert after.json["metadata"]["generation"] == 2
    assert int(after.version) > int(before.version)


async def test_a_metadata_change_keeps_generation(widgets: Widgets) -> None:
    """Labels, annotations and finalizers make a newer resourceVersion and the same generation."""
    before = await widgets.create()
    metadata = {"labels": {"a": "b"}, "annotations": {"c": "d"}, "finalizers": [FINALIZER]}
    after = await widgets.api.patch(widgets.at(), {"metadata": metadata})
    assert after.json["metadata"]["generation"] == 1
    assert int(after.version) > int(before.version)


@pytest.mark.parametrize("body", [{}, {"spec": {"size": 1}}, {"metadata": {"labels": {"none": None}}}])
async def test_a_patch_that_changes_nothing_keeps_the_version(widgets: Widgets, body: dict[str, object]) -> None:
    """A no-op merge patch answers 200 with the same resourceVersion and makes no event."""
    await widgets.create()
    created = await widgets.settle()
    async with widgets.api.watch(widgets.path, resourceVersion=created.version) as watch:
        patched = await widgets.api.patch(widgets.at(), body)
        assert (patched.status, patched.version) == (200, created.version)
        await widgets.create("b")
        assert await watch.seen(1) == [("ADDED", "b")]


async def test_the_first_write_stores_a_defaulted_status(widgets: Widgets) -> None:
    """CREATE stores no status: the first write after it stores the default and so makes a newer version."""
    created = await widgets.create()
    settled = await widgets.settle()
    assert int(settled.version) > int(created.version)
    assert settled.json["status"] == created.json["status"]


async def test_an_identical_update_keeps_the_version(widgets: Widgets) -> None:
    """PUT of the object as it is answers 200 with the same resourceVersion."""
    await widgets.create()
    created = await widgets.settle()
    updated = await widgets.api.put(widgets.at(), created.json)
    assert (updated.status, updated.version) == (200, created.version)


async def test_update_replaces_the_spec(widgets: Widgets) -> None:
    """PUT replaces: what it leaves out is gone, or back at its default."""
    body = (await widgets.create()).json
    body["spec"] = {"text": "bye"}
    updated = await widgets.api.put(widgets.at(), body)
    assert (updated.status, updated.json["spec"]) == (200, {"text": "bye", "size": 1})


async def test_update_may_leave_out_what_only_the_server_writes(widgets: Widgets) -> None:
    """PUT with name and resourceVersion alone keeps namespace, uid, creationTimestamp and owners."""
    created = (await widgets.create()).json["metadata"]
    body = widget(text="bye", resourceVersion=created["resourceVersion"])
    metadata = (await widgets.api.put(widgets.at(), body)).json["metadata"]
    kept = ("name", "namespace", "uid", "creationTimestamp")
    assert {field: metadata[field] for field in kept} == {field: created[field] for field in kept}
    assert metadata["managedFields"]


async def test_update_with_another_uid_is_a_conflict(widgets: Widgets) -> None:
    """PUT names the object that it means, on the object and on its status."""
    metadata = {"resourceVersion": (await widgets.create()).version, "uid": "another"}
    for subresource in ("", "status"):
        refused = await widgets.api.put(widgets.at("a", subresource), widget(**metadata))
        assert (refused.status, refused.json["reason"]) == (409, "Conflict")
        assert "Precondition failed: UID in precondition: another" in refused.json["message"]


async def test_update_without_a_version_is_refused(widgets: Widgets) -> None:
    """PUT of a custom object must name the resourceVersion that it replaces."""
    await widgets.create()
    refused = await widgets.api.put(widgets.at(), widget(text="bye"))
    message = (
        f'widgets.{GROUP} "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update'
    )
    assert (refused.status, refused.json["reason"], refused.json["message"]) == (422, "Invalid", message)


async def test_update_of_a_config_map_may_leave_out_the_version(api: Api, namespace: str) -> None:
    """PUT of a built-in object without a resourceVersion overwrites."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await api.post(path, config_map(k="1"))
    updated = await api.put(f"{path}/a", config_map(k="2"))
    assert (updated.status, updated.json["data"]) == (200, {"k": "2"})


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_stale_version_is_a_conflict(widgets: Widgets, method: str) -> None:
    """A write that names an older resourceVersion answers Conflict, to the byte."""
    created = (await widgets.create()).json
    await widgets.api.patch(widgets.at(), {"spec": {"size": 3}})
    created["spec"]["size"] = 4
    kind = "application/merge-patch+json" if method == "PATCH" else ""
    refused = await widgets.api.request(method, widgets.at(), created, kind)
    details = {"name": "a", "group": GROUP, "kind": "widgets"}
    message = f'Operation cannot be fulfilled on widgets.{GROUP} "a": {STALE}'
    assert (refused.status, refused.text) == (409, failure(message, "Conflict", details, 409))


async def test_patches_without_a_version_never_conflict(widgets: Widgets) -> None:
    """Eight merge patches in parallel all succeed."""
    await widgets.create()
    bodies = [{"metadata": {"labels": {f"l{number}": "x"}}} for number in range(8)]
    answers = await asyncio.gather(*(widgets.api.patch(widgets.at(), body) for body in bodies))
    assert {answer.status for answer in answers} == {200}
    assert len((await widgets.api.get(widgets.at())).json["metadata"]["labels"]) == 8


async def test_patch_of_nothing_is_not_found(widgets: Widgets) -> None:
    """A merge patch creates nothing."""
    missing = await widgets.api.patch(widgets.at("nope"), {"spec": {"size": 2}})
    assert (missing.status, missing.json["reason"]) == (404, "NotFound")


async def test_json_patch_changes_by_path(widgets: Widgets) -> None:
    """add, replace, remove and a `test` that holds."""
    await widgets.create(labels={"a": "1"})
    operations = [
        {"op": "test", "path": "/spec/text", "value": "hello"},
        {"op": "replace", "path": "/spec/text", "value": "bye"},
        {"op": "add", "path": "/spec/tags", "value": ["x"]},
        {"op": "add", "path": "/spec/tags/-", "value": "y"},
        {"op": "remove", "path": "/metadata/labels/a"},
    ]
    patched = await widgets.api.patch(widgets.at(), operations, JSON_PATCH)
    assert (patched.status, patched.json["spec"]) == (200, {"text": "bye", "size": 1, "tags": ["x", "y"]})
    assert "labels" not in patched.json["metadata"]


@pytest.mark.parametrize(
    ("operation", "spec"),
    [
        ({"op": "replace", "path": "/spec/color", "value": "red"}, {"text": "hello", "size": 1, "color": "red"}),
        ({"op": "test", "path": "/spec/color", "value": None}, {"text": "hello", "size": 1}),
        ({"op": "copy", "from": "/spec/color", "path": "/spec/code"}, {"text": "hello", "size": 1}),
        ({"op": "add", "path": "/spec/tags/-1", "value": "z"}, None),
        ({"op": "remove", "path": "/spec/color"}, None),
        ({"op": "move", "from": "/spec/color", "path": "/spec/code"}, None),
        ({"op": "test", "path": "/spec/size", "value": 1.0}, None),
        ({"op": "test", "path": "/spec/size", "value": True}, None),
        ({"op": "add", "path": "/spec/none/deeper", "value": 1}, None),
        ({"op": "odd", "path": "/spec/size"}, None),
    ],
)
async def test_a_json_patch_reads_a_missing_field_as_null(
    widgets: Widgets, operation: dict[str, object], spec: dict[str, object] | None
) -> None:
    """`replace` sets it, `test` finds null, `copy` takes nothing; what needs it to be there is 422 without details."""
    await widgets.create()
    patched = await widgets.api.patch(widgets.at(), [operation], JSON_PATCH, dryRun="All")
    if spec is not None:
        assert (patched.status, patched.json["spec"]) == (200, spec)
    else:
        assert (patched.status, patched.json["reason"], patched.json["details"]) == (422, "Invalid", {})


async def test_a_json_patch_counts_from_the_end(widgets: Widgets) -> None:
    """A negative index: -1 is the last entry, and to add there is to append."""
    await widgets.create()
    operations = [
        {"op": "add", "path": "/spec/tags", "value": ["x"]},
        {"op": "add", "path": "/spec/tags/-1", "value": "y"},
        {"op": "replace", "path": "/spec/tags/-2", "value": "z"},
    ]
    assert (await widgets.api.patch(widgets.at(), operations, JSON_PATCH)).json["spec"]["tags"] == ["z", "y"]


@pytest.mark.parametrize(
    ("body", "content"),
    [([1], MERGE), ({"a": 1}, JSON_PATCH), ([1], JSON_PATCH), ("{nonsense", MERGE), ("[1", JSON_PATCH)],
)
async def test_a_patch_that_is_none_is_a_bad_request(widgets: Widgets, body: object, content: str) -> None:
    """A merge patch is an object, a JSON patch a list of objects: 400."""
    await widgets.create()
    refused = await widgets.api.patch(widgets.at(), body, content)
    assert (refused.status, refused.json["reason"]) == (400, "BadRequest")
    assert refused.json["message"].startswith("error decoding patch: ")


@pytest.mark.parametrize(
    "body",
    [
        {"metadata": {"labels": {"a": 1}}},
        {"metadata": {"finalizers": "x"}},
        {"kind": None},
        {"metadata": {"finalizers": [1]}},
    ],
)
async def test_a_patch_that_makes_no_object_is_invalid(widgets: Widgets, body: object) -> None:
    """What the patch makes cannot be read: 422, with the field `patch`."""
    created = await widgets.create()
    refused = await widgets.api.patch(widgets.at(), body)
    assert (refused.status, refused.causes) == (422, [("FieldValueInvalid", "patch")])
    assert (await widgets.api.get(widgets.at())).version == created.version


async def test_a_patch_cannot_take_the_name(widgets: Widgets) -> None:
    """An object without a name cannot be told apart: 400."""
    await widgets.create()
    refused = await widgets.api.patch(widgets.at(), {"metadata": None})
    message = "the name of the object (a based on URL) was undeterminable: name must be provided"
    assert (refused.status, refused.json["message"]) == (400, message)


async def test_a_failed_json_patch_test_is_invalid_without_details(widgets: Widgets) -> None:
    """A `test` on another uid answers 422 with empty details, to the byte, and writes nothing."""
    created = await widgets.create()
    operations = [
        {"op": "test", "path": "/metadata/uid", "value": "another"},
        {"op": "replace", "path": "/spec/text", "value": "bye"},
    ]
    refused = await widgets.api.patch(widgets.at(), operations, JSON_PATCH)
    message = "the server rejected our request due to an error in our request"
    assert (refused.status, refused.text) == (422, failure(message, "Invalid", {}, 422))
    assert (await widgets.api.get(widgets.at())).version == created.version


async def test_json_patch_guards_a_status_by_uid(widgets: Widgets) -> None:
    """`test /metadata/uid` and `add /status` write the status of that very object, and repeated change nothing."""
    created = (await widgets.create()).json
    operations = [
        {"op": "test", "path": "/metadata/uid", "value": created["metadata"]["uid"]},
        {"op": "add", "path": "/status", "value": {"phase": "Done"}},
    ]
    first = await widgets.api.patch(widgets.at("a", "status"), operations, JSON_PATCH)
    second = await widgets.api.patch(widgets.at("a", "status"), operations, JSON_PATCH)
    assert (first.status, first.json["status"]) == (200, {"phase": "Done"})
    assert (second.status, second.version) == (200, first.version)


async def test_a_guarded_status_of_another_uid_is_invalid(widgets: Widgets) -> None:
    """The same guard on /status answers 422 with empty details on a mismatch."""
    await widgets.create()
    operations = [
        {"op": "test", "path": "/metadata/uid", "value": "another"},
        {"op": "add", "path": "/status", "value": {"phase": "Done"}},
    ]
    refused = await widgets.api.patch(widgets.at("a", "status"), operations, JSON_PATCH)
    assert (refused.status, refused.json["reason"], refused.json["details"]) == (422, "Invalid", {})


async def test_a_merge_patch_with_another_uid_is_a_conflict_or_invalid_on_the_object(widgets: Widgets) -> None:
    """On the main resource a wrong uid is refused and nothing is written."""
    created = await widgets.create()
    refused = await widgets.api.patch(widgets.at(), {"metadata": {"uid": "another"}, "spec": {"size": 9}})
    assert (refused.status, refused.json["reason"]) == (422, "Invalid")
    assert refused.causes == [("FieldValueInvalid", "metadata.uid")] * 2
    assert (await widgets.api.get(widgets.at())).version == created.version


async def test_a_patch_can_be_tried(widgets: Widgets) -> None:
    """DryRun answers with what would be, and nothing is."""
    created = await widgets.create()
    tried = await widgets.api.patch(widgets.at(), {"spec": {"size": 2}}, dryRun="All")
    assert (tried.status, tried.json["spec"]["size"], tried.json["metadata"]["generation"]) == (200, 2, 2)
    assert (await widgets.api.get(widgets.at())).text == created.text


@pytest.mark.parametrize("option", ["dryRun", "fieldValidation", "force"])
async def test_an_option_that_means_nothing_is_invalid(widgets: Widgets, option: str) -> None:
    """422 about PatchOptions."""
    await widgets.create()
    refused = await widgets.api.patch(widgets.at(), {}, **{option: "odd"})
    assert (refused.status, refused.json["details"]["kind"]) == (422, "PatchOptions")
    assert [field for _, field in refused.causes] == [option]


async def test_a_patch_warns_of_unknown_fields(widgets: Widgets) -> None:
    """A patch prunes with a warning, and with `fieldValidation=Strict` it is refused as making no object."""
    await widgets.create()
    patched = await widgets.api.patch(widgets.at(), {"spec": {"zzz": 1}})
    assert (patched.status, patched.headers["Warning"]) == (200, '299 - "unknown field \\"spec.zzz\\""')
    refused = await widgets.api.patch(widgets.at(), {"spec": {"zzz": 1}}, fieldValidation="Strict")
    assert (refused.status, refused.causes) == (422, [("FieldValueInvalid", "patch")])


async def test_a_strategic_patch_of_a_custom_object_is_unsupported(widgets: Widgets) -> None:
    """Strategic merge patch is for built-in kinds: 415."""
    await widgets.create()
    refused = await widgets.api.patch(widgets.at(), {"spec": {"size": 2}}, STRATEGIC)
    assert (refused.status, refused.json["reason"]) == (415, "UnsupportedMediaType")


async def test_a_patch_of_no_known_type_is_unsupported(widgets: Widgets) -> None:
    """`application/json` is no patch type: 415."""
    await widgets.create()
    assert (await widgets.api.patch(widgets.at(), {}, "application/json")).status == 415


async def test_the_main_patch_ignores_status(widgets: Widgets) -> None:
    """A merge patch of the object does not touch the status."""
    created = await widgets.create()
    patched = await widgets.api.patch(widgets.at(), {"status": {"phase": "Done"}, "spec": {"size": 2}})
    assert (patched.status, patched.json["status"]) == (200, created.json["status"])
    assert patched.json["spec"]["size"] == 2


async def test_a_patch_answer_can_be_metadata_only(widgets: Widgets) -> None:
    """A patch whose answer is PartialObjectMetadata still writes."""
    await widgets.create()
    patched = await widgets.api.patch(widgets.at(), {"spec": {"size": 2}}, accept=METADATA_ONLY)
    assert (patched.status, set(patched.json)) == (200, {"kind", "apiVersion", "metadata"})
    assert patched.json["metadata"]["generation"] == 2
    assert (await widgets.api.get(widgets.at())).json["spec"]["size"] == 2


async def test_system_metadata_cannot_be_written(widgets: Widgets) -> None:
    """CreationTimestamp and generation of a write are ignored."""
    created = (await widgets.create()).json["metadata"]
    body = {"metadata": {"generation": 77, "creationTimestamp": "2001-01-01T00:00:00Z"}, "spec": {"size": 2}}
    patched = (await widgets.api.patch(widgets.at(), body)).json["metadata"]
    assert (patched["generation"], patched["creationTimestamp"]) == (2, created["creationTimestamp"])


async def test_owner_references_are_kept(widgets: Widgets) -> None:
    """An owner reference is stored as sent."""
    owner = (await widgets.create("owner")).json
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": "Widget",
        "name": "owner",
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    child = await widgets.create("child", ownerReferences=[reference])
    assert child.json["metadata"]["ownerReferences"] == [reference]


async def test_two_controllers_are_refused(widgets: Widgets) -> None:
    """Only one owner reference may be the controller."""
    owners = [{"apiVersion": "v1", "kind": "Pod", "name": name, "uid": name, "controller": True} for name in ("p", "q")]
    refused = await widgets.api.post(widgets.path, widget(ownerReferences=owners))
    assert (refused.status, refused.json["reason"]) == (422, "Invalid")
    assert refused.causes == [("FieldValueInvalid", "metadata.ownerReferences")]
