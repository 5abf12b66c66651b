"""Creating and reading objects."""

from __future__ import annotations

import aiohttp
import pytest

from tests.contract.api import METADATA_ONLY, Api, Json, failure
from tests.contract.widgets import FINALIZER, GROUP, PENDING, Widgets, config_map, widget

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_create_gives_identity_version_generation_and_date(widgets: Widgets) -> None:
    """A new object has uid, resourceVersion, generation 1, creationTimestamp and its namespace."""
    created = await widgets.create(labels={"app": "x"})
    metadata = created.json["metadata"]
    assert len(metadata["uid"]) == 36
    assert int(metadata["resourceVersion"]) > 0
    assert metadata["generation"] == 1
    assert metadata["creationTimestamp"].endswith("Z")
    assert (metadata["name"], metadata["namespace"], metadata["labels"]) == ("a", widgets.namespace, {"app": "x"})
    assert (created.json["apiVersion"], created.json["kind"]) == (f"{GROUP}/v1", "Widget")


async def test_get_answers_what_create_answered(widgets: Widgets) -> None:
    """GET after CREATE gives the same object, byte for byte."""
    created = await widgets.create()
    found = await widgets.api.get(widgets.at())
    assert (found.status, found.text) == (200, created.text)
    assert found.headers["Content-Type"] == "application/json"


async def test_answers_carry_audit_id_and_flow_control_headers(widgets: Widgets) -> None:
    """Every answer names its audit record and the flow schema that let it in."""
    headers = (await widgets.api.get(widgets.path)).headers
    assert headers["Audit-Id"]
    assert headers["X-Kubernetes-Pf-Flowschema-Uid"]
    assert headers["X-Kubernetes-Pf-Prioritylevel-Uid"]


async def test_generate_name_makes_names_of_five_more_characters(widgets: Widgets) -> None:
    """`generateName` makes different names with that prefix."""
    body = widget() | {"metadata": {"generateName": "made-"}}
    names = [(await widgets.api.post(widgets.path, body)).json["metadata"]["name"] for _ in range(2)]
    assert all(name.startswith("made-") and len(name) == 10 for name in names)
    assert names[0] != names[1]


async def test_create_takes_the_namespace_from_the_path(widgets: Widgets) -> None:
    """A body that names another namespace than the path is refused."""
    refused = await widgets.api.post(widgets.path, widget(namespace="other"))
    message = "the namespace of the provided object does not match the namespace sent on the request"
    assert (refused.status, refused.json["reason"], refused.json["message"]) == (400, "BadRequest", message)


async def test_create_of_a_name_that_exists_is_refused(widgets: Widgets) -> None:
    """A second CREATE answers AlreadyExists, to the byte."""
    await widgets.create()
    refused = await widgets.api.post(widgets.path, widget())
    details = {"name": "a", "group": GROUP, "kind": "widgets"}
    message = f'widgets.{GROUP} "a" already exists'
    assert (refused.status, refused.text) == (409, failure(message, "AlreadyExists", details, 409))


async def test_get_of_nothing_is_not_found(widgets: Widgets) -> None:
    """A missing object answers NotFound, to the byte."""
    missing = await widgets.api.get(widgets.at("nope"))
    details = {"name": "nope", "group": GROUP, "kind": "widgets"}
    assert (missing.status, missing.text) == (
        404,
        failure(f'widgets.{GROUP} "nope" not found', "NotFound", details, 404),
    )


async def test_a_builtin_kind_has_no_group_in_its_details(api: Api, namespace: str) -> None:
    """For a core kind, details have no group and the message no dot."""
    missing = await api.get(f"/api/v1/namespaces/{namespace}/configmaps/nope")
    details = {"name": "nope", "kind": "configmaps"}
    assert (missing.status, missing.text) == (404, failure('configmaps "nope" not found', "NotFound", details, 404))


async def test_an_unknown_resource_is_plain_text(api: Api, namespace: str) -> None:
    """A path that the server does not know answers 404 without a Status."""
    missing = await api.get("/apis/unknown.example.com/v1/things")
    assert (missing.status, missing.text) == (404, "404 page not found\n")
    assert missing.headers["Content-Type"].startswith("text/plain")


async def test_create_in_a_missing_namespace_is_not_found(served: Api) -> None:
    """The namespace must exist; the failure is about the namespace, for custom and built-in kinds."""
    details = {"name": "void", "kind": "namespaces"}
    expected = failure('namespaces "void" not found', "NotFound", details, 404)
    custom = await served.post(f"/apis/{GROUP}/v1/namespaces/void/widgets", widget())
    builtin = await served.post("/api/v1/namespaces/void/configmaps", config_map())
    assert [(custom.status, custom.text), (builtin.status, builtin.text)] == [(404, expected)] * 2


async def test_create_drops_status_and_defaults_it(widgets: Widgets) -> None:
    """POST ignores a status; the schema's default stands there instead."""
    created = await widgets.api.post(widgets.path, widget() | {"status": {"phase": "Done"}})
    assert created.json["status"] == PENDING


async def test_defaults_fill_what_the_spec_leaves_out(widgets: Widgets) -> None:
    """A schema default is in the stored object."""
    await widgets.create()
    assert (await widgets.api.get(widgets.at())).json["spec"] == {"text": "hello", "size": 1}


async def test_unknown_fields_are_pruned_with_a_warning(widgets: Widgets) -> None:
    """By default an unknown field is dropped and named in a Warning header."""
    body = widget()
    body["spec"]["zzz"] = 1
    created = await widgets.api.post(widgets.path, body)
    assert (created.status, "zzz" in created.text) == (201, False)
    assert created.headers["Warning"] == '299 - "unknown field \\"spec.zzz\\""'


async def test_strict_validation_refuses_unknown_fields(widgets: Widgets) -> None:
    """`fieldValidation=Strict` makes an unknown field an error."""
    body = widget()
    body["spec"]["zzz"] = 1
    refused = await widgets.api.post(widgets.path, body, fieldValidation="Strict")
    assert (refused.status, refused.json["reason"]) == (400, "BadRequest")
    assert 'strict decoding error: unknown field "spec.zzz"' in refused.json["message"]


async def test_ignored_validation_is_silent(widgets: Widgets) -> None:
    """`fieldValidation=Ignore` prunes without a warning."""
    body = widget()
    body["spec"]["zzz"] = 1
    created = await widgets.api.post(widgets.path, body, fieldValidation="Ignore")
    assert (created.status, "zzz" in created.text, "Warning" in created.headers) == (201, False, False)


async def test_strict_validation_refuses_duplicate_keys(widgets: Widgets) -> None:
    """`fieldValidation=Strict` refuses a JSON object that names a key twice."""
    text = f'{{"apiVersion":"{GROUP}/v1","kind":"Widget","metadata":{{"name":"a"}},"spec":{{"text":"x","text":"y"}}}}'
    refused = await widgets.api.post(widgets.path, text, fieldValidation="Strict")
    assert refused.status == 400
    assert "duplicate field" in refused.json["message"]


async def test_preserved_fields_are_kept(widgets: Widgets) -> None:
    """Below `x-kubernetes-preserve-unknown-fields` and `additionalProperties` nothing is pruned."""
    body = widget()
    body["spec"] |= {"free": {"any": {"thing": [1]}}, "extra": {"k": "v"}}
    created = await widgets.api.post(widgets.path, body)
    assert "Warning" not in created.headers
    assert created.json["spec"]["free"] == {"any": {"thing": [1]}}
    assert created.json["spec"]["extra"] == {"k": "v"}


async def test_dry_run_changes_nothing(widgets: Widgets) -> None:
    """`dryRun=All` answers as if created, and nothing is."""
    tried = await widgets.api.post(widgets.path, widget(), dryRun="All")
    assert (tried.status, (await widgets.api.get(widgets.at())).status) == (201, 404)


async def test_an_answer_can_be_metadata_only(widgets: Widgets) -> None:
    """PartialObjectMetadata has kind, metadata and nothing else."""
    await widgets.create(finalizers=[FINALIZER])
    found = await widgets.api.get(widgets.at(), accept=METADATA_ONLY)
    assert (found.json["kind"], found.json["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert set(found.json) == {"kind", "apiVersion", "metadata"}
    assert found.json["metadata"]["finalizers"] == [FINALIZER]


@pytest.mark.parametrize("accept", ["text/html", "application/cbor"])
async def test_an_answer_must_have_a_form_that_is_served(widgets: Widgets, accept: str) -> None:
    """Another form than JSON alone: 406 NotAcceptable, for objects and for watches."""
    await widgets.create()
    for query in ({}, {"watch": "1", "timeoutSeconds": "1"}):
        refused = await widgets.api.get(widgets.path, accept, **query)
        assert (refused.status, refused.json["reason"]) == (406, "NotAcceptable")
    assert (await widgets.api.get(widgets.at(), f"{accept}, */*")).status == 200


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"labels": {"a b": "x"}}, "metadata.labels"),
        ({"labels": {"-a/b": "x"}}, "metadata.labels"),
        ({"labels": {"a": "x" * 64}}, "metadata.labels"),
        ({"annotations": {"a/b/c": "x"}}, "metadata.annotations"),
        ({"finalizers": ["a b/c"]}, "metadata.finalizers"),
        ({"finalizers": [""]}, "metadata.finalizers"),
    ],
)
async def test_metadata_is_validated(widgets: Widgets, metadata: Json, field: str) -> None:
    """Keys of labels and annotations and names of finalizers are qualified names."""
    refused = await widgets.api.post(widgets.path, widget(**metadata))
    assert (refused.status, refused.json["reason"]) == (422, "Invalid")
    assert set(refused.causes) == {("FieldValueInvalid", field)}


@pytest.mark.parametrize(
    "metadata", [{"labels": {"a": 1}}, {"labels": []}, {"finalizers": "x"}, {"creationTimestamp": "x"}, {"name": 5}]
)
async def test_metadata_has_types(widgets: Widgets, metadata: Json) -> None:
    """A field of another type cannot be read: 400."""
    body = widget()
    body["metadata"] |= metadata
    refused = await widgets.api.post(widgets.path, body)
    assert (refused.status, refused.json["reason"]) == (400, "BadRequest")
    assert refused.json["message"].startswith('Widget in version "v1" cannot be handled as a Widget: ')


async def test_unknown_metadata_is_pruned_with_a_warning(widgets: Widgets) -> None:
    """What no metadata has is dropped."""
    created = await widgets.api.post(widgets.path, widget(odd=1))
    assert (created.status, "odd" in created.json["metadata"]) == (201, False)
    assert created.headers["Warning"] == '299 - "unknown field \\"metadata.odd\\""'


async def test_a_null_is_no_value(widgets: Widgets) -> None:
    """Where the schema does not allow null, a field of null is as one that is not there."""
    kept = await widgets.api.post(widgets.path, widget() | {"spec": {"text": "x", "color": None, "tags": None}})
    assert (kept.status, kept.json["spec"]) == (201, {"text": "x", "size": 1})
    refused = await widgets.api.post(widgets.path, widget("b") | {"spec": {"text": None}})
    assert refused.causes == [("FieldValueRequired", "spec.text")]


@pytest.mark.parametrize("missing", ["kind", "apiVersion"])
async def test_a_custom_object_says_what_it_is(widgets: Widgets, missing: str) -> None:
    """Without a kind or an apiVersion it is not read: 400; a built-in object may leave them out."""
    body = widget()
    del body[missing]
    refused = await widgets.api.post(widgets.path, body)
    assert (refused.status, refused.json["reason"]) == (400, "BadRequest")
    builtin = f"/api/v1/namespaces/{widgets.namespace}/configmaps"
    assert (await widgets.api.post(builtin, {"metadata": {"name": "a"}})).status == 201


async def test_a_namespaced_object_has_no_path_of_its_own(widgets: Widgets) -> None:
    """An object is found in its namespace only."""
    await widgets.create()
    missing = await widgets.api.get(f"/apis/{GROUP}/v1/widgets/a")
    assert (missing.status, missing.text) == (404, "404 page not found\n")


async def test_an_unknown_resource_of_a_built_in_group_is_a_status(api: Api, namespace: str) -> None:
    """There the answer is NotFound without details."""
    for path in (f"/api/v1/namespaces/{namespace}/odds", f"/apis/apps/v9/namespaces/{namespace}/deployments"):
        missing = await api.get(path)
        assert (missing.status, missing.json["details"]) == (404, {})
        assert missing.json["message"] == "the server could not find the requested resource"


async def test_many_requests_share_a_connection(widgets: Widgets) -> None:
    """The server keeps a connection open: 300 requests, one connect."""
    connects = 0

    async def count(*_: object) -> None:
        nonlocal connects
        connects += 1

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(count)
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector, trace_configs=[trace]) as session:
        alone = Api(widgets.api.target, session)
        for _ in range(300):
            assert (await alone.get(widgets.path)).status == 200
    assert connects == 1


async def test_malformed_json_is_a_bad_request(widgets: Widgets) -> None:
    """A body that is no JSON answers 400 with a Status."""
    refused = await widgets.api.post(widgets.path, "{nonsense")
    assert (refused.status, refused.json["reason"]) == (400, "BadRequest")


async def test_a_body_of_another_kind_is_refused(widgets: Widgets) -> None:
    """The kind in the body must be the path's."""
    refused = await widgets.api.post(widgets.path, widget() | {"kind": "Gizmo"})
    assert (refused.status, refused.json["reason"]) == (422, "Invalid")


async def test_names_must_be_dns_names(widgets: Widgets) -> None:
    """A name with capitals is Invalid at metadata.name."""
    refused = await widgets.api.post(widgets.path, widget("Not_A_Name"))
    assert (refused.status, refused.json["reason"]) == (422, "Invalid")
    assert refused.causes == [("FieldValueInvalid", "metadata.name")]
