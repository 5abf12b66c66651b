"""CustomResourceDefinitions: install, discover, serve, change, remove."""

from __future__ import annotations

import asyncio
import copy

import pytest

from tests.contract.api import MERGE, Api, expired, until
from tests.contract.widgets import CRDS, FINALIZER, GROUP, SCHEMA, crd, group_of_its_own, install, widget

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_definition_becomes_established_and_served(api: Api, namespace: str) -> None:
    """After CREATE the names are accepted, Established follows, and objects can be made."""
    group = group_of_its_own()
    await install(api, crd(group))
    status = (await api.get(f"{CRDS}/widgets.{group}")).json["status"]
    assert {c["type"]: c["status"] for c in status["conditions"]} == {"NamesAccepted": "True", "Established": "True"}
    assert (status["acceptedNames"]["kind"], status["storedVersions"]) == ("Widget", ["v1"])
    body = widget() | {"apiVersion": f"{group}/v1"}
    assert (await api.post(f"/apis/{group}/v1/namespaces/{namespace}/widgets", body)).status == 201


async def test_a_definition_that_exists_is_refused(served: Api) -> None:
    """A second CREATE answers AlreadyExists."""
    refused = await served.post(CRDS, crd())
    assert (refused.status, refused.json["reason"]) == (409, "AlreadyExists")


async def test_a_definition_must_be_named_after_plural_and_group(api: Api) -> None:
    """Another name is Invalid at metadata.name."""
    definition = crd(group_of_its_own())
    definition["metadata"]["name"] = "other"
    refused = await api.post(CRDS, definition)
    assert refused.status == 422
    assert ("FieldValueInvalid", "metadata.name") in refused.causes


async def test_a_definition_with_an_unknown_function_in_a_rule_is_refused(api: Api) -> None:
    """A CEL rule that does not compile is Invalid at the rule's field."""
    schema = copy.deepcopy(SCHEMA)
    schema["properties"]["spec"]["x-kubernetes-validations"] = [{"rule": "nonsense(self.text)"}]
    refused = await api.post(CRDS, crd(group_of_its_own(), schema=schema))
    assert (refused.status, refused.json["reason"]) == (422, "Invalid")
    assert "x-kubernetes-validations[0].rule" in refused.causes[0][1]


async def test_a_schema_change_is_served(api: Api, namespace: str) -> None:
    """After a patch of the CRD, objects are held to the new schema."""
    group = group_of_its_own()
    definition = crd(group)
    await install(api, definition)
    definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = copy.deepcopy(SCHEMA)
    text = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["text"]
    text["maxLength"] = 2
    changed = await api.patch(f"{CRDS}/widgets.{group}", {"spec": {"versions": definition["spec"]["versions"]}}, MERGE)
    assert changed.status == 200
    path, body = f"/apis/{group}/v1/namespaces/{namespace}/widgets", widget() | {"apiVersion": f"{group}/v1"}

    async def refused() -> bool:
        return (await api.post(path, body, dryRun="All")).status == 422

    await until(refused)


async def test_objects_of_before_are_read_by_the_new_schema(api: Api, namespace: str) -> None:
    """Defaults that are new show, fields that are unknown now do not, at the same version; the next write stores it."""
    group = group_of_its_own()
    await install(api, crd(group))
    path = f"/apis/{group}/v1/namespaces/{namespace}/widgets"
    body = widget() | {"apiVersion": f"{group}/v1", "spec": {"text": "x", "color": "red"}}
    created = await api.post(path, body)
    schema = copy.deepcopy(SCHEMA)
    del schema["properties"]["spec"]["properties"]["color"]
    schema["properties"]["spec"]["properties"]["code"]["default"] = "abc"
    await api.patch(f"{CRDS}/widgets.{group}", {"spec": {"versions": crd(group, schema=schema)["spec"]["versions"]}})

    async def changed() -> bool:
        return (await api.get(f"{path}/a")).json.get("spec") == {"text": "x", "size": 1, "code": "abc"}

    await until(changed)
    assert (await api.get(f"{path}/a")).version == created.version
    patched = await api.patch(f"{path}/a", {})
    assert (patched.json["spec"]["code"], patched.version != created.version) == ("abc", True)


async def test_what_is_no_number_of_replicas_forbids_every_write_but_of_the_status(api: Api, namespace: str) -> None:
    """Where a scale came later: not even a finalizer can be removed before the spec is right."""
    group = group_of_its_own()
    definition, before = crd(group), crd(group)
    before["spec"]["versions"][0]["subresources"].pop("scale")
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    loose = {"type": "object", "properties": {"spec": anything, "status": anything}}
    before["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = loose
    await install(api, before)
    path = f"/apis/{group}/v1/namespaces/{namespace}/widgets"
    body = widget(finalizers=[FINALIZER]) | {"apiVersion": f"{group}/v1", "spec": {"text": "x", "size": "many"}}
    await api.post(path, body)
    await api.patch(f"{CRDS}/widgets.{group}", {"spec": definition["spec"]})

    async def refused() -> bool:
        freed = await api.patch(f"{path}/a", {"metadata": {"finalizers": None}}, dryRun="All")
        return freed.status == 422 and freed.causes == [("FieldValueInvalid", ".spec.size")]

    await until(refused)
    assert (await api.patch(f"{path}/a/status", {"status": {"phase": "Done"}})).status == 200
    assert (await api.patch(f"{path}/a", {"spec": {"size": 1}, "metadata": {"finalizers": None}})).status == 200


async def test_open_watches_end_when_the_definition_changes(api: Api, namespace: str) -> None:
    """A change of the CRD ends the watches of its kind; a client has to open them again."""
    group = group_of_its_own()
    definition = crd(group)
    await install(api, definition)
    path = f"/apis/{group}/v1/namespaces/{namespace}/widgets"
    version = (await api.get(path)).version
    async with api.watch(path, resourceVersion=version) as watch:
        columns = [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}]
        definition["spec"]["versions"][0]["additionalPrinterColumns"] = columns
        await api.patch(f"{CRDS}/widgets.{group}", {"spec": {"versions": definition["spec"]["versions"]}})
        assert await watch.ended()


async def test_the_first_watch_after_a_change_is_told_to_come_again(api: Api, namespace: str) -> None:
    """429 with Retry-After until the kind is ready; then a watch from before the change is expired."""
    group = group_of_its_own()
    definition = crd(group)
    await install(api, definition)
    path = f"/apis/{group}/v1/namespaces/{namespace}/widgets"
    version = (await api.get(path)).version
    query = {"watch": "1", "resourceVersion": version, "timeoutSeconds": "1"}
    async with api.watch(path, resourceVersion=version) as watch:
        definition["spec"]["versions"][0]["additionalPrinterColumns"] = []
        await api.patch(f"{CRDS}/widgets.{group}", {"spec": {"versions": definition["spec"]["versions"]}})
        assert await watch.ended()
    refused = await api.get(path, **query)
    assert (refused.status, refused.json["reason"]) == (429, "TooManyRequests")
    assert (refused.headers["Retry-After"], refused.json["details"]) == ("1", {"retryAfterSeconds": 1})
    assert await expired(api, path, query)


async def test_a_deleted_definition_takes_its_objects_along(api: Api, namespace: str) -> None:
    """Deleting the CRD deletes its objects, ends discovery, and its path answers 404."""
    group = group_of_its_own()
    await install(api, crd(group))
    path = f"/apis/{group}/v1/namespaces/{namespace}/widgets"
    assert (await api.post(path, widget() | {"apiVersion": f"{group}/v1"})).status == 201
    assert (await api.delete(f"{CRDS}/widgets.{group}")).status == 200

    async def gone() -> bool:
        definition, objects = await asyncio.gather(api.get(f"{CRDS}/widgets.{group}"), api.get(path))
        return (definition.status, objects.status) == (404, 404)

    await until(gone)


async def test_groups_are_discovered(served: Api) -> None:
    """/apis names the group with its version, /apis/GROUP the group alone."""
    groups = (await served.get("/apis")).json
    assert groups["kind"] == "APIGroupList"
    found = [group for group in groups["groups"] if group["name"] == GROUP]
    version = {"groupVersion": f"{GROUP}/v1", "version": "v1"}
    assert found == [{"name": GROUP, "versions": [version], "preferredVersion": version}]
    alone = (await served.get(f"/apis/{GROUP}")).json
    assert (alone["kind"], alone["name"], alone["preferredVersion"]) == ("APIGroup", GROUP, version)


async def test_resources_are_discovered_with_their_subresources(served: Api) -> None:
    """/apis/GROUP/VERSION lists the kind, its names and verbs, and status and scale."""
    listed = (await served.get(f"/apis/{GROUP}/v1")).json
    assert (listed["kind"], listed["groupVersion"]) == ("APIResourceList", f"{GROUP}/v1")
    resources = {resource["name"]: resource for resource in listed["resources"]}
    assert resources.keys() == {"widgets", "widgets/status", "widgets/scale"}
    main = resources["widgets"]
    assert (main["kind"], main["singularName"], main["namespaced"]) == ("Widget", "widget", True)
    assert (main["shortNames"], main["categories"]) == (["wix"], ["contract"])
    assert {"create", "delete", "get", "list", "patch", "update", "watch"} <= set(main["verbs"])
    assert resources["widgets/scale"]["kind"] == "Scale"


async def test_core_resources_are_discovered(api: Api) -> None:
    """/api names v1; /api/v1 lists the built-in kinds that an operator uses."""
    assert (await api.get("/api")).json["versions"] == ["v1"]
    resources = {resource["name"] for resource in (await api.get("/api/v1")).json["resources"]}
    assert {"configmaps", "secrets", "events", "namespaces", "services"} <= resources


@pytest.mark.parametrize(
    ("group", "resource"),
    [
        ("apps", "deployments"),
        ("coordination.k8s.io", "leases"),
        ("events.k8s.io", "events"),
        ("apiextensions.k8s.io", "customresourcedefinitions"),
    ],
)
async def test_built_in_groups_are_discovered(api: Api, group: str, resource: str) -> None:
    """Each built-in group lists its resources under v1."""
    listed = await api.get(f"/apis/{group}/v1")
    assert resource in {each["name"] for each in listed.json["resources"]}


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_health_is_plain_text(api: Api, path: str) -> None:
    """The server says `ok`."""
    answer = await api.get(path)
    assert (answer.status, answer.text) == (200, "ok")


async def test_the_version_is_told(api: Api) -> None:
    """/version names major and minor."""
    version = (await api.get("/version")).json
    assert (version["major"], version["minor"]) == ("1", "36")
