"""A repository in real git: what reaches the remote, in how many commits, and what it answers."""

import asyncio
import stat
from pathlib import Path

import msgspec
import pytest

from nephoran.repository import Change, Closed, ForeignDirectory, Repository, Stale, UnsafePath
from nephoran.repository.requests import encoded
from steady.clock import ManualClock
from steady.errors import ConfigurationError
from tests.unit.repository.conftest import Opened
from tests.unit.repository.remotes import change, commits, git, sound, tree


async def test_a_change_is_a_directory_with_a_record(opened: Opened, remote: Path) -> None:
    """`<base>/<namespace>/<name>/` holds exactly the files and `intent.json`, by the author of the options."""
    async with opened(author=("Ops", "ops@example.com"), cluster="lab") as repository:
        commit = await repository.write(change("a"))
    assert commit.changed
    assert git(remote, "rev-parse", "main") == commit.id
    assert tree(remote) == ["networkintents/ran/a/deployment-amf.yaml", "networkintents/ran/a/intent.json"]
    assert git(remote, "log", "--format=%an %ae %cn %aI %s") == (
        "Ops ops@example.com Ops 2026-01-01T00:00:00+00:00 Deploy NetworkIntent: ran/a"
    )
    record = msgspec.json.decode(git(remote, "show", "main:networkintents/ran/a/intent.json"))
    assert record["interpretation"] == {"action": "deploy"}
    assert (record["cluster"], record["uid"], record["generation"]) == ("lab", "u1", 1)
    assert {"specDigest", "rendererVersion", "digest", "adjustments"} <= record.keys()


async def test_a_hundred_at_once_are_one_commit(opened: Opened, remote: Path) -> None:
    """What is ready at the same moment goes together: each intent exactly once, nothing damaged."""
    async with opened() as repository:
        landed = await asyncio.gather(*(repository.write(change(f"i{n}")) for n in range(100)))
    assert len(commits(remote)) == 1
    assert {commit.id for commit in landed} == {git(remote, "rev-parse", "main")}
    assert len(tree(remote)) == 200
    assert sound(remote)


async def test_the_same_content_makes_no_commit(opened: Opened, remote: Path) -> None:
    """Writing what is there already succeeds with the commit that has it."""
    async with opened() as repository:
        first = await repository.write(change("a"))
        again = await repository.write(change("a"))
    assert (again.id, again.changed) == (first.id, False)
    assert commits(remote) == ["Deploy NetworkIntent: ran/a"]


async def test_a_change_replaces_the_whole_directory(opened: Opened, remote: Path) -> None:
    """Files that are no longer wanted go."""
    async with opened() as repository:
        await repository.write(change("a", files={"x.yaml": b"1", "y.yaml": b"2"}))
        await repository.write(change("a", generation=2, files={"y.yaml": b"2"}))
    assert tree(remote) == ["networkintents/ran/a/intent.json", "networkintents/ran/a/y.yaml"]


async def test_two_changes_of_one_directory_keep_their_order_and_commits(opened: Opened, remote: Path) -> None:
    """A later generation queued behind an earlier one is a commit of its own."""
    async with opened() as repository:
        first, second = await asyncio.gather(
            repository.write(change("a", generation=1)), repository.write(change("a", generation=2))
        )
        record = repository.record("ran", "a")
    assert first.id != second.id
    assert record is not None
    assert record.generation == 2


async def test_neighbours_with_joined_names_do_not_collide(opened: Opened, remote: Path) -> None:
    """`a-b/c` and `a/b-c` are different directories."""
    async with opened() as repository:
        await asyncio.gather(
            repository.write(change("c", namespace="a-b")), repository.write(change("b-c", namespace="a"))
        )
        assert repository.contains("a-b", "c", "c-1")
        assert repository.contains("a", "b-c", "b-c-1")


async def test_removal_takes_the_directory_and_is_idempotent(opened: Opened, remote: Path) -> None:
    """The directory goes, its neighbour stays; a second removal finds nothing and says so."""
    async with opened() as repository:
        await asyncio.gather(repository.write(change("a")), repository.write(change("b")))
        removed = await repository.remove("ran", "a", "u1")
        assert removed is not None
        assert repository.record("ran", "a") is None
        assert await repository.remove("ran", "a", "u1") is None
        assert await repository.remove("ran", "b", "u1") is not None
    assert commits(remote)[:2] == ["Remove NetworkIntent: ran/b", "Remove NetworkIntent: ran/a"]
    assert tree(remote) == []
    assert sound(remote)


async def test_removal_on_an_empty_branch_is_nothing(opened: Opened) -> None:
    """No commit is made to say that there was nothing."""
    async with opened() as repository:
        assert await repository.remove("ran", "a", "u1") is None
        assert repository.head is None


async def test_removal_spares_the_successor_of_the_same_name(opened: Opened) -> None:
    """Identity is the uid: a late removal for a deleted object leaves its successor's directory alone."""
    async with opened() as repository:
        await repository.write(change("a", uid="new"))
        assert await repository.remove("ran", "a", "old") is None
        assert repository.contains("ran", "a", "a-1")


async def test_a_change_that_no_longer_holds_is_not_written(opened: Opened, remote: Path) -> None:
    """The check runs when the commit is made; the neighbours of a stale change land."""
    outdated = msgspec.structs.replace(change("a"), valid=lambda: False)
    async with opened() as repository:
        stale, landed = await asyncio.gather(
            repository.write(outdated), repository.write(change("b")), return_exceptions=True
        )
    assert isinstance(stale, Stale)
    assert not isinstance(landed, BaseException)
    assert [path for path in tree(remote) if "/a/" in path] == []


async def test_a_change_whose_caller_left_is_not_written(opened: Opened, remote: Path) -> None:
    """A cancelled write leaves the queue."""
    async with opened() as repository:
        task = asyncio.ensure_future(repository.write(change("a")))
        other = asyncio.ensure_future(repository.write(change("b")))
        await asyncio.sleep(0)
        task.cancel()
        await other
    assert not any("/a/" in path for path in tree(remote))


async def test_a_broken_check_is_its_callers_error_alone(opened: Opened) -> None:
    """An exception in `valid` reaches the caller that gave it; the writer goes on."""

    def broken() -> bool:
        raise ZeroDivisionError

    async with opened() as repository:
        with pytest.raises(ZeroDivisionError):
            await repository.write(msgspec.structs.replace(change("a"), valid=broken))
        assert (await repository.write(change("b"))).changed


async def test_another_clusters_directory_is_left_alone(opened: Opened) -> None:
    """Two clusters on one base: the second is told so, and removes nothing."""
    async with opened("a", cluster="one") as first:
        await first.write(change("x"))
    async with opened("b", cluster="two") as second:
        with pytest.raises(ForeignDirectory, match="'one'"):
            await second.write(change("x"))
        assert not second.contains("ran", "x", "x-1")
        assert await second.remove("ran", "x", "u1") is None


async def test_a_file_in_the_way_is_not_replaced(opened: Opened, remote: Path, tmp_path: Path) -> None:
    """A link or a file where a directory should be is somebody's: the change fails, its neighbour lands."""
    clone = tmp_path / "human"
    git(tmp_path, "clone", "--quiet", str(remote), str(clone))
    (clone / "networkintents").mkdir()
    (clone / "networkintents" / "ran").symlink_to("/etc")
    git(clone, "add", ".")
    git(clone, "-c", "user.name=h", "-c", "user.email=h@x", "commit", "--quiet", "-m", "link")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    async with opened() as repository:
        blocked, landed = await asyncio.gather(
            repository.write(change("a")), repository.write(change("a", namespace="core")), return_exceptions=True
        )
        assert isinstance(blocked, UnsafePath)
        assert "networkintents/ran" in str(blocked)
        assert not isinstance(landed, BaseException)
        with pytest.raises(UnsafePath):
            repository.record("ran", "a")


@pytest.mark.parametrize("name", ["../up", ".git", "a/b"])
async def test_an_unsafe_name_never_reaches_the_queue(opened: Opened, remote: Path, name: str) -> None:
    """Writes, removals and reads refuse it alike."""
    async with opened() as repository:
        with pytest.raises(UnsafePath):
            await repository.write(change(name))
        with pytest.raises(UnsafePath):
            await repository.remove("ran", name, "u")
        with pytest.raises(UnsafePath):
            repository.record("ran", name)
        with pytest.raises(UnsafePath):
            await repository.write(change("a", files={name: b""}))
        assert repository.head is None


async def test_an_edited_record_counts_as_none(opened: Opened, remote: Path, tmp_path: Path) -> None:
    """Somebody's broken `intent.json` is derived again and written over."""
    async with opened() as repository:
        await repository.write(change("a"))
    clone = tmp_path / "human"
    git(tmp_path, "clone", "--quiet", str(remote), str(clone))
    (clone / "networkintents/ran/a/intent.json").write_text("{")
    git(clone, "-c", "user.name=h", "-c", "user.email=h@x", "commit", "--quiet", "-am", "oops")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    async with opened() as repository:
        assert repository.record("ran", "a") is None
        assert (await repository.write(change("a"))).changed
        assert repository.contains("ran", "a", "a-1")


async def test_the_record_reads_back_as_written(opened: Opened) -> None:
    """A record survives a restart, and writing it again changes nothing."""
    async with opened() as repository:
        await repository.write(change("a"))
    async with opened() as repository:
        record = repository.record("ran", "a")
        assert record is not None
        assert encoded(record) == encoded(msgspec.json.decode(encoded(record), type=type(record)))
        again = msgspec.structs.replace(change("a"), record=record)
        assert not (await repository.write(again)).changed


async def test_without_a_remote_the_directory_is_the_repository(opened: Opened, tmp_path: Path) -> None:
    """The bare repository itself is the destination, for its owner's eyes only, and survives a restart."""
    async with opened(url=None) as repository:
        commit = await repository.write(change("a"))
    work = tmp_path / "work"
    assert git(work, "rev-parse", "main") == commit.id
    assert git(work, "config", "core.fsyncObjectFiles") == "true"
    assert stat.S_IMODE(work.stat().st_mode) == 0o700
    assert sound(work)
    async with opened(url=None) as repository:
        assert repository.contains("ran", "a", "a-1")
        assert not (await repository.write(change("a"))).changed


async def test_a_throw_away_repository_need_not_be_synced(opened: Opened, tmp_path: Path) -> None:
    """A demo may spare the disk; a clone never needs the syncing."""
    async with opened("demo", url=None, durable=False), opened("clone"):
        pass
    for work in ("demo", "clone"):
        assert git(tmp_path / work, "config", "core.fsyncObjectFiles") == "false"


async def test_without_a_remote_others_may_commit_too(opened: Opened, tmp_path: Path) -> None:
    """A commit pushed into our repository by somebody else is built upon, not lost."""
    async with opened(url=None) as repository:
        await repository.write(change("a"))
        clone = tmp_path / "human"
        git(tmp_path, "clone", "--quiet", str(tmp_path / "work"), str(clone))
        git(clone, "-c", "user.name=h", "-c", "user.email=h@x", "commit", "--quiet", "--allow-empty", "-m", "human")
        git(clone, "push", "--quiet", "origin", "HEAD:main")
        await repository.write(change("b"))
    assert commits(tmp_path / "work") == [
        "Deploy NetworkIntent: ran/b",
        "human",
        "Deploy NetworkIntent: ran/a",
    ]


async def test_one_directory_serves_one_process(opened: Opened) -> None:
    """A second repository in the same directory is refused while the first is open."""
    async with opened():
        with pytest.raises(ConfigurationError, match="in use"):
            async with opened():
                pass
    async with opened():
        pass


async def test_only_an_open_repository_answers(opened: Opened) -> None:
    """Before entering and after leaving, reads and writes say that it is closed instead of waiting for ever."""
    repository = opened()
    with pytest.raises(Closed):
        await repository.write(change("a"))
    with pytest.raises(Closed):
        repository.record("ran", "a")
    async with repository:
        await repository.write(change("a"))
    with pytest.raises(Closed):
        await repository.write(change("b"))
    with pytest.raises(Closed):
        repository.record("ran", "a")


async def test_leaving_abandons_what_is_queued_and_finishes_what_is_under_way(opened: Opened, remote: Path) -> None:
    """Nobody waits for ever: the group under way lands, the rest hears that it did not."""
    async with opened() as repository:
        under_way = asyncio.ensure_future(repository.write(change("a", generation=1)))
        queued = asyncio.ensure_future(repository.write(change("a", generation=2)))
        for _ in range(3):
            await asyncio.sleep(0)
    assert (await under_way).changed
    with pytest.raises(Closed):
        await queued
    assert len(commits(remote)) == 1


@pytest.mark.parametrize("branch", ["-x", "a..b", "a b", "a:b", ""])
def test_a_branch_that_is_none_is_a_configuration_error(tmp_path: Path, branch: str) -> None:
    """The option is checked before anything runs."""
    with pytest.raises(ConfigurationError, match="git branch"):
        Repository(None, work=tmp_path, clock=ManualClock(), branch=branch)


def test_a_change_needs_no_summary_and_no_check() -> None:
    """The least that a change must say."""
    full = change("a")
    least = Change(namespace="ran", name="a", uid="u", generation=1, files={}, record=full.record)
    assert least.valid()
