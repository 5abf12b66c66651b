"""What the operator knows of 3GPP and O-RAN networks, as types. The facts themselves are the TOML files beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

Domain = Literal["core", "ran", "ric", "test"]
Protocol = Literal["TCP", "UDP", "SCTP"]
MANAGEMENT = "mgmt"


class Fact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of a file; a key that it does not declare is an error."""


class Size(Fact, frozen=True, rename="kebab"):
    """Resources of one instance, as Kubernetes quantities."""

    cpu: str
    memory: str
    ephemeral_storage: str


class Component(Fact, frozen=True):
    """One kind of thing that an intent may name.

    `manifest` is the Kubernetes kind that runs it; only what runs as a Deployment has a size. `type` is the Go
    operator's classification. `dependencies` are components without which it does no work.
    """

    title: str
    domain: Domain
    type: str
    manifest: Literal["Deployment", "E2NodeSet"] = "Deployment"
    requests: Size | None = None
    limits: Size | None = None
    ha_replicas: int = 3
    dependencies: tuple[str, ...] = ()


class Port(Fact, frozen=True):
    """Where a protocol is spoken: `number` in the pod, `service` in front of it (0: the same)."""

    number: int
    protocol: Protocol
    source: str
    service: int = 0


class Interface(Fact, frozen=True):
    """A reference point: `clients` connect to `servers` on `ports`.

    `external`: clients reach beyond the cluster; `open`: servers are reached from other namespaces too.
    """

    title: str
    source: str
    ports: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    external: bool = False
    open: bool = False


class SliceType(Fact, frozen=True):
    """A standard slice: `sst` and `five_qi` as on the air, `latency_ms` one way, `reliability` in percent."""

    title: str
    sst: int
    latency_ms: float
    reliability: float
    five_qi: int | None = None


class RanFunction(Fact, frozen=True):
    """One service model that an E2 node offers."""

    function_id: int
    revision: int
    description: str
    oid: str


class E2Defaults(Fact, frozen=True):
    """What an E2 node is when nobody says otherwise."""

    version: str
    functions: tuple[RanFunction, ...]


class Knowledge(msgspec.Struct, frozen=True):
    """All facts, by name."""

    components: Mapping[str, Component]
    ports: Mapping[str, Port]
    interfaces: Mapping[str, Interface]
    slices: Mapping[str, SliceType]
    e2: E2Defaults

    def interfaces_of(self, component: str) -> tuple[str, ...]:
        """The interfaces on which `component` serves or calls, in the order of the file."""
        return tuple(name for name, it in self.interfaces.items() if component in it.servers + it.clients)

    def ports_of(self, component: str) -> tuple[str, ...]:
        """The names of the ports on which `component` listens, management first."""
        served = [port for it in self.interfaces.values() if component in it.servers for port in it.ports]
        return tuple(dict.fromkeys([MANAGEMENT, *served]))

    def callers_of(self, component: str) -> Mapping[str, frozenset[str]]:
        """Who connects to `component`: port name to client components."""
        served = [it for it in self.interfaces.values() if component in it.servers]
        return _merged((port, it.clients) for it in served for port in it.ports)

    def called_by(self, component: str) -> Mapping[str, frozenset[str]]:
        """To whom `component` connects: port name to server components."""
        called = [it for it in self.interfaces.values() if component in it.clients]
        return _merged((port, it.servers) for it in called for port in it.ports)

    def open_ports_of(self, component: str) -> tuple[str, ...]:
        """The ports of `component` that other namespaces may reach."""
        return tuple(
            port for it in self.interfaces.values() if it.open and component in it.servers for port in it.ports
        )

    def reaches_out(self, component: str) -> bool:
        """Whether `component` has an interface that leads beyond the cluster."""
        return any(it.external and component in it.clients for it in self.interfaces.values())


def _merged(pairs: Iterable[tuple[str, tuple[str, ...]]]) -> Mapping[str, frozenset[str]]:
    merged: dict[str, frozenset[str]] = {}
    for port, components in pairs:
        merged[port] = merged.get(port, frozenset()) | frozenset(components)
    return merged
