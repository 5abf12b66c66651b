"""What to tell the cluster, and how rarely."""

from steady.status.batcher import StatusBatcher
from steady.status.composition import Update
from steady.status.config import BatchConfig
from steady.status.pending import Waiting, Why
from steady.status.statistics import Batch, Tally
from steady.status.ticket import Outcome, Ticket

__all__ = [
    "Batch",
    "BatchConfig",
    "Outcome",
    "StatusBatcher",
    "Tally",
    "Ticket",
    "Update",
    "Waiting",
    "Why",
]
