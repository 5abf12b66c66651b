"""The kinds that are served without a CRD, and the defaults that others rely on."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from steady.apiserver import columns as printed
from steady.apiserver import events, forms, rules
from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause
from steady.apiserver.kinds import Column, Kind, ScalePaths, faultless, same
from steady.objects import Resource

_SCALE = ScalePaths(".spec.replicas", ".status.replicas", ".spec.selector")


def _kind(
    group: str,
    version: str,
    kind: str,
    plural: str,
    *,
    short: str = "",
    namespaced: bool = True,
    status: bool = False,
    scale: ScalePaths | None = None,
    generation: bool = False,
    columns: tuple[Column, ...] = (printed.AGE,),
    categories: tuple[str, ...] = (),
    defaults: Callable[[Json], Json] = same,
    inward: Callable[[Json], Json] = same,
    faults: Callable[[Json, Json | None], list[Cause]] = faultless,
    form: type[msgspec.Struct] | None = None,
) -> Kind:
    resource = Resource(group, version, kind, plural, namespaced)
    return Kind(
        resource,
        resource.qualified,
        kind.lower(),
        tuple(short.split()),
        categories,
        status,
        scale,
        generation,
        columns,
        defaults=defaults,
        inward=inward,
        faults=faults,
        form=form,
        list_kind=f"{kind}List",
    )


def _event(version: str, storage: str) -> Kind:
    group, _, short = version.rpartition("/")
    modern = group == "events.k8s.io"
    return Kind(
        Resource(group, short, "Event", "events"),
        storage,
        "event",
        ("ev",),
        columns=printed.EVENT,
        outward=events.to_new if modern else same,
        inward=events.to_core if modern else same,
        list_kind="EventList",
    )


_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"

CRD = _kind(
    "apiextensions.k8s.io",
    "v1",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    short="crd crds",
    namespaced=False,
    status=True,
    generation=True,
    columns=(printed.CREATED_AT,),
    form=forms.Definition,
    categories=("api-extensions",),
)

NAMESPACE = _kind(
    "",
    "v1",
    "Namespace",
    "namespaces",
    short="ns",
    namespaced=False,
    status=True,
    defaults=rules.namespace,
    columns=printed.NAMESPACE,
    form=forms.Namespace,
)


def kinds() -> list[Kind]:
    """Every built-in kind, core group first."""
    return [
        NAMESPACE,
        _kind(
            "",
            "v1",
            "ConfigMap",
            "configmaps",
            short="cm",
            columns=printed.CONFIG_MAP,
            inward=rules.config_map,
            faults=rules.keyed_faults,
            form=forms.ConfigMap,
        ),
        _kind(
            "",
            "v1",
            "Secret",
            "secrets",
            columns=printed.SECRET,
            inward=rules.secret,
            faults=rules.keyed_faults,
            form=forms.Secret,
        ),
        _kind("", "v1", "ServiceAccount", "serviceaccounts", short="sa"),
        _kind("", "v1", "Service", "services", short="svc", status=True, inward=rules.service),
        _kind("", "v1", "Pod", "pods", short="po", status=True, generation=True),
        _kind("", "v1", "Node", "nodes", short="no", namespaced=False, status=True),
        _kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", short="pvc", status=True),
        _event("v1", "events"),
        _kind(
            "apps",
            "v1",
            "Deployment",
            "deployments",
            short="deploy",
            status=True,
            scale=_SCALE,
            generation=True,
            columns=printed.DEPLOYMENT,
            categories=("all",),
            inward=rules.workload,
            faults=rules.workload_faults,
            form=forms.Workload,
        ),
        _kind(
            "apps",
            "v1",
            "ReplicaSet",
            "replicasets",
            short="rs",
            status=True,
            scale=_SCALE,
            generation=True,
            inward=rules.workload,
            faults=rules.workload_faults,
            form=forms.Workload,
        ),
        _kind(
            "apps",
            "v1",
            "StatefulSet",
            "statefulsets",
            short="sts",
            status=True,
            scale=_SCALE,
            generation=True,
            inward=rules.workload,
            faults=rules.workload_faults,
            form=forms.Workload,
        ),
        _kind("apps", "v1", "DaemonSet", "daemonsets", short="ds", status=True, generation=True),
        _kind("batch", "v1", "Job", "jobs", status=True, generation=True),
        _kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", short="hpa", status=True),
        _kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", short="netpol", generation=True),
        _kind("networking.k8s.io", "v1", "Ingress", "ingresses", short="ing", status=True, generation=True),
        _kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", short="pdb", status=True, generation=True),
        _kind("coordination.k8s.io", "v1", "Lease", "leases", columns=printed.LEASE),
        _event("events.k8s.io/v1", "events"),
        _kind(_RBAC, "v1", "Role", "roles", columns=printed.ROLE),
        _kind(_RBAC, "v1", "RoleBinding", "rolebindings", columns=printed.ROLE_BINDING),
        _kind(_RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False, columns=printed.ROLE),
        _kind(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False, columns=printed.ROLE_BINDING),
        *(
            _kind(_ADMISSION, "v1", kind, plural, namespaced=False, generation=True)
            for kind, plural in (
                ("MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
                ("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
                ("ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
                ("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
            )
        ),
        CRD,
    ]
