"""The write budget: how many writes may be on their way, and how soon."""

from __future__ import annotations

from itertools import pairwise

import pytest

from steady import errors
from steady.status import Why
from steady.status.budget import Budget, Flight
from steady.status.pending import NEVER

TOO_MANY = errors.TooManyRequests(429, "TooManyRequests", "slow down")


class Server:
    """Answers as many writes at once as the budget allows; `latency` seconds each."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.now = 1000.0

    def round(self, latency: float, error: Exception | None = None, *, most: int = 1000) -> int:
        """As many writes as may be on their way at once leave and are answered; how many."""
        flights: list[Flight] = []
        while len(flights) < most and not self.budget.wait(self.now):
            flights.append(self.budget.begin(self.now))
        self.now += latency
        for flight in flights:
            self.budget.end(flight, self.now, error)
        return len(flights)

    def rounds(self, number: int, latency: float) -> list[int]:
        """Several rounds in a row."""
        return [self.round(latency) for _ in range(number)]


def test_the_window_grows_by_one_per_round_trip_while_answers_are_quick() -> None:
    """From its start to the most that is allowed."""
    server = Server(Budget(32))
    found = server.rounds(40, 0.01)
    assert found[0] == 8
    assert all(0 <= after - before <= 1 for before, after in pairwise(found))
    assert found[-1] == 32


def test_a_window_that_nobody_uses_does_not_grow() -> None:
    """Answers to a few say nothing of what the server bears."""
    server = Server(Budget(32))
    for _ in range(100):
        server.round(0.01, most=2)
    assert server.budget.window == 8


def test_an_even_but_slow_server_is_no_overload() -> None:
    """A second for every answer from the start is what it takes."""
    server = Server(Budget(32))
    assert server.rounds(40, 1.0)[-1] == 32


@pytest.mark.parametrize(
    "error",
    [
        TOO_MANY,
        errors.ServerError(503, "ServiceUnavailable"),
        errors.ServerError(504, "Timeout"),
        errors.Interrupted("reset"),
        errors.Unreachable("refused"),
        TimeoutError(),
    ],
)
def test_a_refusal_for_overload_halves_the_window_once_per_round_trip(error: Exception) -> None:
    """All answers of one round tell of the same window; it never falls below one."""
    server = Server(Budget(32))
    server.rounds(40, 0.01)
    assert [server.round(0.01, error) for _ in range(8)] == [32, 16, 8, 4, 2, 1, 1, 1]


@pytest.mark.parametrize(
    "error",
    [
        errors.Conflict(409, "Conflict"),
        errors.Invalid(422, "Invalid"),
        errors.NotFound(404, "NotFound"),
        errors.ServerError(500, "InternalError"),
        errors.Throttled("hot", 3.0),
    ],
)
def test_what_one_object_is_refused_for_is_no_overload(error: Exception) -> None:
    """The others are not held up by it."""
    server = Server(Budget(32))
    server.rounds(40, 0.01)
    server.round(0.01, error)
    assert server.budget.window == 32
    assert server.budget.wait(server.now) == 0


def test_answers_that_become_much_slower_halve_the_window() -> None:
    """And it grows again when they are quick again."""
    server = Server(Budget(32))
    server.rounds(40, 0.01)
    assert server.rounds(20, 0.5)[-1] <= 2
    assert server.rounds(60, 0.01)[-1] == 32


def test_one_slow_answer_among_quick_ones_changes_nothing() -> None:
    """A pause of the machine is no overload."""
    server = Server(Budget(32))
    server.rounds(40, 0.01)
    server.round(0.3, most=1)
    assert server.budget.window == 32


def test_a_server_that_stays_slower_becomes_the_new_usual() -> None:
    """The best latency is forgotten within a minute."""
    server = Server(Budget(32))
    server.rounds(40, 0.01)
    server.rounds(120, 1.0)
    assert server.rounds(40, 1.0)[-1] == 32


def test_retry_after_is_a_pause_for_all_but_critical_ones() -> None:
    """It ends by itself; a longer one lasts a minute at most."""
    server = Server(Budget(32))
    error = errors.TooManyRequests(429, "TooManyRequests", retry_after=5.0)
    server.round(0.0, error, most=1)
    assert server.budget.wait(server.now) == 5.0
    assert server.budget.why(server.now) is Why.PAUSE
    assert server.budget.wait(server.now, urgent=True) == 0
    assert server.budget.wait(server.now + 5.0) == 0
    error.retry_after = 86_400.0
    server.now += 5.0
    server.round(0.0, error, most=1)
    assert server.budget.wait(server.now) == 60.0


def test_a_pause_beyond_the_end_is_not_kept() -> None:
    """There is no later; a shorter one is."""
    server = Server(Budget(32))
    server.round(0.0, errors.TooManyRequests(429, "", retry_after=5.0), most=1)
    server.budget.ends = server.now + 10.0
    assert server.budget.wait(server.now) == 5.0
    server.budget.ends = server.now + 3.0
    assert server.budget.wait(server.now) == 0


def test_critical_ones_go_beyond_the_window_but_not_beyond_the_limit() -> None:
    """And they take no place in it, so that others leave beside them."""
    budget = Budget(4)
    budget.window = 1.0
    for _ in range(3):
        assert budget.wait(0.0, urgent=True) == 0
        budget.begin(0.0, urgent=True)
    assert budget.wait(0.0) == 0
    budget.begin(0.0)
    assert budget.wait(0.0, urgent=True) == NEVER
    assert budget.wait(0.0) == NEVER
    assert budget.why(0.0) is Why.TURN


def test_a_critical_answer_frees_no_place_of_the_window() -> None:
    """It took none."""
    budget = Budget(32)
    budget.window = 1.0
    critical = [budget.begin(0.0, urgent=True) for _ in range(5)]
    budget.begin(0.0)
    for flight in critical:
        budget.end(flight, 0.0, errors.Conflict(409))
    assert budget.wait(0.0) == NEVER


def test_writes_per_second_keeps_a_distance_for_critical_ones_too() -> None:
    """A single one never waits."""
    budget = Budget(32, 2.0)
    moment, moments = 1000.0, []
    for number in range(5):
        moment += budget.wait(moment, urgent=number % 2 == 0)
        budget.end(budget.begin(moment), moment)
        moments.append(moment - 1000.0)
    assert moments == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0])
    assert budget.why(moment) is Why.RATE
    assert budget.wait(moment + 10.0) == 0


def test_a_single_quiet_object_is_never_held_back() -> None:
    """Whatever the server did before, as long as it asked for no pause."""
    server = Server(Budget(32, 5.0))
    for error in (TOO_MANY, errors.Interrupted("reset"), None):
        for _ in range(20):
            server.round(2.0, error)
            server.now += 1.0
            assert server.budget.wait(server.now) == 0
