"""The Kubernetes objects of one intent, as data. Nothing here is text: what a user wrote is only ever a value."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from nephoran.api.names import API_VERSION, FUNCTION_LABEL, INTENT_LABEL, MANAGED_LABEL
from nephoran.intent.document import Constant, encoded
from nephoran.intent.memory import remembered
from nephoran.intent.plan import Function, NetworkSlice, Policy
from nephoran.knowledge import MANAGEMENT, knowledge

Manifest = dict[str, Any]
Quantities = tuple[tuple[str, str], ...]

site_label = "nephoran.com/site"
manager = "nephoran"
metadata_addresses = ("169.254.0.0/16", "fe80::/10")  # link-local, where clouds keep credentials (RFC 3927, 4291)
user_id = 10001  # any but root's; an image needs no user of its own
_REMEMBERED = 256  # containers: by component, image and size, whatever the intent
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")  # RFC 1035, as Services demand
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


class IntentIdentity(msgspec.Struct, frozen=True):
    """Which life of which intent the objects belong to."""

    name: str
    namespace: str
    uid: str
    generation: int


class Place:
    """Where an intent's objects live and what they are called."""

    def __init__(self, intent: IntentIdentity, namespace: str) -> None:
        self.intent = intent
        self.namespace = namespace
        self.label = label_value(intent.name)

    def name(self, part: str) -> str:
        """`<intent>-<part>`, unique among all intents whose objects may live in this namespace."""
        home = "" if self.namespace == self.intent.namespace else f"{self.intent.namespace}/"
        plain = f"{self.intent.name}-{part}"
        return plain if not home and _fits(plain, _NAME) else _hashed(home + self.intent.name, part)

    def host(self, part: str) -> str:
        """The DNS name of the Service of `part`."""
        return f"{self.name(part)}.{self.namespace}.svc"

    def metadata(self, name: str, labels: Mapping[str, str] | Constant) -> Manifest:
        """The metadata of one object."""
        return {"name": name, "namespace": self.namespace, "labels": labels}

    def labels(self, component: str = "", settings: Mapping[str, Any] | None = None) -> dict[str, str]:
        """The labels of every object; with those of a function if it belongs to one."""
        labels = {
            MANAGED_LABEL: "true",
            INTENT_LABEL: self.label,
            "networkintent": self.label,
            "app.kubernetes.io/managed-by": manager,
            "app.kubernetes.io/part-of": self.label,
        }
        if component:
            labels |= {"app": component, "networkfunction": component, FUNCTION_LABEL: component}
            labels |= {"app.kubernetes.io/name": component, "app.kubernetes.io/instance": self.name(component)}
        if site := (settings or {}).get("site"):
            labels[site_label] = label_value(site)
        return labels


class Subject:
    """One function of one intent: what all its objects share."""

    def __init__(self, place: Place, function: Function) -> None:
        self.place = place
        self.function = function
        self.name = place.name(function.component)
        self.labels = Constant(place.labels(function.component, function.settings))
        self.metadata = place.metadata(self.name, self.labels)
        self.selector = Constant({INTENT_LABEL: place.label, "app.kubernetes.io/instance": self.name})
        self.matching = Constant({"matchLabels": self.selector})


def label_value(text: str) -> str:
    """`text` if it can be a label's value, otherwise a hash that stands for it."""
    return text if _fits(text, _LABEL) else _hashed(text, "")


def _fits(text: str, pattern: re.Pattern[str]) -> bool:
    return len(text) <= 63 and pattern.fullmatch(text) is not None


def _hashed(text: str, part: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:10]
    words = re.sub(r"[^a-z0-9]+", "-", text.rpartition("/")[2].lower()).strip("-")
    end = "-".join(filter(None, [digest, part]))
    return f"i-{words[: 60 - len(end)].strip('-')}-{end}" if words else f"i-{end}"


def deployment(subject: Subject, image: str, configuration: Manifest) -> Manifest:
    """The Deployment that runs the function. Where it scales by itself, the number of replicas is the autoscaler's."""
    function = subject.function
    spec: Manifest = {
        "selector": subject.matching,
        "revisionHistoryLimit": 2,
        "strategy": _strategy,
        "template": {
            "metadata": {"labels": subject.labels, "annotations": _pod_annotations(function, configuration)},
            "spec": _pod(subject, image, configuration["metadata"]["name"]),
        },
    }
    if function.autoscale is None:
        spec["replicas"] = function.replicas
    return _object("apps/v1", "Deployment", subject.metadata, spec=spec)


def _pod_annotations(function: Function, configuration: Manifest) -> dict[str, str]:
    content = configuration["data"]["config.json"]
    annotations = {"nephoran.com/config-digest": hashlib.sha256(content.encode()).hexdigest()}
    if function.settings.get("monitoring"):
        port = str(knowledge().ports[MANAGEMENT].number)
        annotations |= {"prometheus.io/scrape": "true", "prometheus.io/port": port, "prometheus.io/path": "/metrics"}
    return annotations


def _pod(subject: Subject, image: str, configuration: str) -> Manifest:
    function = subject.function
    pod: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": _pod_security,
        "containers": _containers(function.component, image, _items(function.requests), _items(function.limits)),
        "volumes": [
            {"name": "config", "configMap": {"name": configuration, "items": _mounted}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    if function.spread:
        pod["topologySpreadConstraints"] = [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": subject.matching,
            }
        ]
    return pod


@remembered("containers", _REMEMBERED)
def _containers(component: str, image: str, requests: Quantities, limits: Quantities) -> Constant:
    container = {
        "name": component,
        "image": image,
        "ports": _container_ports(component),
        "resources": {"requests": dict(requests), "limits": dict(limits)},
        "securityContext": _container_security,
        "startupProbe": _startup,
        "livenessProbe": _liveness,
        "readinessProbe": _readiness,
        "volumeMounts": _mounts,
    }
    return Constant([container])


def _items(quantities: Mapping[str, str]) -> Quantities:
    return tuple(quantities.items())


def _probe(path: str, period: int, failures: int) -> Constant:
    probe = {"httpGet": {"path": path, "port": MANAGEMENT}, "periodSeconds": period, "failureThreshold": failures}
    return Constant(probe)


_strategy = Constant({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
_pod_security = Constant(
    {
        "runAsNonRoot": True,
        "runAsUser": user_id,
        "runAsGroup": user_id,
        "fsGroup": user_id,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
)
_container_security = Constant(
    {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
)
_startup, _liveness, _readiness = _probe("/health", 5, 60), _probe("/health", 10, 3), _probe("/ready", 5, 3)
_mounted = Constant([{"key": "config.json", "path": "config.json"}])
_mounts = Constant(
    [
        {"name": "config", "mountPath": "/etc/nephoran", "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own volume
    ]
)


@cache
def _container_ports(component: str) -> Constant:
    facts = knowledge()
    ports = [(name, facts.ports[name]) for name in facts.ports_of(component)]
    return Constant([{"name": name, "containerPort": it.number, "protocol": it.protocol} for name, it in ports])


@cache
def _service_ports(component: str) -> Constant:
    facts = knowledge()
    ports = [(name, facts.ports[name]) for name in facts.ports_of(component)]
    return Constant(
        [
            {"name": name, "port": it.service or it.number, "targetPort": name, "protocol": it.protocol}
            for name, it in ports
        ]
    )


def service(subject: Subject) -> Manifest:
    """The Service in front of the function, with every port on which it listens."""
    spec = {"selector": subject.selector, "ports": _service_ports(subject.function.component)}
    return _object("v1", "Service", subject.metadata, spec=spec)


def configuration(subject: Subject, text: str, together: Collection[str]) -> Manifest:
    """The ConfigMap of the function: what it is told, and the sentence behind it. `together`: all that is deployed."""
    place, function = subject.place, subject.function
    told = {
        "component": function.component,
        "interfaces": function.interfaces,
        "dependencies": function.dependencies,
        "peers": {name: place.host(name) for name in function.dependencies if name in together},
        "settings": function.settings,
    }
    return _config_map(place, f"{function.component}-config", subject.labels, "config.json", told, text)


def slice_configuration(place: Place, profile: NetworkSlice, text: str) -> Manifest:
    """The ConfigMap that holds the slice."""
    told = msgspec.to_builtins(profile)
    return _config_map(place, "slice-config", place.labels(settings=profile.settings), "slice.json", told, text)


def policy_configuration(place: Place, policy: Policy, text: str) -> Manifest:
    """The ConfigMap that holds a policy for nothing that this intent runs."""
    told = msgspec.to_builtins(policy)
    return _config_map(place, "policy", place.labels(settings=policy.settings), "policy.json", told, text)


def _config_map(
    place: Place, part: str, labels: Mapping[str, str] | Constant, key: str, told: Manifest, text: str
) -> Manifest:
    data = {key: msgspec.json.format(encoded(told), indent=2).decode() + "\n", "intent": clean(text)}
    return _object("v1", "ConfigMap", place.metadata(place.name(part), labels), data=data)


def autoscaler(subject: Subject) -> Manifest | None:
    """The HorizontalPodAutoscaler of the function, if it scales by itself."""
    if (limits := subject.function.autoscale) is None:
        return None
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": subject.name},
        "minReplicas": limits.least,
        "maxReplicas": limits.most,
        "metrics": [_cpu_metric(limits.utilisation)],
    }
    return _object("autoscaling/v2", "HorizontalPodAutoscaler", subject.metadata, spec=spec)


def _cpu_metric(utilisation: int) -> Manifest:
    target = {"type": "Utilization", "averageUtilization": utilisation}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def network_policy(subject: Subject) -> Manifest:
    """Who may speak to the function and to whom it may speak: its interfaces within the namespace, and DNS.

    Interfaces connect functions of whatever intent deployed them; kubelet's probes need no rule.
    """
    component = subject.function.component
    spec = {
        "podSelector": subject.matching,
        "policyTypes": _both_ways,
        "ingress": _ingress(component, bool(subject.function.settings.get("monitoring"))),
        "egress": _egress(component),
    }
    return _object("networking.k8s.io/v1", "NetworkPolicy", subject.metadata, spec=spec)


_both_ways = Constant(["Ingress", "Egress"])


@cache
def _ingress(component: str, monitored: bool) -> Constant | list[Manifest]:
    facts = knowledge()
    rules = [
        {"ports": [_port(port)], "from": [_pods(clients)]}
        for port, clients in sorted(facts.callers_of(component).items())
    ]
    anywhere = [*facts.open_ports_of(component), *([MANAGEMENT] if monitored else [])]
    rules += [{"ports": [_port(port)], "from": [{"namespaceSelector": {}}]} for port in anywhere]
    return Constant(rules) if rules else []


@cache
def _egress(component: str) -> Constant:
    facts = knowledge()
    rules = [
        {"ports": [_port(port)], "to": [_pods(servers)]} for port, servers in sorted(facts.called_by(component).items())
    ]
    dns = [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]
    rules.append({"ports": dns, "to": [{"namespaceSelector": {}}]})
    if facts.reaches_out(component):
        ipv4, ipv6 = metadata_addresses
        outside = {"0.0.0.0/0": ipv4, "::/0": ipv6}
        rules.append({"to": [{"ipBlock": {"cidr": cidr, "except": [kept]}} for cidr, kept in outside.items()]})
    return Constant(rules)


def _port(name: str) -> Manifest:
    fact = knowledge().ports[name]
    return {"port": fact.number, "protocol": fact.protocol}


def _pods(components: Iterable[str]) -> Manifest:
    term = {"key": FUNCTION_LABEL, "operator": "In", "values": sorted(components)}
    return {"podSelector": {"matchExpressions": [term]}}


def e2_node_set(place: Place, replicas: int, ric: str | None) -> Manifest:
    """The E2NodeSet of the intent's E2 nodes; `ric` is the component's name if this intent runs the RIC as well."""
    defaults = knowledge().e2
    name = place.name("e2-node")
    functions = [msgspec.to_builtins(function) for function in defaults.functions]
    spec: Manifest = {
        "replicas": replicas,
        "template": {
            "spec": {
                "nodeID": name,
                "e2InterfaceVersion": defaults.version,
                "supportedRANFunctions": [_camel(function) for function in functions],
            }
        },
    }
    if ric:
        port = knowledge().ports["ric-api"].number
        spec["ricConfiguration"] = {"ricEndpoint": f"http://{place.host(ric)}:{port}"}
    return _object(API_VERSION, "E2NodeSet", place.metadata(name, place.labels("e2-node")), spec=spec)


def _camel(function: Manifest) -> Manifest:
    identity = function.pop("function_id")
    return {"functionID": identity, **function}


def kustomization(files: Iterable[str]) -> Manifest:
    """The list of `files`, for whoever applies the directory."""
    return {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": sorted(files)}


def clean(text: str) -> str:
    """`text` as UTF-8 can hold it: lone surrogates become question marks."""
    return text.encode("utf-8", "replace").decode()


def _object(api_version: str, kind: str, metadata: Manifest, **content: Any) -> Manifest:
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}
