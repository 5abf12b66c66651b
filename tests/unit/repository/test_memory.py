"""The repository in memory: the same semantics, on virtual time."""

import asyncio

import msgspec
import pytest

from nephoran.repository import ForeignDirectory, IntentRepository, Refused, RemoteError, Stale
from nephoran.repository.memory import POINTS, MemoryCommit, MemoryRemote, MemoryRepository, Point
from steady.clock import ManualClock
from tests.unit.repository.remotes import change


class Fault:
    """Raises once, at one point."""

    def __init__(self, point: Point, error: Exception) -> None:
        self.point = point
        self.error = error
        self.raised = False

    def __call__(self, point: Point) -> None:
        if point == self.point and not self.raised:
            self.raised = True
            raise self.error


@pytest.mark.looptime
async def test_a_group_is_one_commit_and_costs_one_push() -> None:
    """A hundred at once land together, one push's latency later."""
    repository: IntentRepository
    async with MemoryRepository(clock=ManualClock(), latency=3) as memory:
        repository = memory
        start = asyncio.get_running_loop().time()
        landed = await asyncio.gather(*(repository.write(change(f"i{n}")) for n in range(100)))
        assert asyncio.get_running_loop().time() - start == 3
        assert {commit.id for commit in landed} == {repository.head}
        assert len(memory.commits) == 1
        assert repository.contains("ran", "i7", "i7-1")
        assert not (await repository.write(change("i7"))).changed
        assert await repository.remove("ran", "i7", "other") is None
        assert await repository.remove("ran", "i7", "u1") is not None
        assert repository.record("ran", "i7") is None
    assert [commit.message.splitlines()[0] for commit in memory.commits] == [
        "Deploy 100 NetworkIntents",
        "Remove NetworkIntent: ran/i7",
    ]


@pytest.mark.looptime
@pytest.mark.parametrize("point", POINTS)
async def test_a_failure_at_any_point_is_repeated_by_one_write(point: Point) -> None:
    """A transient error anywhere: the same write again ends with one commit."""
    async with MemoryRepository(clock=ManualClock(), fault=Fault(point, RemoteError("lost"))) as repository:
        with pytest.raises(RemoteError):
            await repository.write(change("a"))
        await repository.write(change("a"))
        assert repository.contains("ran", "a", "a-1")
    assert len(repository.commits) == 1


@pytest.mark.looptime
@pytest.mark.parametrize("point", POINTS)
async def test_a_crash_at_any_point_is_made_good_by_the_next_life(point: Point) -> None:
    """The remote outlives the process: after a restart there is one commit."""
    remote = MemoryRemote()

    async def life() -> None:
        async with MemoryRepository(remote, clock=ManualClock(), fault=Fault(point, ZeroDivisionError())) as repository:
            write = asyncio.ensure_future(repository.write(change("a")))
            await asyncio.wait([write])
            write.exception()

    with pytest.raises(ZeroDivisionError):
        await life()
    async with MemoryRepository(remote, clock=ManualClock()) as repository:
        await repository.write(change("a"))
    assert len(remote.commits) == 1


@pytest.mark.looptime
async def test_a_culprit_stands_alone_and_stale_changes_stay_out() -> None:
    """The remote's hook, the callers' checks and other clusters are heard as with git."""

    def no_seven(commit: MemoryCommit) -> str | None:
        return "no i7" if ("ran", "i7") in commit.changed else None

    remote = MemoryRemote(no_seven)
    async with MemoryRepository(remote, clock=ManualClock()) as repository:
        outdated = msgspec.structs.replace(change("old"), valid=lambda: False)
        *landed, stale = await asyncio.gather(
            *(repository.write(change(f"i{n}")) for n in range(9)), repository.write(outdated), return_exceptions=True
        )
        assert isinstance(landed.pop(7), Refused)
        assert isinstance(stale, Stale)
        assert not any(isinstance(result, BaseException) for result in landed)
    async with MemoryRepository(remote, clock=ManualClock(), cluster="two") as repository:
        with pytest.raises(ForeignDirectory):
            await repository.write(change("i1"))


@pytest.mark.looptime
async def test_two_repositories_on_one_remote_both_land() -> None:
    """A push that comes second is applied again on the new head."""
    remote = MemoryRemote()
    async with (
        MemoryRepository(remote, clock=ManualClock(), latency=1) as one,
        MemoryRepository(remote, clock=ManualClock(), latency=1) as two,
    ):
        await asyncio.gather(one.write(change("a")), two.write(change("b")))
    assert len(remote.commits) == 2
    assert set(remote.tree) == {("ran", "a"), ("ran", "b")}
    assert remote.commits[1].parent == remote.commits[0].id
