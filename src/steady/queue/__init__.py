"""What to do next: keys by priority and age, each at most once at a time."""

from steady.queue.priority import Priority
from steady.queue.queue import Closed, Place, Queue

__all__ = ["Closed", "Place", "Priority", "Queue"]
