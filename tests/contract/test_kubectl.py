"""What people type: kubectl against either server. It needs the real kubectl binary, so it is marked `real`."""

from __future__ import annotations

import json

import pytest

from steady.testing.controlplane import Kubectl
from tests.contract.widgets import GROUP, Widgets, widget

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.real]


async def said(kubectl: Kubectl, *arguments: str, stdin: str = "") -> str:
    """Return what a command printed; it must succeed."""
    output = await kubectl(*arguments, stdin=stdin)
    assert output.code == 0, output.err
    return output.out


async def test_apply_creates_configures_and_leaves_alone(widgets: Widgets, kubectl: Kubectl) -> None:
    """Apply says created, unchanged and configured."""
    place = ("-n", widgets.namespace, "apply", "-f", "-")
    first = await said(kubectl, *place, stdin=json.dumps(widget()))
    again = await said(kubectl, *place, stdin=json.dumps(widget()))
    changed = await said(kubectl, *place, stdin=json.dumps(widget(text="bye")))
    name = f"widget.{GROUP}/a"
    assert (first, again, changed) == (f"{name} created\n", f"{name} unchanged\n", f"{name} configured\n")
    assert (await widgets.api.get(widgets.at())).json["spec"]["text"] == "bye"


async def test_apply_tells_what_is_wrong(widgets: Widgets, kubectl: Kubectl) -> None:
    """Apply of a bad spec fails and names the field."""
    body = widget() | {"spec": {"text": "x", "low": -1}}
    output = await kubectl("-n", widgets.namespace, "apply", "--validate=false", "-f", "-", stdin=json.dumps(body))
    assert output.code == 1
    assert "spec.low" in output.err


async def test_get_prints_the_columns(widgets: Widgets, kubectl: Kubectl) -> None:
    """Get by short name prints the columns of the CRD."""
    await widgets.create(text="hi")
    lines = (await said(kubectl, "-n", widgets.namespace, "get", "wix")).splitlines()
    assert [line.split()[:3] for line in lines] == [["NAME", "TEXT", "PHASE"], ["a", "hi", "Pending"]]


async def test_get_prints_json(widgets: Widgets, kubectl: Kubectl) -> None:
    """Get -o json prints the object."""
    created = await widgets.create()
    printed = json.loads(await said(kubectl, "-n", widgets.namespace, "get", "widget", "a", "-o", "json"))
    assert printed["metadata"]["uid"] == created.json["metadata"]["uid"]


async def test_get_of_nothing_says_not_found(widgets: Widgets, kubectl: Kubectl) -> None:
    """Get of a missing object fails with NotFound."""
    output = await kubectl("-n", widgets.namespace, "get", "widget", "nope")
    assert (output.code, output.err) == (1, f'Error from server (NotFound): widgets.{GROUP} "nope" not found\n')


async def test_patch_changes(widgets: Widgets, kubectl: Kubectl) -> None:
    """Patch --type=merge changes the spec."""
    await widgets.create()
    body = '{"spec":{"size":3}}'
    printed = await said(kubectl, "-n", widgets.namespace, "patch", "widget", "a", "--type=merge", "-p", body)
    assert printed == f"widget.{GROUP}/a patched\n"
    assert (await widgets.api.get(widgets.at())).json["spec"]["size"] == 3


async def test_scale_sets_replicas(widgets: Widgets, kubectl: Kubectl) -> None:
    """Scale --replicas writes the scale subresource."""
    await widgets.create()
    printed = await said(kubectl, "-n", widgets.namespace, "scale", "widget", "a", "--replicas=4")
    assert printed == f"widget.{GROUP}/a scaled\n"
    assert (await widgets.api.get(widgets.at())).json["spec"]["size"] == 4


async def test_wait_sees_a_condition(widgets: Widgets, kubectl: Kubectl) -> None:
    """Wait --for=condition=Ready returns when the status says so."""
    await widgets.create()
    body = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    await widgets.api.patch(widgets.at("a", "status"), body)
    arguments = ("wait", "--for=condition=Ready", "--timeout=20s", "widget/a")
    assert await said(kubectl, "-n", widgets.namespace, *arguments) == f"widget.{GROUP}/a condition met\n"


async def test_delete_deletes(widgets: Widgets, kubectl: Kubectl) -> None:
    """Delete removes the object and waits until it is gone."""
    await widgets.create()
    printed = await said(kubectl, "-n", widgets.namespace, "delete", "widget", "a", "--timeout=20s")
    assert "deleted" in printed
    assert (await widgets.api.get(widgets.at())).status == 404


async def test_api_resources_lists_the_kind(widgets: Widgets, kubectl: Kubectl) -> None:
    """api-resources shows short name, version and kind."""
    lines = (await said(kubectl, "api-resources", f"--api-group={GROUP}", "--no-headers")).splitlines()
    assert [line.split() for line in lines] == [["widgets", "wix", f"{GROUP}/v1", "true", "Widget"]]
