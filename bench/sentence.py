"""What one sentence costs from text to manifests, in microseconds of CPU: `python -m bench.sentence`.

Each step with inputs that it has not seen: sentences in turn with another number, plans not remembered, names that are
new. The last column is an intent whose sentence was read and planned before, under a new name.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator

import click
from rich.console import Console
from rich.table import Table

from nephoran.intent.interpret import RuleInterpreter
from nephoran.intent.meaning import Meaning
from nephoran.intent.plan import Plan, plan, planned
from nephoran.intent.render import IntentIdentity, render
from nephoran.intent.sanitise import redact, sanitise
from nephoran.knowledge import knowledge

SENTENCES = (
    "Deploy AMF with {} replicas in namespace 5g-core",
    "Deploy UPF with auto-scaling min 2 max {} replicas at 70 percent CPU",
    "Deploy AMF, SMF and UPF. Configure for high availability with {} replicas each and enable monitoring.",
    "Create eMBB network slice for video streaming. Guarantee {} Mbps downlink and 50 Mbps uplink.",
)
_IMAGES = {name: f"images.example/{name}:1" for name in knowledge().components}
_NUMBERS = range(10, 200)


def least(step: Callable[[], object], times: int) -> float:
    """Microseconds of the fastest of `times` runs: what the step costs when nothing else runs."""
    return min(_timed(step) for _ in range(times)) / 1_000


def _timed(step: Callable[[], object]) -> int:
    begun = time.perf_counter_ns()
    step()
    return time.perf_counter_ns() - begun


def costs(sentence: str, times: int) -> Iterator[float]:
    """Microseconds to sanitise, to read, to plan, to render, of all four, and of an intent that says what is known."""
    read = RuleInterpreter().meaning
    numbers, names = itertools.cycle(_NUMBERS), itertools.count()
    text = sentence.format(10)
    meaning = read(text)

    def rendered(meaning: Meaning, plan: Callable[[Meaning], Plan]) -> None:
        identity = IntentIdentity(f"intent-{next(names)}", "bench", "uid", 1)
        render(identity, plan(meaning), target_namespace="bench", images=_IMAGES)

    def unseen(meaning: Meaning) -> Plan:
        planned.cache_clear()
        return plan(meaning)

    ready = plan(meaning)
    yield least(lambda: redact(sanitise(text)), times)
    yield least(lambda: read(sentence.format(next(numbers))), times)
    yield least(lambda: unseen(meaning), times)
    yield least(lambda: rendered(meaning, lambda _: ready), times)
    yield least(lambda: rendered(read(sentence.format(next(numbers))), unseen), times)
    yield least(lambda: rendered(meaning, plan), times)


@click.command()
@click.option("--times", default=2_000, show_default=True, help="Runs of each step, of which the fastest counts.")
def main(times: int) -> None:
    """Show what sentences cost."""
    table = Table("sentence", "sanitise", "interpret", "plan", "render", "all", "known")
    for sentence in SENTENCES:
        table.add_row(sentence[:50], *(f"{cost:.0f}" for cost in costs(sentence, times)))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
