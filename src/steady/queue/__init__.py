"""What to do next: keys by priority and age, each at most once at a time."""

from steady.queue.priority import Priority
from steady.queue.queue import Closed, Queue

__all__ = ["Closed", "Priority", "Queue"]
