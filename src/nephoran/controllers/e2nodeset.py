"""E2NodeSet: a ConfigMap for every node, every node registered with its RIC, and a status that tells how they fare.

Order, so that a crash anywhere repeats nothing: deregister → DELETE; renew → PATCH; POST → register → status.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from nephoran.addresses import AddressForbidden
from nephoran.api import E2NodeSet, E2NodeSetStatus
from nephoran.api.e2nodeset import NodeSetPhase
from nephoran.api.names import APP_LABEL, NODE_APP, NODE_SET_FINALIZER
from nephoran.controllers.settings import NODE_SETS, Effort
from nephoran.e2.fleet import Fleet
from nephoran.e2.nodes import (
    ExistingNode,
    Node,
    NodePlan,
    NodeTemplate,
    RanFunction,
    RicSettings,
    config_map,
    desired_nodes,
    existing_node,
)
from nephoran.e2.ric import RicRefused
from nephoran.e2.summary import Situation, summary
from steady import ConfigMap, Context, Controller, Done, Failed, Owned, Result, Waiting
from steady.clock import parse_timestamp
from steady.errors import DecodeError, SteadyError

NodeSetContext = Context[E2NodeSetStatus]

_NAMED = 10  # nodes that an Event lists


class NodeSetReconciler:
    """Brings one set after another to its number of connected nodes."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def reconcile(self, node_set: E2NodeSet, context: NodeSetContext) -> Result[E2NodeSetStatus]:
        """Do what the set says, as far as it is not done."""
        spec, metadata = node_set.spec, node_set.metadata
        ric = RicSettings.of(spec, metadata.annotations)
        template = NodeTemplate.of(spec, metadata.annotations)
        existing = _existing(node_set, context)
        plan = desired_nodes(metadata.namespace, metadata.name, spec.replicas, template, existing, anew=context.forced)
        with context.phase("deregister"):
            staying = await self._deregistered(node_set, plan, ric)
        if plan.update:
            renewed = [node for node, _ in plan.update]
            self._watch(node_set, ric, [*plan.keep, *renewed])
            with context.phase("register"):
                await self._fleet.register(node_set.key, [node.node_id for node in renewed])
        with context.phase("children"):
            outcome = await context.become(
                ConfigMap, _children(node_set, plan, context), keep=[*(node.name for node in plan.keep), *staying]
            )
        present = {child.metadata.name for child in context.children(ConfigMap)}
        self._watch(node_set, ric, [node for node in plan.desired if node.name in present])
        with context.phase("register"):
            refused = await self._fleet.register(node_set.key)
        status = self._status(node_set, plan, context)
        # A RIC that is down is the fleet's to watch; what it refuses, nobody else would ask for again.
        troubles = [*outcome.failures.values(), *staying.values()]
        troubles += [error for error in refused.values() if isinstance(error, RicRefused | AddressForbidden)]
        if troubles:
            return Failed(status, troubles[0], terminal=all(isinstance(error, AddressForbidden) for error in troubles))
        return Done(status) if status.phase is NodeSetPhase.READY else Waiting(status)

    async def cleanup(self, node_set: E2NodeSet, context: NodeSetContext) -> None:
        """Make the RIC forget every node; the ConfigMaps go by their owner.

        A RIC that does not answer holds the set up for all attempts that it is allowed, counted from the deletion so
        that a restart grants no more; then the set goes, and an Event says which nodes may stay registered.
        """
        ric = _settings(node_set)
        failures = await self._deregister(node_set, _existing(node_set, context), ric)
        waiting = _worth_waiting(failures)
        if waiting and _seconds_since_deletion(node_set, context) < ric.patience:
            raise next(iter(waiting.values()))
        if failures:
            context.event("Warning", "CleanupFailedMaxRetries", _left_behind(failures))
        self._fleet.forget(node_set.key)

    async def _deregistered(self, node_set: E2NodeSet, plan: NodePlan, ric: RicSettings) -> dict[str, SteadyError]:
        """Deregister what goes or moves to another RIC; those that could not be, by ConfigMap name, with why."""
        moved = [old for _, old in plan.update if old.endpoint and old.endpoint != ric.endpoint]
        failures = await self._deregister(node_set, [*plan.remove, *moved], ric)
        removed = {old.name for old in plan.remove}
        return {name: error for name, error in _worth_waiting(failures).items() if name in removed}

    async def _deregister(
        self, node_set: E2NodeSet, nodes: Iterable[ExistingNode], ric: RicSettings
    ) -> dict[str, SteadyError]:
        by_endpoint: dict[str, dict[str, str]] = defaultdict(dict)
        for node in nodes:
            if node.node_id:
                by_endpoint[node.endpoint or ric.endpoint][node.node_id] = node.name
        failures: dict[str, SteadyError] = {}
        for endpoint, named in by_endpoint.items():
            settings = msgspec.structs.replace(ric, endpoint=endpoint)
            lost = await self._fleet.deregister(node_set.key, settings, named)
            failures |= {named[node_id]: error for node_id, error in lost.items()}
        return failures

    def _watch(self, node_set: E2NodeSet, ric: RicSettings, nodes: Sequence[Node]) -> None:
        functions: Mapping[str, Sequence[RanFunction]] = {node.node_id: node.config.ran_functions for node in nodes}
        self._fleet.watch(node_set.key, ric, functions, _earlier(node_set))

    def _status(self, node_set: E2NodeSet, plan: NodePlan, context: NodeSetContext) -> E2NodeSetStatus:
        digests = {node.name: node.digest for node in plan.desired}
        existing = _existing(node_set, context)
        situation = Situation(
            desired=node_set.spec.replicas,
            existing=len(existing),
            updated=sum(digests.get(node.name) == node.digest for node in existing),
            node_ids=[node.node_id for node in plan.desired],
            sessions=self._fleet.sessions(node_set.key),
        )
        return summary(node_set.metadata.name, situation)


def node_set_controller(fleet: Fleet, effort: Effort = NODE_SETS) -> Controller[E2NodeSet, E2NodeSetStatus]:
    """The controller of E2NodeSets."""
    reconciler = NodeSetReconciler(fleet)
    return Controller(
        E2NodeSet,
        reconciler.reconcile,
        cleanup=reconciler.cleanup,
        finalizer=NODE_SET_FINALIZER,
        owns=[Owned(ConfigMap, labels={APP_LABEL: NODE_APP}, metadata_only=True)],
        wakes=[fleet.changes],
        pause=fleet.forget,
        concurrency=effort.concurrency,
        deadline=effort.deadline,
    )


def _existing(node_set: E2NodeSet, context: NodeSetContext) -> list[ExistingNode]:
    """The set's nodes. One that somebody else has written since we did counts as written with we know not what."""
    found = [existing_node(node_set.metadata.name, child.metadata) for child in context.children(ConfigMap)]
    touched = context.touched(ConfigMap)
    return [msgspec.structs.replace(node, digest="") if node.name in touched else node for node in found]


def _settings(node_set: E2NodeSet) -> RicSettings:
    """The set's RIC; the default one where the spec cannot be read, for each node knows its own."""
    try:
        return RicSettings.of(node_set.spec, node_set.metadata.annotations)
    except DecodeError:
        return RicSettings()


def _worth_waiting(failures: Mapping[str, SteadyError]) -> dict[str, SteadyError]:
    """Deregistrations that may succeed later: no request is ever sent to a forbidden address."""
    return {name: error for name, error in failures.items() if not isinstance(error, AddressForbidden)}


def _seconds_since_deletion(node_set: E2NodeSet, context: NodeSetContext) -> float:
    deleted = node_set.metadata.deletion_timestamp
    return (context.now() - parse_timestamp(deleted)).total_seconds() if deleted else 0.0


def _left_behind(failures: Mapping[str, SteadyError]) -> str:
    names = [*failures][:_NAMED]
    listed = ", ".join(names) + (" …" if len(failures) > len(names) else "")
    return f"{len(failures)} nodes could not be deregistered ({next(iter(failures.values()))}): {listed}"


def _children(node_set: E2NodeSet, plan: NodePlan, context: NodeSetContext) -> list[ConfigMap]:
    fresh = [(node, "") for node in plan.create] + [(node, old.created_at) for node, old in plan.update]
    namespace, name = node_set.key
    bodies = [config_map(namespace, name, node, context.now(), created) for node, created in fresh]
    return [
        ConfigMap(
            body["metadata"]["name"],
            body["data"],
            labels=body["metadata"]["labels"],
            annotations=body["metadata"]["annotations"],
            marked=True,
        )
        for body in bodies
    ]


def _earlier(node_set: E2NodeSet) -> dict[str, str]:
    """Since when nodes were connected, as the last status tells; nothing where it cannot be read."""
    try:
        statuses = node_set.status.e2_node_statuses
    except SteadyError:
        return {}
    return {status.node_id: status.connected_since for status in statuses if status.connected_since}
