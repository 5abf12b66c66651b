"""The one door out: compare, hold the echo, one request in flight per object, the answer into the cache."""

from steady.writes.limiter import Limiter, LimiterConfig
from steady.writes.writes import Gone, Writes

__all__ = ["Gone", "Limiter", "LimiterConfig", "Writes"]
