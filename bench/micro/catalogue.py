"""All benchmarks: the seed's by their names, then the house's own hot parts."""

from __future__ import annotations

from typing import Final

from bench.micro import counters, keys, reconciles, sentences, statuses, waits
from bench.micro.case import Case, Go

_SLEEP = "a sleep of 100 ms"

SEED: Final = (
    Case(
        "SingleReconcile",
        reconciles.together(1),
        "an intent on the server in memory: sentence to completed status, the server's and the user's work included",
        go=Go(100_770_096, 7_037, 103, _SLEEP),
    ),
    *(
        Case(f"ConcurrentReconcile-{number}", reconciles.together(number), "the same, so many at once", number, go=go)
        for number, go in (
            (1, None),
            (5, Go(20_500_000, note=f"{_SLEEP}, 5 at a time")),
            (10, Go(10_200_000, note=f"{_SLEEP}, 10 at a time")),
            (20, Go(5_200_000, note=f"{_SLEEP}, 20 at a time")),
            (50, None),
            (100, None),
            (200, None),
        )
    ),
    Case("GetNextDelay", waits.next_delay, "a failure whose delay has passed", 1, True, 3.0, Go(765, 16, 1)),
    Case("ClassifyError", waits.classify, "known classes, in turn", 1, False, 2.0),
    Case(
        "RecordSuccess",
        waits.success,
        "of a key that has not failed",
        grows=True,
        go=Go(184, 16, 1),
    ),
    Case(
        "QueueUpdate",
        statuses.queue_update,
        "a partial status is queued",
        grows=True,
        go=Go(5_829, 1_004, 14),
    ),
    Case(
        "QueueUpdate-concurrent",
        statuses.queue_update_concurrent,
        "by ten tasks in turn",
        go=Go(10_553, note="updates that it dropped counted as done"),
    ),
    Case("RecordReconcileResult", counters.result, "with gauge and duration", go=Go(156, 0, 0, "the counter alone")),
    Case("RecordBackoffDelay", counters.delay, go=Go(295)),
    Case("NewReconcileTimer", counters.timer, "made, entered and left", go=Go(5_492, 1_725, 23)),
)

HOUSE: Final = (
    Case("reconcile", reconciles.echo, "the runtime alone, no server, nothing to do", reconciles.TOGETHER, True),
    Case("reconcile-intent", reconciles.intent, "the operator's controller, no server", reconciles.TOGETHER),
    Case("failure-and-success", waits.cured, "a first failure and its cure", grows=True),
    Case("classify-words", waits.classify_words, "classes that no rule names", 1, False, 2.0),
    Case("submit", statuses.submit, "a complete status", 1, True, 3.0),
    Case("status-change", statuses.change, "submitted to settled, without the write", 1, True, 20.0),
    Case("encode-status", statuses.encoded, "composed, stamped, and its patch"),
    Case("queue", keys.queue, "add, take, give back", grows=True),
    Case("store-event", keys.event, "a line of a watch into the store", grows=True),
    Case("view", keys.view, "metadata, spec and status"),
    Case("interpret", sentences.interpret, "a sentence"),
    Case("render", sentences.rendered, "a plan to manifests"),
)

CASES: Final = SEED + HOUSE
