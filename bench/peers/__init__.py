"""The operator beside its peers on a real API server: who asks what, at which cost. `python -m bench.peers --help`."""
