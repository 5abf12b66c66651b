"""One kind's loop: its declaration, what a reconcile may do, and what it comes to."""

from steady.controller.children import Outcome
from steady.controller.context import Context
from steady.controller.declaration import Controller, Owned, Watched
from steady.controller.explanation import Explanation
from steady.controller.loop import Loop
from steady.controller.result import Again, Done, Failed, Result, Waiting

__all__ = [
    "Again",
    "Context",
    "Controller",
    "Done",
    "Explanation",
    "Failed",
    "Loop",
    "Outcome",
    "Owned",
    "Result",
    "Waiting",
    "Watched",
]
