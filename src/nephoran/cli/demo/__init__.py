"""The whole operator on one machine, with real parts and no cluster."""
