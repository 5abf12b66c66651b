"""What is counted, under which names, and how it is shown to Prometheus."""

from steady.metrics.controller import ControllerMetrics, Timer
from steady.metrics.families import Metrics
from steady.metrics.lag import LagMonitor
from steady.metrics.queue import QueueMetrics
from steady.metrics.watch import WatchMetrics

__all__ = ["ControllerMetrics", "LagMonitor", "Metrics", "QueueMetrics", "Timer", "WatchMetrics"]
