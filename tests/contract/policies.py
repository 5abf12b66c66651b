"""The admission policy that adds a finalizer at CREATE, as objects for a real server."""

from __future__ import annotations

from tests.contract.api import Json


def admission_policy(group: str, plural: str, finalizer: str) -> list[tuple[str, Json]]:
    """Return collection and body of a MutatingAdmissionPolicy and of its binding."""
    name = f"{plural}.{group}"
    api_version = "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [group], "apiVersions": ["*"], "resources": [plural], "operations": ["CREATE"]}
    quoted = f'"{finalizer}"'
    absent = f'[JSONPatch{{op: "add", path: "/metadata/finalizers", value: [{quoted}]}}]'
    more = f'[JSONPatch{{op: "add", path: "/metadata/finalizers/-", value: {quoted}}}]'
    there = f"object.metadata.finalizers.exists(f, f == {quoted})"
    expression = f"has(object.metadata.finalizers) ? ({there} ? [] : {more}) : {absent}"
    policy = {
        "apiVersion": api_version,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "IfNeeded",
            "matchConstraints": {"resourceRules": [rule]},
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
        },
    }
    binding = {
        "apiVersion": api_version,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name},
    }
    return [("mutatingadmissionpolicies", policy), ("mutatingadmissionpolicybindings", binding)]
