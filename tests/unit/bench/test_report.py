"""The page about the benchmarks: medians, targets, and no word kept back where a peer is better."""

from pathlib import Path

from bench.peers.record import Machine, Phase, Results, Run
from bench.peers.report.numbers import Place, losses, numbers
from bench.peers.report.page import write
from bench.peers.report.targets import targets

CREATE = Place("burst", 200, git=False, phase="create")


def run(contender: str, repetition: int, *, peak: float, server: float, p95: float, stuck: int = 0) -> Run:
    create = Phase(
        name="create",
        units=200,
        objects=200,
        seconds=2.0,
        requests={"patch networkintents/status 200": 200, "update leases 200": 1},
        controller=0.2,
        server=server,
        etcd=0.1,
        idle=0.1,
        events={"networkintents": 400},
        bytes={"networkintents": 600_000},
        waits=[p95] * (200 - stuck),
    )
    return Run(
        contender=contender,
        workload="burst",
        size=200,
        git=False,
        repetition=repetition,
        started="",
        phases=[create, Phase(name="delete", units=200, objects=200, requests={"patch networkintents 200": 200})],
        peak=peak,
    )


RUNS = [
    run("ours", 1, peak=70.0, server=1.0, p95=0.5),
    run("ours", 2, peak=60.0, server=1.0, p95=0.4),
    run("ours", 3, peak=65.0, server=9.0, p95=0.6),
    run("right", 1, peak=40.0, server=2.0, p95=0.8),
    run("kopf", 1, peak=1.0, server=0.0, p95=0.1, stuck=1),
]


def test_a_number_is_the_median_per_intent_of_all_repetitions_without_what_an_idle_server_uses() -> None:
    ours = numbers(RUNS)[CREATE]["ours"].numbers
    assert (ours["requests"], ours["peak"], ours["p95"], ours["events"], ours["bytes"]) == (1.0, 65.0, 0.5, 2.0, 3.0)
    assert ours["server"] == 5.0


def test_a_run_that_did_not_end_gives_no_number() -> None:
    broken = run("right", 1, peak=1.0, server=1.0, p95=0.1)
    broken.trouble = "it has ended by itself"
    assert not numbers([broken])


def test_a_peers_better_number_is_told_once_and_only_of_those_who_did_the_work() -> None:
    told = [(loss.metric.name, loss.who, loss.theirs, loss.ours) for loss in losses(numbers(RUNS), 0.05)]
    assert told == [("peak", "right", 40.0, 65.0)]


def test_a_target_is_a_ratio_within_the_campaign() -> None:
    found = {target.about: (target.measured, target.met) for target in targets(numbers(RUNS))}
    assert found["API server + etcd CPU per intent (200 at once), beside *right*"] == ("0.50 ×", True)
    assert found["controller CPU per intent (200 at once), beside *right*"] == ("1.00 ×", False)
    assert found["p95 with 200 at once, beside *right*"] == ("0.62 ×", True)


def test_the_page_is_made_from_the_stored_runs_alone(tmp_path: Path) -> None:
    results = Results(tmp_path / "results")
    for each in RUNS:
        results.keep(each)
    machine = Machine(
        date="2026-01-01",
        commit="abc",
        cores=2,
        processor="a processor",
        memory=8.0,
        load=0.5,
        kernel="6",
        python="3.11",
        go="go1.26",
        kubernetes="v1.36.3",
        etcd="v3.6.15",
        peers={"kopf": "1.45"},
    )
    results.keep_machine(machine)
    (tmp_path / "docs").mkdir()
    write(results, tmp_path / "docs")
    text = (tmp_path / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert "| W1: intents at once, 200: create | peak memory, MiB | 65 | 40 | controller-runtime, done right |" in text
    assert "| kopf, default | 1.00 |" in text
    first = (tmp_path / "docs" / "benchmarks" / "memory.svg").read_bytes()
    write(results, tmp_path / "docs")
    assert (tmp_path / "docs" / "benchmarks" / "memory.svg").read_bytes() == first
