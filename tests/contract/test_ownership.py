"""Who owns which field, and server-side apply."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.api import APPLY, Answer, Api, Json, failure
from tests.contract.widgets import FINALIZER, GROUP, Widgets, config_map, widget

pytestmark = pytest.mark.asyncio(loop_scope="session")
READY, OTHER = {"type": "Ready", "status": "True"}, {"type": "Other", "status": "True"}


async def applied(
    widgets: Widgets, manager: str, *, subresource: str = "", force: bool = False, **parts: Any
) -> Answer:
    """Apply a widget with these parts as `manager`."""
    body = {
        "apiVersion": f"{GROUP}/v1",
        "kind": "Widget",
        **parts,
        "metadata": {"name": "a", **parts.get("metadata", {})},
    }
    options = {"fieldManager": manager} | ({"force": "true"} if force else {})
    return await widgets.api.patch(widgets.at("a", subresource), body, APPLY, **options)


def owners(answer: Answer) -> dict[tuple[str, str, str], Json]:
    """Return what each manager owns, by name, operation and subresource."""
    entries = answer.json["metadata"].get("managedFields", [])
    return {(it["manager"], it["operation"], it.get("subresource", "")): it["fieldsV1"] for it in entries}


async def test_whoever_writes_a_field_owns_it(widgets: Widgets) -> None:
    """CREATE owns what it sends and defaults of the spec; a patch takes over what it changes; `status` is one field."""
    created = await widgets.api.post(widgets.path, widget(labels={"a": "b"}), fieldManager="maker")
    made = {"f:metadata": {"f:labels": {".": {}, "f:a": {}}}, "f:spec": {".": {}, "f:size": {}, "f:text": {}}}
    assert owners(created) == {("maker", "Update", ""): made}
    await widgets.api.patch(widgets.at(), {"spec": {"size": 2}}, fieldManager="sizer")
    body = {"status": {"phase": "Done", "conditions": [READY]}}
    patched = await widgets.api.patch(widgets.at("a", "status"), body, fieldManager="operator")
    assert owners(patched) == {
        ("maker", "Update", ""): made | {"f:spec": {".": {}, "f:text": {}}},
        ("sizer", "Update", ""): {"f:spec": {"f:size": {}}},
        ("operator", "Update", "status"): {"f:status": {}},
    }


async def test_the_first_word_of_the_user_agent_is_the_manager(widgets: Widgets) -> None:
    """Where no `fieldManager` is told."""
    assert {name for name, _, _ in owners(await widgets.create())} == {"Python"}


async def test_apply_creates(widgets: Widgets) -> None:
    """201 for what is not there; the manager owns what it said, and nobody the defaults."""
    created = await applied(
        widgets, "one", spec={"text": "x"}, metadata={"labels": {"a": "b"}, "finalizers": [FINALIZER]}
    )
    assert (created.status, created.json["spec"]) == (201, {"text": "x", "size": 1})
    metadata: Json = {"f:labels": {"f:a": {}}, "f:finalizers": {f'v:"{FINALIZER}"': {}}}
    assert owners(created) == {("one", "Apply", ""): {"f:metadata": metadata, "f:spec": {"f:text": {}}}}


async def test_the_same_apply_again_changes_nothing(widgets: Widgets) -> None:
    """200, same resourceVersion; that of another manager is a newer version, for it owns the fields too."""
    await applied(widgets, "one", spec={"text": "x"})
    first = await widgets.settle()
    again = await applied(widgets, "one", spec={"text": "x"})
    other = await applied(widgets, "two", spec={"text": "x"})
    assert (again.status, again.version, other.version != first.version) == (200, first.version, True)
    assert set(owners(other)) == {("one", "Apply", ""), ("two", "Apply", "")}


async def test_a_conflict_names_field_and_owner_to_the_byte(widgets: Widgets) -> None:
    """409: another manager owns a field that would change, by a patch here."""
    await widgets.create()
    await widgets.api.patch(widgets.at(), {"spec": {"text": "theirs"}}, fieldManager="facts")
    refused = await applied(widgets, "one", spec={"text": "mine"})
    why = f'conflict with "facts" using {GROUP}/v1'
    causes = [{"reason": "FieldManagerConflict", "message": why, "field": ".spec.text"}]
    message = f"Apply failed with 1 conflict: {why}: .spec.text"
    assert (refused.status, refused.text) == (409, failure(message, "Conflict", {"causes": causes}, 409))


async def test_several_conflicts_are_listed(widgets: Widgets) -> None:
    """Fields of one level before those below it."""
    await applied(widgets, "one", spec={"text": "x", "tags": ["x"], "extra": {"k": "v"}})
    refused = await applied(widgets, "two", spec={"text": "y", "tags": ["y"], "extra": {"k": "w"}})
    fields = [".spec.tags", ".spec.text", ".spec.extra.k"]
    lines = "\n".join(f"- {field}" for field in fields)
    assert refused.json["message"] == f'Apply failed with 3 conflicts: conflicts with "one":\n{lines}'
    assert refused.causes == [("FieldManagerConflict", field) for field in fields]


async def test_force_takes_over(widgets: Widgets) -> None:
    """The field changes, and the other manager owns it no more."""
    await applied(widgets, "one", spec={"text": "x", "tags": ["x"]})
    forced = await applied(widgets, "two", spec={"text": "y"}, force=True)
    assert (forced.status, forced.json["spec"]["text"]) == (200, "y")
    assert owners(forced) == {
        ("one", "Apply", ""): {"f:spec": {"f:tags": {}}},
        ("two", "Apply", ""): {"f:spec": {"f:text": {}}},
    }


async def test_what_a_manager_says_no_more_goes(widgets: Widgets) -> None:
    """Unless somebody else owns it too."""
    await applied(
        widgets, "one", spec={"text": "x", "color": "red", "extra": {"k": "v"}}, metadata={"labels": {"a": "b"}}
    )
    await applied(widgets, "two", spec={"color": "red"})
    less = await applied(widgets, "one", spec={"text": "x"})
    assert less.json["spec"] == {"text": "x", "size": 1, "color": "red"}
    assert "labels" not in less.json["metadata"]


async def test_an_empty_map_can_be_filled(api: Api, namespace: str) -> None:
    """Who applied an empty map and now something in it has taken nothing away."""
    path = f"/api/v1/namespaces/{namespace}/configmaps/a"
    await api.patch(path, config_map() | {"data": {}}, APPLY, fieldManager="one")
    filled = await api.patch(path, config_map(k="1"), APPLY, fieldManager="one")
    assert filled.json["data"] == {"k": "1"}


async def test_apply_merges_by_key_and_by_value(api: Api, widgets: Widgets) -> None:
    """Finalizers are a set; ConfigMap data a map: each manager has its own part."""
    await applied(widgets, "one", spec={"text": "x"}, metadata={"finalizers": [FINALIZER]})
    both = await applied(widgets, "two", spec={}, metadata={"finalizers": [f"{GROUP}/other"]})
    assert set(both.json["metadata"]["finalizers"]) == {FINALIZER, f"{GROUP}/other"}
    path = f"/api/v1/namespaces/{widgets.namespace}/configmaps/a"
    await api.patch(path, config_map(k="1"), APPLY, fieldManager="one")
    merged = await api.patch(path, config_map(l="2"), APPLY, fieldManager="two")
    assert merged.json["data"] == {"k": "1", "l": "2"}


async def test_a_status_applied_by_another_conflicts_as_a_whole(widgets: Widgets) -> None:
    """An atomic status has one owner; forced, only what was applied is left."""
    await widgets.create()
    body = {"status": {"phase": "Done", "conditions": [READY]}}
    await widgets.api.patch(widgets.at("a", "status"), body, fieldManager="operator")
    theirs = {"conditions": [OTHER]}
    refused = await applied(widgets, "other", subresource="status", status=theirs)
    assert (refused.status, refused.causes) == (409, [("FieldManagerConflict", ".status")])
    assert f'conflict with "operator" with subresource "status" using {GROUP}/v1' in refused.json["message"]
    forced = await applied(widgets, "other", subresource="status", force=True, status=theirs)
    assert forced.json["status"] == theirs
    assert ("operator", "Update", "status") not in owners(forced)


async def test_a_status_applied_with_another_uid_is_written(widgets: Widgets) -> None:
    """Apply on /status does not compare metadata.uid, as little as a merge patch."""
    uid = (await widgets.create()).json["metadata"]["uid"]
    parts: Json = {"metadata": {"uid": "another"}, "status": {"phase": "Done"}}
    written = await applied(widgets, "other", subresource="status", **parts)
    assert (written.status, written.json["status"], written.json["metadata"]["uid"]) == (200, {"phase": "Done"}, uid)


async def test_an_apply_with_another_uid_is_refused(widgets: Widgets) -> None:
    """Invalid where there is an object, a conflict where there is none."""
    missing = await applied(widgets, "one", spec={"text": "x"}, metadata={"uid": "another"})
    await widgets.create()
    other = await applied(widgets, "one", spec={"text": "hello"}, metadata={"uid": "another"})
    assert (missing.status, missing.json["reason"]) == (409, "Conflict")
    assert "uid mismatch: the provided object specified uid another" in missing.json["message"]
    assert (other.status, other.causes) == (422, [("FieldValueInvalid", "metadata.uid")] * 2)


async def test_an_apply_with_a_stale_version_is_a_conflict(widgets: Widgets) -> None:
    """A resourceVersion is a precondition here too."""
    version = (await widgets.create()).version
    await widgets.api.patch(widgets.at(), {"spec": {"size": 2}})
    refused = await applied(widgets, "one", spec={"color": "red"}, metadata={"resourceVersion": version})
    assert (refused.status, refused.json["reason"], "causes" in refused.json["details"]) == (409, "Conflict", False)


async def test_a_status_cannot_be_applied_to_nothing(widgets: Widgets) -> None:
    """Only the object itself can be made by an apply."""
    assert (await applied(widgets, "one", subresource="status", status={"phase": "Done"})).status == 404


async def test_owners_can_be_cleared(widgets: Widgets) -> None:
    """`managedFields: [{}]` leaves nobody; writes record nothing then, and the next apply finds everything owned."""
    await widgets.create()
    cleared = await widgets.api.patch(widgets.at(), {"metadata": {"managedFields": [{}]}})
    written = await widgets.api.patch(widgets.at(), {"spec": {"size": 2}})
    assert "managedFields" not in cleared.json["metadata"] | written.json["metadata"]
    refused = await applied(widgets, "one", spec={"text": "x"})
    assert f'conflict with "before-first-apply" using {GROUP}/v1: .spec.text' in refused.json["message"]


@pytest.mark.parametrize(
    ("body", "query", "status"),
    [
        ({"spec": {"text": "x"}}, {"fieldManager": "one"}, 400),
        ({**widget(), "kind": "Odd"}, {"fieldManager": "one"}, 400),
        ({**widget(), "metadata": {"name": "a", "managedFields": [{}]}}, {"fieldManager": "one"}, 400),
        (widget(), {}, 422),
        (widget(), {"fieldManager": "one", "fieldValidation": "odd"}, 422),
    ],
)
async def test_an_apply_says_what_it_is_and_who(
    widgets: Widgets, body: object, query: dict[str, str], status: int
) -> None:
    """Kind and version in the body, the manager in the query, and no owners."""
    await widgets.create()
    assert (await widgets.api.patch(widgets.at(), body, APPLY, **query)).status == status


async def test_yaml_can_be_applied(widgets: Widgets) -> None:
    """The body is YAML, of which JSON is a part."""
    text = f"apiVersion: {GROUP}/v1\nkind: Widget\nmetadata:\n  name: a\nspec:\n  text: x\n"
    created = await widgets.api.patch(widgets.at(), text, APPLY, fieldManager="one")
    assert (created.status, created.json["spec"]["text"]) == (201, "x")


async def test_an_apply_can_be_tried(widgets: Widgets) -> None:
    """DryRun answers with what would be, also for what is not there."""
    query = {"fieldManager": "one", "dryRun": "All"}
    tried = await widgets.api.patch(widgets.at(), widget(text="x"), APPLY, **query)
    assert (tried.status, (await widgets.api.get(widgets.at())).status) == (201, 404)
