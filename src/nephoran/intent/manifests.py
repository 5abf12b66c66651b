"""The Kubernetes objects of one intent, as data. Nothing here is text: what a user wrote is only ever a value."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from nephoran.api.names import API_VERSION, FUNCTION_LABEL, INTENT_LABEL, MANAGED_LABEL
from nephoran.intent.plan import Function, NetworkSlice, Policy
from nephoran.knowledge import MANAGEMENT, knowledge

Manifest = dict[str, Any]

site_label = "nephoran.com/site"
manager = "nephoran"
metadata_addresses = ("169.254.0.0/16", "fe80::/10")  # link-local, where clouds keep credentials (RFC 3927, 4291)
user_id = 10001  # any but root's; an image needs no user of its own
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")  # RFC 1035, as Services demand
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


class IntentIdentity(msgspec.Struct, frozen=True):
    """Which life of which intent the objects belong to."""

    name: str
    namespace: str
    uid: str
    generation: int


class Place(msgspec.Struct, frozen=True):
    """Where an intent's objects live and what they are called."""

    intent: IntentIdentity
    namespace: str

    def name(self, part: str) -> str:
        """`<intent>-<part>`, unique among all intents whose objects may live in this namespace."""
        home = "" if self.namespace == self.intent.namespace else f"{self.intent.namespace}/"
        plain = f"{self.intent.name}-{part}"
        return plain if not home and _fits(plain, _NAME) else _hashed(home + self.intent.name, part)

    def host(self, part: str) -> str:
        """The DNS name of the Service of `part`."""
        return f"{self.name(part)}.{self.namespace}.svc"

    def metadata(self, name: str, labels: Mapping[str, str]) -> Manifest:
        """The metadata of one object."""
        return {"name": name, "namespace": self.namespace, "labels": dict(labels)}

    def labels(self, component: str = "", settings: Mapping[str, Any] | None = None) -> dict[str, str]:
        """The labels of every object; with those of a function if it belongs to one."""
        name = label_value(self.intent.name)
        labels = {
            MANAGED_LABEL: "true",
            INTENT_LABEL: name,
            "networkintent": name,
            "app.kubernetes.io/managed-by": manager,
            "app.kubernetes.io/part-of": name,
        }
        if component:
            labels |= {"app": component, "networkfunction": component, FUNCTION_LABEL: component}
            labels |= {"app.kubernetes.io/name": component, "app.kubernetes.io/instance": self.name(component)}
        if site := (settings or {}).get("site"):
            labels[site_label] = label_value(site)
        return labels

    def selector(self, component: str) -> dict[str, str]:
        """What selects the pods of this intent's function and of no other."""
        return {INTENT_LABEL: label_value(self.intent.name), "app.kubernetes.io/instance": self.name(component)}


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


def deployment(place: Place, function: Function, image: str, configuration: Manifest) -> Manifest:
    """The Deployment that runs `function`. Where it scales by itself, the number of replicas is the autoscaler's."""
    labels = place.labels(function.component, function.settings)
    spec: Manifest = {
        "selector": {"matchLabels": place.selector(function.component)},
        "revisionHistoryLimit": 2,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {
            "metadata": {"labels": labels, "annotations": _pod_annotations(function, configuration)},
            "spec": _pod(place, function, image),
        },
    }
    if function.autoscale is None:
        spec["replicas"] = function.replicas
    return _object("apps/v1", "Deployment", place.metadata(place.name(function.component), labels), spec=spec)


def _pod_annotations(function: Function, configuration: Manifest) -> dict[str, str]:
    content = configuration["data"]["config.json"]
    annotations = {"nephoran.com/config-digest": hashlib.sha256(content.encode()).hexdigest()}
    if function.settings.get("monitoring"):
        port = str(knowledge().ports[MANAGEMENT].number)
        annotations |= {"prometheus.io/scrape": "true", "prometheus.io/port": port, "prometheus.io/path": "/metrics"}
    return annotations


def _pod(place: Place, function: Function, image: str) -> Manifest:
    pod: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user_id,
            "runAsGroup": user_id,
            "fsGroup": user_id,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(function, image)],
        "volumes": [
            {"name": "config", "configMap": _mounted(place.name(f"{function.component}-config"))},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    if function.spread:
        pod["topologySpreadConstraints"] = [_spread(place, function.component)]
    return pod


def _mounted(name: str) -> Manifest:
    return {"name": name, "items": [{"key": "config.json", "path": "config.json"}]}


def _spread(place: Place, component: str) -> Manifest:
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": place.selector(component)},
    }


def _container(function: Function, image: str) -> Manifest:
    ports = knowledge().ports
    return {
        "name": function.component,
        "image": image,
        "ports": [
            {"name": name, "containerPort": ports[name].number, "protocol": ports[name].protocol}
            for name in function.ports
        ],
        "resources": {"requests": dict(function.requests), "limits": dict(function.limits)},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "startupProbe": _probe("/health", 5, 60),
        "livenessProbe": _probe("/health", 10, 3),
        "readinessProbe": _probe("/ready", 5, 3),
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/nephoran", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own volume
        ],
    }


def _probe(path: str, period: int, failures: int) -> Manifest:
    return {"httpGet": {"path": path, "port": MANAGEMENT}, "periodSeconds": period, "failureThreshold": failures}


def service(place: Place, function: Function) -> Manifest:
    """The Service in front of `function`, with every port on which it listens."""
    ports = knowledge().ports
    spec = {
        "selector": place.selector(function.component),
        "ports": [
            {
                "name": name,
                "port": ports[name].service or ports[name].number,
                "targetPort": name,
                "protocol": ports[name].protocol,
            }
            for name in function.ports
        ],
    }
    labels = place.labels(function.component, function.settings)
    return _object("v1", "Service", place.metadata(place.name(function.component), labels), spec=spec)


def configuration(place: Place, function: Function, text: str, together: Iterable[str]) -> Manifest:
    """The ConfigMap of `function`: what it is told, and the sentence behind it. `together`: the plan's components."""
    peers = {name: place.host(name) for name in function.dependencies if name in set(together)}
    told = {
        "component": function.component,
        "interfaces": function.interfaces,
        "dependencies": function.dependencies,
        "peers": peers,
        "settings": function.settings,
    }
    labels = place.labels(function.component, function.settings)
    return _config_map(place, f"{function.component}-config", labels, "config.json", told, text)


def slice_configuration(place: Place, profile: NetworkSlice, text: str) -> Manifest:
    """The ConfigMap that holds the slice."""
    told = msgspec.to_builtins(profile)
    return _config_map(place, "slice-config", place.labels(settings=profile.settings), "slice.json", told, text)


def policy_configuration(place: Place, policy: Policy, text: str) -> Manifest:
    """The ConfigMap that holds a policy for nothing that this intent runs."""
    told = msgspec.to_builtins(policy)
    return _config_map(place, "policy", place.labels(settings=policy.settings), "policy.json", told, text)


def _config_map(place: Place, part: str, labels: Mapping[str, str], key: str, told: Manifest, text: str) -> Manifest:
    data = {key: json.dumps(told, indent=2, sort_keys=True) + "\n", "intent": clean(text)}
    return _object("v1", "ConfigMap", place.metadata(place.name(part), labels), data=data)


def autoscaler(place: Place, function: Function) -> Manifest | None:
    """The HorizontalPodAutoscaler of `function`, if it scales by itself."""
    if (limits := function.autoscale) is None:
        return None
    name = place.name(function.component)
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": limits.least,
        "maxReplicas": limits.most,
        "metrics": [_cpu_metric(limits.utilisation)],
    }
    labels = place.labels(function.component, function.settings)
    return _object("autoscaling/v2", "HorizontalPodAutoscaler", place.metadata(name, labels), spec=spec)


def _cpu_metric(utilisation: int) -> Manifest:
    target = {"type": "Utilization", "averageUtilization": utilisation}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def network_policy(place: Place, function: Function) -> Manifest:
    """Who may speak to `function` and to whom it may speak: its interfaces within the namespace, and DNS.

    Interfaces connect functions of whatever intent deployed them; kubelet's probes need no rule.
    """
    spec = {
        "podSelector": {"matchLabels": place.selector(function.component)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": _ingress(function),
        "egress": _egress(function.component),
    }
    labels = place.labels(function.component, function.settings)
    metadata = place.metadata(place.name(function.component), labels)
    return _object("networking.k8s.io/v1", "NetworkPolicy", metadata, spec=spec)


def _ingress(function: Function) -> list[Manifest]:
    facts = knowledge()
    rules = [
        {"ports": [_port(port)], "from": [_pods(clients)]}
        for port, clients in sorted(facts.callers_of(function.component).items())
    ]
    anywhere = [*facts.open_ports_of(function.component)]
    if function.settings.get("monitoring"):
        anywhere.append(MANAGEMENT)
    return rules + [{"ports": [_port(port)], "from": [{"namespaceSelector": {}}]} for port in anywhere]


def _egress(component: str) -> list[Manifest]:
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
    return rules


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
