"""A Kubernetes API server in memory, with the real one's semantics: for tests, the demo and trying out."""

from steady.apiserver.exchange import Request, Response
from steady.apiserver.server import Entry, Server

__all__ = ["Entry", "Request", "Response", "Server"]
