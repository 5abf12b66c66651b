"""Benchmarks of what an intent's sentence goes through."""

from __future__ import annotations

from contextlib import asynccontextmanager
from itertools import count, cycle, islice
from typing import Final

from bench.micro.case import Prepared, Step
from nephoran.intent.interpret import RuleInterpreter
from nephoran.intent.plan import plan
from nephoran.intent.render import IntentIdentity, render
from nephoran.knowledge import knowledge

_SENTENCE: Final = "Deploy AMF with {} replicas in namespace 5g-core"
_IMAGES: Final = {name: f"registry.example/{name}:1" for name in knowledge().components}


@asynccontextmanager
async def interpret(_: int) -> Prepared:
    """A sentence that was not seen just before is read."""
    meaning = RuleInterpreter().meaning
    sentences = cycle([_SENTENCE.format(number) for number in range(10, 200)])

    async def run(times: int) -> None:
        for sentence in islice(sentences, times):
            meaning(sentence)

    yield Step(run)


@asynccontextmanager
async def rendered(_: int) -> Prepared:
    """A plan becomes manifests, under a new name each time."""
    planned = plan(RuleInterpreter().meaning(_SENTENCE.format(3)))
    numbers = count()

    async def run(times: int) -> None:
        for number in islice(numbers, times):
            identity = IntentIdentity(f"intent-{number}", "bench", f"uid-{number}", 1)
            render(identity, planned, target_namespace="bench", images=_IMAGES)

    yield Step(run)
