"""What is counted, and how it is shown: few series, several processes in one, and never at the cost of the loop."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from steady.metrics import LagMonitor, Metrics
from steady.metrics.exposition import exposition
from steady.metrics.families import DURATIONS
from steady.queue import Queue

pytestmark = pytest.mark.looptime


async def text(metrics: Metrics) -> str:
    return b"".join([piece async for piece in exposition(metrics.registry)]).decode()


async def samples(metrics: Metrics) -> dict[str, float]:
    """Every series by name and labels, as Prometheus would read it."""
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(await text(metrics))
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_there_is_a_bound_at_two_seconds() -> None:
    """The headline target is a 95th percentile under 2 s, so a histogram must be able to tell."""
    assert 2.0 in DURATIONS


async def test_several_processes_live_in_one() -> None:
    """The seed registers in its constructor, so a second controller panics; here each instance has its registry."""
    one, two = Metrics(name="one"), Metrics(name="two")
    one.controller("echo").finished("success", 0.1)
    assert value(one, "controller_reconcile_total", controller="echo", result="success") == 1
    assert value(two, "controller_reconcile_total", controller="echo", result="success") is None
    with pytest.raises(ValueError, match="Duplicated"):
        Metrics(one.registry)


async def test_two_controllers_share_one_registry() -> None:
    """Families are declared once, and a controller's counters are children of them."""
    metrics = Metrics(CollectorRegistry())
    for name in ("intents", "sets"):
        metrics.controller(name).finished("success", 0.1)
        assert value(metrics, "controller_reconcile_total", controller=name, result="success") == 1


async def test_what_an_alert_divides_by_is_there_at_zero() -> None:
    """A ratio of counters that are absent is no ratio: all results of a controller exist from the start."""
    metrics = Metrics()
    metrics.controller("echo", concurrency=7)
    for result in ("success", "again", "error", "timeout"):
        assert value(metrics, "controller_reconcile_total", controller="echo", result=result) == 0
    assert value(metrics, "controller_max_reconcilers", controller="echo") == 7


async def test_active_reconcilers_return_to_zero() -> None:
    """The seed sets its gauge at the beginning only."""
    metrics = Metrics()
    echo = metrics.controller("echo")
    echo.started()
    assert value(metrics, "controller_active_reconcilers", controller="echo") == 1
    echo.finished("error", 0.5)
    assert value(metrics, "controller_active_reconcilers", controller="echo") == 0


async def test_a_phase_is_timed_failures_included() -> None:
    """A timer is a context manager on the loop's clock."""
    metrics = Metrics()

    async def render() -> None:
        with metrics.controller("echo").phase("render"):
            await asyncio.sleep(3.0)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await render()
    labels = {"controller": "echo", "phase": "render"}
    assert value(metrics, "controller_reconcile_duration_seconds_sum", **labels) == 3.0
    assert value(metrics, "controller_reconcile_duration_seconds_bucket", le="2.0", **labels) == 0
    assert value(metrics, "controller_reconcile_duration_seconds_bucket", le="5.0", **labels) == 1


async def test_controller_runtimes_names_tell_the_same() -> None:
    """Dashboards made for controller-runtime show our reconciles, errors, times and workers."""
    metrics = Metrics()
    echo = metrics.controller("echo", concurrency=5)
    for result, seconds in (("success", 0.2), ("error", 1.0), ("timeout", 3.0), ("again", 0.2)):
        echo.started()
        with echo.phase("render"):
            echo.finished(result, seconds)
    found = await samples(metrics)

    def of(name: str, **labels: str) -> float:
        return found[f"controller_runtime_{name}{sorted({'controller': 'echo', **labels}.items())}"]

    assert of("reconcile_total", result="success") == 1
    assert of("reconcile_total", result="requeue_after") == 1
    assert of("reconcile_total", result="error") == of("reconcile_errors_total") == 2
    assert of("reconcile_time_seconds_count") == 4
    assert of("reconcile_time_seconds_sum") == 4.4
    assert of("max_concurrent_reconciles") == 5
    assert of("active_workers") == 0


async def test_a_queue_tells_of_itself_under_client_gos_names() -> None:
    """Depth, adds, how long keys waited and were worked on; a key that is added twice came once."""
    metrics = Metrics()
    queue: Queue[str] = Queue(metrics=metrics, name="echo")
    labels = {"name": "echo", "controller": "echo"}
    queue.add("a")
    queue.add("a")
    queue.add("b", delay=2.0)
    assert value(metrics, "workqueue_depth", **labels) == 2
    assert value(metrics, "workqueue_adds_total", **labels) == 2
    await asyncio.sleep(1.0)
    assert await queue.get() == "a"
    await asyncio.sleep(4.0)
    assert await queue.get() == "b"
    await asyncio.sleep(1.0)
    assert value(metrics, "workqueue_queue_duration_seconds_sum", **labels) == 1.0 + 3.0
    assert value(metrics, "workqueue_unfinished_work_seconds", **labels) == 5.0 + 1.0
    assert value(metrics, "workqueue_longest_running_processor_seconds", **labels) == 5.0
    queue.done("a")
    assert value(metrics, "workqueue_work_duration_seconds_sum", **labels) == 5.0
    assert value(metrics, "workqueue_depth", **labels) == 0


async def test_a_requests_answer_is_counted_for_the_controller_it_was_made_for() -> None:
    """Requests to a kind that nobody owns count for the process."""
    metrics = Metrics(name="operator")
    metrics.attribute({"echoes.example.com": "echo"})
    metrics.answered("echoes.example.com", "patch", "PATCH", 200, "", 0.01)
    metrics.answered("echoes.example.com", "patch", "PATCH", 409, "Conflict", 0.01)
    metrics.answered("leases.coordination.k8s.io", "update", "PUT", 0, "Unreachable", 2.0)
    calls = {"controller": "echo", "operation": "patch"}
    assert value(metrics, "controller_api_call_total", **calls, result="success") == 1
    assert value(metrics, "controller_api_call_total", **calls, result="error") == 1
    assert value(metrics, "controller_api_call_errors_total", **calls, error_type="Conflict") == 1
    assert value(metrics, "rest_client_requests_total", code="409", method="PATCH") == 1
    lost = {"controller": "operator", "operation": "update"}
    assert value(metrics, "controller_api_call_errors_total", **lost, error_type="Unreachable") == 1
    assert value(metrics, "rest_client_requests_total", code="<error>", method="PUT") == 1


async def test_the_process_tells_of_memory_tasks_threads_and_garbage() -> None:
    """Read when scraped; tasks and threads stand where the seed has goroutines."""
    found = await samples(Metrics(name="operator"))
    owner = ("controller", "operator")
    assert found[f"controller_memory_usage_bytes{[owner, ('type', 'peak')]}"] > 10_000_000
    assert found[f"controller_tasks{[owner]}"] >= 1
    assert found[f"controller_threads{[owner]}"] >= 1
    assert found["process_cpu_seconds_total[]"] > 0
    assert found["python_gc_collections_total[('generation', '0')]"] > 0


async def test_a_late_loop_is_seen() -> None:
    """Lag is how much later than asked a timer fires."""
    metrics = Metrics()
    async with LagMonitor(metrics.lag, interval=1.0):
        await asyncio.sleep(3.5)
    assert value(metrics, "steady_event_loop_lag_seconds_count") == 3
    assert value(metrics, "steady_event_loop_lag_seconds_sum") == pytest.approx(0.0, abs=1e-6)
    await asyncio.sleep(10.0)
    assert value(metrics, "steady_event_loop_lag_seconds_count") == 3


async def test_the_exposition_is_what_prometheus_reads_and_nothing_stands_twice() -> None:
    """Pieces of one family join to one family; when a series was made is left out."""
    metrics = Metrics()
    for number in range(300):
        metrics.avoided(f"kind-{number}", "unchanged")
    whole = await text(metrics)
    assert whole.count("# TYPE steady_writes_avoided_total counter") == 1
    assert whole.count("steady_writes_avoided_total{") == 300
    assert "_created" not in whole
    assert len({family.name for family in text_string_to_metric_families(whole)}) == whole.count("# TYPE ")


@pytest.mark.looptime(False)
async def test_others_run_while_five_thousand_series_are_shown() -> None:
    """The loop gets its turn after every piece, and 200 series, the most that a piece has, take about 1 ms."""
    metrics = Metrics()
    for number in range(50):
        for verb in ("get", "list", "create", "patch", "delete", "update", "watch"):
            metrics.answered(f"kind-{number}", verb, verb, 200, "", 0.1)
    lines, turns = 0, 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    busy = asyncio.ensure_future(other())
    async for piece in exposition(metrics.registry):
        lines += piece.count(b"\n")
        assert piece.count(b"\n") <= 200
    busy.cancel()
    assert lines > 5_000
    assert turns > 50


async def test_objects_add_no_series() -> None:
    """Ten thousand objects are reconciled; the exposition is not one line longer than after one."""
    metrics = Metrics()
    echo, queue = metrics.controller("echo"), Queue[str](metrics=metrics, name="echo")

    async def work(key: str) -> None:
        queue.add(key)
        await queue.get()
        echo.started()
        echo.finished("success", 0.1)
        echo.failed("transient", "reconcile")
        metrics.answered("echoes.example.com", "patch", "PATCH", 200, "", 0.1)
        queue.done(key)

    await work("one")
    before = (await text(metrics)).count("\n")
    for number in range(10_000):
        await work(f"echo-{number}")
    assert (await text(metrics)).count("\n") == before
