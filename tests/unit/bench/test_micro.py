"""Every micro-benchmark does what it says it measures; how long that takes is no test's business."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console

from bench.micro.__main__ import main
from bench.micro.case import MANY, Case
from bench.micro.catalogue import CASES, SEED
from bench.micro.counts import Count, _difference
from bench.micro.house import NoMetrics, echo_controller, echoes, house
from bench.micro.report import Measured, Run, show
from bench.micro.timing import Memory, Time, memory_of, time_of

_NAMES = [case.name for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=_NAMES)
async def test_each_benchmark_runs_and_can_be_rested_and_run_again(case: Case) -> None:
    async with asyncio.timeout(60), case.prepare(10) as step:
        for _ in range(2):
            await step.run(2)
            if step.rest:
                await step.rest()


def test_no_two_benchmarks_share_a_name() -> None:
    assert len(set(_NAMES)) == len(_NAMES)


def test_the_seeds_benchmarks_have_its_names() -> None:
    concurrent = {f"ConcurrentReconcile-{number}" for number in (1, 5, 10, 20, 50, 100, 200)}
    parts = {"GetNextDelay", "ClassifyError", "RecordSuccess", "QueueUpdate", "QueueUpdate-concurrent"}
    counters = {"RecordReconcileResult", "RecordBackoffDelay", "NewReconcileTimer"}
    assert {case.name for case in SEED} == {"SingleReconcile"} | concurrent | parts | counters


async def test_time_and_memory_are_told_per_operation() -> None:
    case = next(case for case in CASES if case.name == "view")
    time, memory = await time_of(case, repeats=2), await memory_of(case)
    assert 0 < time.least <= time.median
    assert memory.peak > 0


async def test_the_house_writes_one_status_for_every_change() -> None:
    async with house(echo_controller(), echoes(3), metrics=NoMetrics()) as it:
        await it.change(list(it.store))
        said = {json.loads(bytes(obj.status))["said"] for obj in it.store}
    assert said == {"hello 2"}


def test_what_two_children_counted_differs_by_the_operations_alone() -> None:
    once, twice = Count(1_000 + 16 * 40, 10 + 16, 5_000 + 16 * 70), Count(1_000 + 32 * 40, 10 + 32, 5_000 + 32 * 70)
    assert _difference(once, twice, 1) == Count(40, 1, 70)
    assert _difference(once, twice, 2) == Count(20, 0.5, 35)


def _run(microseconds: float, growth: float | None = None, percent: float = 1.0, yardstick: float = 8.0) -> Run:
    it = Measured("submit", Time(microseconds, microseconds), Memory(1, 0), growth=growth)
    return Run("3", yardstick, [it], {"reconcile": percent})


@pytest.mark.parametrize(
    ("run", "kept"),
    [
        (_run(2.9), [True, True]),
        (_run(3.1), [False, True]),
        (_run(2.9, growth=1.3), [True, True, True]),
        (_run(2.9, growth=12.0), [True, False, True]),
        (_run(2.9, percent=5.5), [True, False]),
    ],
)
def test_a_promise_is_kept_only_below_its_limit(run: Run, kept: list[bool]) -> None:
    assert [verdict.kept for verdict in run.verdicts()] == kept


def _shown(run: Run, before: Run | None) -> str:
    console = Console(file=io.StringIO(), width=150)
    show(run, before, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_run_is_shown_beside_a_saved_one_as_ratios() -> None:
    assert "2.00 t" in _shown(_run(4.0), _run(2.0))
    assert "to saved" not in _shown(_run(4.0), None)


def test_times_of_a_slower_machine_are_compared_by_the_yardstick() -> None:
    assert "1.00 t" in _shown(_run(4.0, yardstick=16.0), _run(2.0, yardstick=8.0))


def test_counted_instructions_are_compared_where_both_runs_have_them() -> None:
    def counted(instructions: float) -> Run:
        run = _run(2.0)
        return msgspec.structs.replace(
            run, measured=[msgspec.structs.replace(run.measured[0], count=Count(1, 1, instructions))]
        )

    assert "1.500 i" in _shown(counted(300), counted(200))


def test_a_run_can_be_saved_and_compared_with_and_told_as_json(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    arguments = ["--only", "view", "--no-growth"]
    saved = CliRunner().invoke(main, [*arguments, "--save", str(file), "-o", "json"])
    told = json.loads(saved.stdout)
    assert [it["name"] for it in told["measured"]] == ["view"]
    assert "to saved" in CliRunner().invoke(main, [*arguments, "--compare", str(file)]).stdout


def test_a_name_that_no_benchmark_has_is_refused_with_those_that_there_are() -> None:
    refused = CliRunner().invoke(main, ["--only", "nonsense"])
    assert refused.exit_code == 2
    assert "GetNextDelay" in refused.output


def test_a_file_that_holds_no_run_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text("[]")
    refused = CliRunner().invoke(main, ["--only", "view", "--compare", str(file)])
    assert refused.exit_code == 2
    assert "other.json" in refused.output


def test_a_missing_valgrind_is_one_loud_line_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = CliRunner().invoke(main, ["--only", "view", "--no-growth", "--count", "-o", "json"])
    assert "VALGRIND MISSING" in done.stderr
    assert json.loads(done.stdout)["measured"][0]["count"] is None


def test_growth_is_measured_with_a_thousand_times_as_many_keys() -> None:
    assert MANY == 100_000
    assert [case.name for case in CASES if case.grows and case.limit] == ["GetNextDelay", "submit", "status-change"]
