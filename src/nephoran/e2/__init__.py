"""E2 nodes: what they are in the cluster, how they are known to a RIC, and how they fare."""
