"""What the cluster looks like: stores that follow the server and read their own writes."""

from steady.cache.reflector import Reflector
from steady.cache.store import Change, Index, Store

__all__ = ["Change", "Index", "Reflector", "Store"]
