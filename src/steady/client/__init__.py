"""One API server: where it is, how requests travel, what each was for."""

from steady.client.client import Client
from steady.client.credentials import Connection, connect
from steady.client.http import HttpTransport
from steady.client.transport import Request, Response, Stream, Transport

__all__ = ["Client", "Connection", "HttpTransport", "Request", "Response", "Stream", "Transport", "connect"]
