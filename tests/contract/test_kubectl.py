"""What people type: kubectl against either server. It needs the real kubectl binary, so it is marked `real`."""

from __future__ import annotations

import json
import re

import pytest

from steady.testing.controlplane import Kubectl
from tests.contract.test_builtin import deployment
from tests.contract.widgets import GROUP, Widgets, config_map, widget

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.real]
NAME = f"widget.{GROUP}/a"


class Typist:
    """Somebody at a terminal, in one namespace."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self._kubectl = kubectl
        self._namespace = namespace

    async def __call__(self, command: str, stdin: object = "") -> str:
        """Return what a command printed; it must succeed."""
        code, out, err = await self.tried(command, stdin)
        assert code == 0, err
        return out

    async def tried(self, command: str, stdin: object = "") -> tuple[int, str, str]:
        """Return the exit code of a command and what it printed; words are parted by single spaces."""
        text = stdin if isinstance(stdin, str) else json.dumps(stdin)
        output = await self._kubectl("-n", self._namespace, *command.split(" "), stdin=text)
        return output.code, output.out, output.err

    async def rows(self, command: str) -> list[list[str]]:
        """Return the table that a command printed, by words."""
        return [line.split() for line in (await self(command)).splitlines()]


@pytest.fixture
def typed(kubectl: Kubectl, widgets: Widgets) -> Typist:
    """Whoever types, in the namespace of `widgets`."""
    return Typist(kubectl, widgets.namespace)


async def test_apply_creates_configures_and_leaves_alone(widgets: Widgets, typed: Typist) -> None:
    """Apply says created, unchanged and configured."""
    first, again = await typed("apply -f -", widget()), await typed("apply -f -", widget())
    changed = await typed("apply -f -", widget(text="bye"))
    assert (first, again, changed) == (f"{NAME} created\n", f"{NAME} unchanged\n", f"{NAME} configured\n")
    assert (await widgets.api.get(widgets.at())).json["spec"]["text"] == "bye"


async def test_apply_takes_away_what_is_said_no_more(widgets: Widgets, typed: Typist) -> None:
    """A label of the last apply that is not in this one goes; what others wrote stays."""
    await typed("apply -f -", widget(labels={"mine": "1", "old": "1"}))
    await widgets.api.patch(widgets.at(), {"metadata": {"labels": {"theirs": "1"}}})
    await typed("apply -f -", widget(labels={"mine": "1"}))
    assert (await widgets.api.get(widgets.at())).json["metadata"]["labels"] == {"mine": "1", "theirs": "1"}


async def test_apply_tells_what_is_wrong(typed: Typist) -> None:
    """Apply of a bad spec fails and names the field; of an unknown one too, before anything is sent."""
    code, _, err = await typed.tried("apply --validate=false -f -", widget() | {"spec": {"text": "x", "low": -1}})
    assert (code, "spec.low" in err) == (1, True)
    code, _, err = await typed.tried("apply -f -", widget() | {"spec": {"text": "x", "zzz": 1}})
    assert (code, 'unknown field "spec.zzz"' in err) == (1, True)


async def test_apply_can_be_tried(widgets: Widgets, typed: Typist) -> None:
    """`--dry-run=server` says what would be."""
    assert await typed("apply --dry-run=server -f -", widget()) == f"{NAME} created (server dry run)\n"
    assert (await widgets.api.get(widgets.at())).status == 404


async def test_server_side_apply(widgets: Widgets, typed: Typist) -> None:
    """Applied, in conflict with another manager, and forced."""
    assert await typed("apply --server-side -f -", widget()) == f"{NAME} serverside-applied\n"
    other = "apply --server-side --field-manager=other"
    code, _, err = await typed.tried(f"{other} -f -", widget(text="bye"))
    assert (code, 'conflict with "kubectl": .spec.text' in err) == (1, True)
    await typed(f"{other} --force-conflicts -f -", widget(text="bye"))
    assert (await widgets.api.get(widgets.at())).json["spec"]["text"] == "bye"


async def test_an_object_of_apply_can_go_over_to_server_side_apply(widgets: Widgets, typed: Typist) -> None:
    """What kubectl applied by itself is no conflict for kubectl, and what it remembers follows."""
    await typed("apply -f -", widget())
    assert await typed("apply --server-side -f -", widget(text="bye")) == f"{NAME} serverside-applied\n"
    assert await typed("apply -f -", widget(text="again")) == f"{NAME} configured\n"
    assert (await widgets.api.get(widgets.at())).json["spec"]["text"] == "again"


async def test_create_and_replace(widgets: Widgets, typed: Typist) -> None:
    """Create once, replace with what was read and changed, as an editor does."""
    assert await typed("create -f -", widget()) == f"{NAME} created\n"
    code, _, err = await typed.tried("create -f -", widget())
    assert (code, "AlreadyExists" in err) == (1, True)
    found = json.loads(await typed("get widget a -o json"))
    found["spec"]["text"] = "bye"
    assert await typed("replace -f -", found) == f"{NAME} replaced\n"
    found["spec"]["text"] = "late"
    code, _, err = await typed.tried("replace -f -", found)
    assert (code, "the object has been modified" in err) == (1, True)
    assert (await widgets.api.get(widgets.at())).json["spec"]["text"] == "bye"


async def test_simple_objects_are_created_by_name(widgets: Widgets, typed: Typist) -> None:
    """`create configmap|secret|namespace|serviceaccount` without a manifest."""
    assert await typed("create configmap c --from-literal=k=v") == "configmap/c created\n"
    assert await typed("create secret generic s --from-literal=k=hush") == "secret/s created\n"
    assert await typed("create serviceaccount s") == "serviceaccount/s created\n"
    assert await typed(f"create namespace {widgets.namespace}-b") == f"namespace/{widgets.namespace}-b created\n"
    assert await typed("get configmap c -o jsonpath={.data}") == '{"k":"v"}'
    assert [row[:3] for row in await typed.rows("get secrets")] == [["NAME", "TYPE", "DATA"], ["s", "Opaque", "1"]]


async def test_get_prints_the_columns(widgets: Widgets, typed: Typist) -> None:
    """Get by short name prints the columns of the CRD; `-o wide` those of lower priority too."""
    await widgets.create(text="hi")
    assert [row[:3] for row in await typed.rows("get wix")] == [["NAME", "TEXT", "PHASE"], ["a", "hi", "Pending"]]
    assert [row[-1] for row in await typed.rows("get wix -o wide")] == ["SIZE", "1"]


async def test_get_prints_forms(widgets: Widgets, typed: Typist) -> None:
    """Get as JSON, by name, by path, with labels, everywhere, by category and by selector."""
    created = await widgets.create(labels={"app": "x"})
    await widgets.create("b")
    assert json.loads(await typed("get widget a -o json"))["metadata"]["uid"] == created.json["metadata"]["uid"]
    assert await typed("get widget a -o name") == f"{NAME}\n"
    assert await typed("get widgets -o jsonpath={.items[*].metadata.name}") == "a b"
    assert await typed("get contract -l app=x -o name") == f"{NAME}\n"
    assert [row[-1] for row in await typed.rows("get widgets --show-labels")] == ["LABELS", "app=x", "<none>"]
    assert [widgets.namespace, "a"] in [row[:2] for row in await typed.rows("get widgets -A")]


async def test_get_of_nothing_says_so(typed: Typist) -> None:
    """Get of a missing object fails with NotFound; of a missing kind too; of none it says where."""
    expected = f'Error from server (NotFound): widgets.{GROUP} "nope" not found\n'
    assert await typed.tried("get widget nope") == (1, "", expected)
    code, _, err = await typed.tried("get nopes")
    assert (code, err) == (1, 'error: the server doesn\'t have a resource type "nopes"\n')
    assert "No resources found" in (await typed.tried("get widgets"))[2]


async def test_patch_changes(widgets: Widgets, typed: Typist) -> None:
    """Patch of each type; a status by its subresource."""
    await widgets.create()
    assert await typed('patch widget a --type=merge -p {"spec":{"size":3}}') == f"{NAME} patched\n"
    await typed('patch widget a --type=json -p [{"op":"replace","path":"/spec/size","value":4}]')
    await typed('patch widget a --subresource=status --type=merge -p {"status":{"phase":"Done"}}')
    found = (await widgets.api.get(widgets.at())).json
    assert (found["spec"]["size"], found["status"]["phase"]) == (4, "Done")


async def test_labels_and_annotations(widgets: Widgets, typed: Typist) -> None:
    """Set, refused, overwritten, taken away."""
    await widgets.create()
    assert await typed("label widget a env=dev") == f"{NAME} labeled\n"
    code, _, err = await typed.tried("label widget a env=prod")
    assert (code, "'env' already has a value (dev), and --overwrite is false" in err) == (1, True)
    assert await typed("label widget a env=prod --overwrite") == f"{NAME} labeled\n"
    assert await typed("annotate widget a note=hi") == f"{NAME} annotated\n"
    metadata = (await widgets.api.get(widgets.at())).json["metadata"]
    assert (metadata["labels"], metadata["annotations"]) == ({"env": "prod"}, {"note": "hi"})
    assert await typed("label widget a env-") == f"{NAME} unlabeled\n"
    assert await typed("annotate widget a note-") == f"{NAME} annotated\n"
    metadata = (await widgets.api.get(widgets.at())).json["metadata"]
    assert not {"labels", "annotations"} & metadata.keys()


async def test_scale_sets_replicas(widgets: Widgets, typed: Typist) -> None:
    """Scale --replicas writes the scale subresource, on a condition where one is given."""
    await widgets.create()
    assert await typed("scale widget a --replicas=4") == f"{NAME} scaled\n"
    code, _, err = await typed.tried("scale widget a --current-replicas=1 --replicas=5")
    assert (code, "Expected replicas to be 1, was 4" in err) == (1, True)
    assert [row[:3] for row in await typed.rows("get widget a --subresource=scale")][1] == ["a", "4", "0"]
    assert (await widgets.api.get(widgets.at())).json["spec"]["size"] == 4


async def test_wait_sees_conditions_values_and_ends(widgets: Widgets, typed: Typist) -> None:
    """Wait returns when the status says so, when a field has a value, and when an object is gone."""
    await widgets.create()
    body = {"status": {"phase": "Done", "conditions": [{"type": "Ready", "status": "True"}]}}
    await widgets.api.patch(widgets.at("a", "status"), body)
    assert await typed("wait --for=condition=Ready --timeout=20s widget/a") == f"{NAME} condition met\n"
    assert await typed("wait --for=jsonpath={.status.phase}=Done --timeout=20s widget/a") == f"{NAME} condition met\n"
    await widgets.api.delete(widgets.at())
    await typed("wait --for=delete --timeout=20s widget/a")


async def test_delete_deletes(widgets: Widgets, typed: Typist) -> None:
    """Delete waits until the object is gone; of nothing it fails unless told not to; by label it takes all of them."""
    for name in "abc":
        await widgets.create(name, labels={"app": "x"} if name != "a" else {})
    assert "deleted" in await typed("delete widget a --timeout=20s")
    code, _, err = await typed.tried("delete widget a")
    assert (code, "NotFound" in err) == (1, True)
    assert await typed("delete widget a --ignore-not-found") == ""
    await typed("delete widgets -l app=x --timeout=20s")
    assert (await widgets.api.get(widgets.path)).json["items"] == []


async def test_delete_waits_for_finalizers(widgets: Widgets, typed: Typist) -> None:
    """An object that is held is deleted, but not gone."""
    await widgets.create(finalizers=[f"{GROUP}/held"])
    code, _, err = await typed.tried("delete widget a --timeout=1s")
    assert (code, "timed out waiting" in err) == (1, True)
    assert "deletionTimestamp" in (await widgets.api.get(widgets.at())).json["metadata"]


async def test_describe_shows_an_object_with_its_events(widgets: Widgets, typed: Typist) -> None:
    """Describe prints spec and status, and the events about it."""
    created = (await widgets.create(text="hi")).json
    about = {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "name": "a", "namespace": widgets.namespace}
    event = {
        "metadata": {"name": "a.1"},
        "involvedObject": {**about, "uid": created["metadata"]["uid"]},
        "reason": "Greeted",
        "message": "It was greeted.",
        "type": "Normal",
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    await widgets.api.post(f"/api/v1/namespaces/{widgets.namespace}/events", event)
    printed = await typed("describe widget a")
    assert re.search(r"Spec:\n +Size: +1\n +Text: +hi\n", printed)
    assert re.search(r"Events:\n(.+\n)+ +Normal +Greeted .* It was greeted\.", printed)
    assert [row[1:5] for row in await typed.rows("get events")][1] == ["Normal", "Greeted", "widget/a", "It"]


async def test_explain_tells_the_schema(typed: Typist) -> None:
    """Explain of a kind, of a part, and of a field that is not there."""
    whole, part, field = [await typed(f"explain widget{path}") for path in ("", ".spec", ".spec.size")]
    assert "A widget says something." in whole
    assert "spec\t<Object> -required-" in whole
    assert "text\t<string> -required-" in part
    assert "FIELD: size <integer>" in field
    code, _, err = await typed.tried("explain widget.spec.nope")
    assert (code, err) == (1, 'error: field "nope" does not exist\n')


async def test_api_resources_lists_the_kind(typed: Typist) -> None:
    """api-resources shows short name, version and kind; api-versions the group."""
    rows = await typed.rows(f"api-resources --api-group={GROUP} --no-headers")
    assert rows == [["widgets", "wix", f"{GROUP}/v1", "true", "Widget"]]
    assert {f"{GROUP}/v1", "v1", "apps/v1"} <= set((await typed("api-versions")).split())


async def test_a_deployment_rolls_out(widgets: Widgets, typed: Typist) -> None:
    """Rollout status waits for what its status says; the table shows how many are ready."""
    await typed("apply -f -", deployment(2))
    assert [row[:4] for row in await typed.rows("get deploy")][1] == ["a", "0/2", "0", "0"]
    ready = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}
    path = f"/apis/apps/v1/namespaces/{widgets.namespace}/deployments/a/status"
    await widgets.api.patch(path, {"status": ready})
    assert await typed("rollout status deploy/a --timeout=20s") == 'deployment "a" successfully rolled out\n'
    assert [row[:4] for row in await typed.rows("get deploy")][1] == ["a", "2/2", "2", "2"]
    assert await typed("set image deploy/a main=example.invalid/main:2") == "deployment.apps/a image updated\n"
    assert await typed("scale deploy a --replicas=3") == "deployment.apps/a scaled\n"


async def test_several_documents_are_applied_and_compared(typed: Typist) -> None:
    """A list of objects is applied in one go; diff then finds nothing, and after a change something."""
    both = {"apiVersion": "v1", "kind": "List", "items": [widget(), config_map(k="1")]}
    assert await typed("apply -f -", both) == f"{NAME} created\nconfigmap/a created\n"
    assert await typed.tried("diff -f -", both) == (0, "", "")
    code, out, _ = await typed.tried("diff -f -", widget(text="bye"))
    assert (code, "+  text: bye" in out) == (1, True)


async def test_what_one_may_do_can_be_asked(typed: Typist) -> None:
    """`auth can-i` of somebody who may do everything."""
    assert await typed("auth can-i create widgets") == "yes\n"
