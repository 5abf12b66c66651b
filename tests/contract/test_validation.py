"""Structural validation of custom objects."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.contract.api import JSON_PATCH, MERGE, Api, failure, until
from tests.contract.widgets import CRDS, GROUP, RULE, SCHEMA, Widgets, crd, group_of_its_own, install, widget

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_wrong_type_is_refused_to_the_byte(widgets: Widgets) -> None:
    """An integer where a string belongs: details have the Kind and a cause with the field."""
    body = widget() | {"spec": {"text": 3}}
    refused = await widgets.api.post(widgets.path, body)
    why = 'Invalid value: "integer": spec.text in body must be of type string: "integer"'
    details = {
        "name": "a",
        "group": GROUP,
        "kind": "Widget",
        "causes": [{"reason": "FieldValueTypeInvalid", "message": why, "field": "spec.text"}],
    }
    message = f'Widget.{GROUP} "a" is invalid: spec.text: {why}'
    assert (refused.status, refused.text) == (422, failure(message, "Invalid", details, 422))


WRONG: dict[str, tuple[dict[str, Any], list[tuple[str, str]], str]] = {
    "required": ({}, [("FieldValueRequired", "spec.text")], "spec.text: Required value"),
    "minLength": (
        {"text": ""},
        [("FieldValueInvalid", "spec.text")],
        'spec.text: Invalid value: "": spec.text in body should be at least 1 chars long',
    ),
    "maxLength": ({"text": "x" * 41}, [("FieldValueTooLong", "spec.text")], "may not be more than 40 bytes"),
    "minimum": (
        {"text": "x", "low": -1},
        [("FieldValueInvalid", "spec.low")],
        "spec.low: Invalid value: -1: spec.low in body should be greater than or equal to 0",
    ),
    "maximum": (
        {"text": "x", "size": 101},
        [("FieldValueInvalid", "spec.size")],
        "spec.size: Invalid value: 101: spec.size in body should be less than or equal to 100",
    ),
    "enum": (
        {"text": "x", "color": "blue"},
        [("FieldValueNotSupported", "spec.color")],
        'spec.color: Unsupported value: "blue": supported values: "red", "green"',
    ),
    "pattern": (
        {"text": "x", "code": "A1"},
        [("FieldValueInvalid", "spec.code")],
        "spec.code: Invalid value: \"A1\": spec.code in body should match '^[a-z]+$'",
    ),
    "maxItems": (
        {"text": "x", "tags": ["1", "2", "3"]},
        [("FieldValueTooMany", "spec.tags")],
        "spec.tags: Too many: 3: must have at most 2 items",
    ),
    "item type": (
        {"text": "x", "tags": ["1", 2]},
        [("FieldValueTypeInvalid", "spec.tags[1]")],
        'spec.tags[1] in body must be of type string: "integer"',
    ),
}


@pytest.mark.parametrize("case", WRONG)
async def test_a_spec_against_its_schema_names_reason_and_field(widgets: Widgets, case: str) -> None:
    """Each kind of mistake has its own cause reason, and the message says what is allowed."""
    spec, causes, message = WRONG[case]
    refused = await widgets.api.post(widgets.path, widget() | {"spec": spec})
    assert (refused.status, refused.json["reason"]) == (422, "Invalid")
    assert refused.causes == causes
    assert message in refused.json["message"]


async def test_a_missing_spec_is_required(widgets: Widgets) -> None:
    """A required object that is not there is named."""
    body = widget()
    del body["spec"]
    refused = await widgets.api.post(widgets.path, body)
    assert (refused.status, refused.causes) == (422, [("FieldValueRequired", "spec")])


async def test_several_mistakes_are_told_together(widgets: Widgets) -> None:
    """Two mistakes, two causes, one message in brackets."""
    body = widget() | {"spec": {"text": "x", "low": -1, "color": "blue"}}
    refused = await widgets.api.post(widgets.path, body)
    assert sorted(refused.causes) == [("FieldValueInvalid", "spec.low"), ("FieldValueNotSupported", "spec.color")]
    assert refused.json["message"].startswith(f'Widget.{GROUP} "a" is invalid: [')


async def test_a_patch_is_validated(widgets: Widgets) -> None:
    """A patch that breaks the schema is Invalid and writes nothing."""
    created = await widgets.create()
    refused = await widgets.api.patch(widgets.at(), {"spec": {"low": -1}})
    assert (refused.status, refused.causes) == (422, [("FieldValueInvalid", "spec.low")])
    assert (await widgets.api.get(widgets.at())).version == created.version


async def test_null_for_a_field_with_a_default_takes_the_default(widgets: Widgets) -> None:
    """An explicit null is dropped where the schema has a default."""
    created = await widgets.api.post(widgets.path, widget() | {"spec": {"text": "x", "size": None}})
    assert (created.status, created.json["spec"]["size"]) == (201, 1)


async def test_any_language_is_text(widgets: Widgets) -> None:
    """Lengths count characters, not bytes."""
    text = "部署" * 20
    created = await widgets.create(text=text)
    assert created.json["spec"]["text"] == text


async def test_rules_are_checked_and_block_nothing_else(api: Api, namespace: str) -> None:
    """A CEL rule that fails is a cause with its message; one that could not be checked is told as well."""
    group = group_of_its_own()
    schema = copy.deepcopy(SCHEMA)
    schema["properties"]["spec"]["x-kubernetes-validations"] = [RULE]
    await install(api, crd(group, schema=schema))
    path = f"/apis/{group}/v1/namespaces/{namespace}/widgets"
    body = widget() | {"apiVersion": f"{group}/v1"}
    broken = await api.post(path, body | {"spec": {"text": "x", "low": 2, "high": 1}})
    assert (broken.status, broken.causes) == (422, [("FieldValueInvalid", "spec")])
    assert "low must not exceed high" in broken.json["message"]
    unchecked = await api.post(path, body | {"spec": {"text": 3}})
    assert unchecked.causes == [("FieldValueTypeInvalid", "spec.text"), ("FieldValueInvalid", "<nil>")]
    assert "some validation rules were not checked because the object was invalid" in unchecked.json["message"]
    assert (await api.post(path, body | {"spec": {"text": "x", "low": 1, "high": 2}})).status == 201


async def test_what_a_newer_schema_would_refuse_can_still_be_told_so(api: Api, namespace: str) -> None:
    """Stored before the schema was tightened, an object takes status and finalizers: what is wrong stays as it was."""
    group = group_of_its_own()
    loose = copy.deepcopy(SCHEMA)
    loose["properties"]["spec"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    await install(api, crd(group, "relics", "Relic", loose))
    path = f"/apis/{group}/v1/namespaces/{namespace}/relics"
    spec = {"text": 3, "low": "x", "size": 1}
    relic = {"apiVersion": f"{group}/v1", "kind": "Relic", "metadata": {"name": "a"}, "spec": spec}
    made = await api.post(path, relic)
    assert made.status == 201, made.text
    strict = crd(group, "relics", "Relic")["spec"]
    assert (await api.patch(f"{CRDS}/relics.{group}", {"spec": strict}, MERGE)).status == 200

    async def tightened() -> bool:
        return (await api.post(path, relic | {"metadata": {"name": "b"}}, dryRun="All")).status == 422

    await until(tightened)
    told = {"phase": "Error", "conditions": [{"type": "Ready", "status": "False", "reason": "DecodeError"}]}
    operations = [{"op": "test", "path": "/metadata/uid", "value": made.json["metadata"]["uid"]}]
    operations.append({"op": "add", "path": "/status", "value": told})
    answer = await api.patch(f"{path}/a/status", operations, JSON_PATCH)
    assert (answer.status, answer.json.get("status")) == (200, told), answer.text
    answer = await api.patch(f"{path}/a", {"metadata": {"finalizers": [f"{group}/held"]}}, MERGE)
    assert (answer.status, answer.json.get("spec"), answer.json["metadata"]["generation"]) == (200, spec, 1)
    answer = await api.patch(f"{path}/a", {"metadata": {"finalizers": []}}, MERGE)
    assert answer.status == 200, answer.text
