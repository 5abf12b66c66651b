"""Names that objects in a cluster carry: the Go operator's, kept, and the few that are ours.

Everything here is stored in users' clusters: a name may be added, never changed.
"""

from __future__ import annotations

GROUP = "nephoran.com"
VERSION = "v1"
API_VERSION = f"{GROUP}/{VERSION}"

SYSTEM_NAMESPACE = "nephoran-system"
SERVICE_ACCOUNT = "nephoran"
LEASE = "nephoran-intent-operator"
"""Leadership: the Go operator's leader election id, so that both never act at once in one namespace."""

INTENT_FINALIZER = "networkintent.nephoran.com/finalizer"
NODE_SET_FINALIZER = "nephoran.com/e2nodeset-finalizer"

# Manifests rendered for an intent.
MANAGED_LABEL = "nephoran.com/managed"
INTENT_LABEL = "nephoran.com/network-intent"
FUNCTION_LABEL = "nephoran.com/network-function"
DIGEST_ANNOTATION = "nephoran.com/digest"
"""The digest of the intent's directory, on every object rendered from it."""

# E2 nodes: one ConfigMap each.
NODE_APP = "e2-node-simulator"
APP_LABEL = "app"
NODE_SET_LABEL = "nephoran.com/e2-nodeset"
NODE_ID_LABEL = "nephoran.com/node-id"
NODE_INDEX_LABEL = "nephoran.com/node-index"
E2_VERSION_ANNOTATION = "nephoran.com/e2-interface-version"
RIC_ENDPOINT_ANNOTATION = "nephoran.com/ric-endpoint"
CREATED_AT_ANNOTATION = "nephoran.com/created-at"
CONFIG_HASH_ANNOTATION = "nephoran.com/config-hash"
"""The hash of a node's desired configuration, times excluded."""
NODE_CONFIG_KEY = "e2node-config.json"
NODE_STATUS_KEY = "e2node-status.json"

# On an E2NodeSet.
NEAR_RT_RIC_ANNOTATION = "nephoran.com/near-rt-ric-endpoint"
DEFAULT_RIC_ENDPOINT = "http://near-rt-ric:38080"
DEFAULT_E2_VERSION = "v3.0"
