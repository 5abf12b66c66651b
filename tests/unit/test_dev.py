"""`dev.py`: a wrong call, a failed check and a missing piece are told apart by exit code and by words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

import dev


class Runs:
    """What would be run in the environment; each run ends with the next of `codes`."""

    def __init__(self, *codes: int) -> None:
        self.codes = iter(codes)
        self.commands: list[tuple[str, ...]] = []

    def __call__(self, *arguments: str, **extra: str) -> int:
        self.commands.append(arguments)
        return next(self.codes)


@pytest.fixture(autouse=True)
def prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that is there, without a control plane or Prometheus."""
    monkeypatch.setattr(dev, "environment", lambda stage: None)
    monkeypatch.setattr(dev, "control_plane_folder", lambda: None)
    monkeypatch.setattr(dev, "prometheus_here", lambda: False)
    monkeypatch.setattr(dev, "count", lambda *marker: 7)


def running(monkeypatch: pytest.MonkeyPatch, *codes: int) -> Runs:
    """Runs that end with these codes in the place of the real ones."""
    runs = Runs(*codes)
    monkeypatch.setattr(dev, "run", runs)
    return runs


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tset"], "dev.py tset: there is no such command; there are: env, demo, test, "),
        (["lint", "--fix"], "dev.py lint: takes no options, got: --fix"),
        (["test-contract", "SERVER=bogus"], "takes SERVER=embedded or SERVER=real, got: SERVER=bogus"),
        (["test-contract", "SERVER="], "takes SERVER=embedded or SERVER=real, got: SERVER="),
        (["test-contract", "HOST=real"], "takes SERVER=embedded or SERVER=real, got: HOST=real"),
        (["test-contract", "SERVER=real", "-x"], "takes SERVER=embedded or SERVER=real, got: SERVER=real -x"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what the command takes, before anything is set up or run."""
    monkeypatch.setattr(dev, "environment", lambda stage: pytest.fail("nothing needs to be set up"))
    runs = running(monkeypatch)
    assert dev.main(arguments) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n"), runs.commands) == ("", 1, [])
    assert words in printed.err


def test_an_option_that_pytest_does_not_take_is_a_wrong_call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No other phase repeats it. Where nobody gave options, the same code of pytest's is a failure."""
    monkeypatch.setattr(dev, "prometheus_here", lambda: True)
    runs = running(monkeypatch, 4, 4)
    assert dev.main(["test", "--bogus"]) == 2
    assert len(runs.commands) == 1
    assert "which does not take: --bogus" in capsys.readouterr().err
    running(monkeypatch, 4, 0)
    assert dev.main(["test"]) == 1


@pytest.mark.parametrize("command", [["test"], ["test", "-x"], ["test-contract"], ["test-contract", "SERVER=embedded"]])
@pytest.mark.parametrize("code", [1, 2, 3, 5, -9])
def test_failed_tests_are_exit_code_1(command: list[str], code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever pytest's own code for it, some of which mean something else here; no test at all has failed too."""
    running(monkeypatch, code)
    assert dev.main(command) == 1
    running(monkeypatch, 0)
    assert dev.main(command) == 0


@pytest.mark.parametrize("command", [["test-contract", "SERVER=real"], ["load"], ["bench-peers"]])
def test_a_missing_piece_is_exit_code_3_and_names_the_way_to_get_it(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is run in its place."""
    runs = running(monkeypatch)
    assert dev.main(command) == 3
    assert "MISSING: the real control plane: `make control-plane` builds it" in capsys.readouterr().err
    assert runs.commands == []


def test_set_up_leaves_standard_output_to_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The first `make demo ARGS="-o json"` prints JSON alone there as well."""
    monkeypatch.undo()
    monkeypatch.setattr(dev, "VENV", tmp_path)
    monkeypatch.setattr(dev, "usable", lambda python: (3, 13, 0))
    monkeypatch.setattr(dev, "install", lambda expected, *arguments: None)
    dev.environment("runtime")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [line[:5] for line in printed.err.splitlines()] == ["[1/3]", "[2/3]", "[3/3]"]
    assert dev.main([]) == 0
    assert "test-contract" in capsys.readouterr().out


class Child:
    """A process that gets the terminal's interrupt at the same time as dev.py, and then ends with `code`."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.waits: Iterator[BaseException | None] = iter([KeyboardInterrupt(), None])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None: ...

    def wait(self) -> int:
        if interrupt := next(self.waits):
            raise interrupt
        return self.code


@pytest.mark.parametrize(("code", "ours"), [(0, 0), (1, 130), (130, 130)])
def test_an_interrupted_command_may_end_in_order(code: int, ours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, never killed; `demo --keep` then has done all that it was asked for."""
    monkeypatch.setattr("dev.subprocess.Popen", lambda command, **how: Child(code))
    assert dev.main(["demo", "--keep"]) == ours
