"""The two kinds of this operator, as types; the CRDs are made from them."""

from nephoran.api.e2nodeset import E2NodeSet, E2NodeSetSpec, E2NodeSetStatus
from nephoran.api.networkintent import NetworkIntent, NetworkIntentSpec, NetworkIntentStatus

__all__ = [
    "E2NodeSet",
    "E2NodeSetSpec",
    "E2NodeSetStatus",
    "NetworkIntent",
    "NetworkIntentSpec",
    "NetworkIntentStatus",
]
