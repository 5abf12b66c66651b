"""What others do to our directories at the remote: noticed by asking for the head, with a real bare repository."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from nephoran.repository import RemoteError, Repository
from steady.intervals import Interval
from steady.objects import Key
from tests.unit.repository.conftest import Opened
from tests.unit.repository.remotes import change, commits, git, tree

SOON, NEVER = Interval(0.01, 0.01), Interval(3600.0, 3600.0)
Others = Callable[..., None]
A = "networkintents/ran/a"


@pytest.fixture
def others(tmp_path: Path, remote: Path) -> Others:
    """Somebody else, who works on the remote with the given git commands and commits."""

    def work(*commands: tuple[str, ...], write: tuple[str, str] | None = None) -> None:
        clone = tmp_path / "others"
        if not clone.exists():
            git(tmp_path, "clone", "--quiet", str(remote), str(clone))
        git(clone, "pull", "--quiet")
        for command in commands:
            git(clone, *command)
        if write:
            (clone / write[0]).parent.mkdir(parents=True, exist_ok=True)
            (clone / write[0]).write_text(write[1])
            git(clone, "add", "--all")
        git(clone, "-c", "user.name=o", "-c", "user.email=o@o", "commit", "--quiet", "--message", "by others")
        git(clone, "push", "--quiet")

    return work


async def told(repository: Repository) -> Key:
    """The next intent whose directory was changed."""
    async with asyncio.timeout(30.0):
        return await anext(repository.drift.keys())


async def test_an_edited_manifest_is_noticed_and_written_again(opened: Opened, remote: Path, others: Others) -> None:
    """Although the record is as it was: the tree tells, not its claim."""
    async with opened(looks=SOON) as repository:
        await repository.write(change("a"))
        others(write=(f"{A}/deployment-amf.yaml", "name: theirs\n"))
        assert await told(repository) == Key("ran", "a")
        assert repository.drift.touched("ran", "a")
        assert repository.contains("ran", "a", "a-1")
        assert (await repository.write(change("a"))).changed
        assert not repository.drift.touched("ran", "a")
        assert git(remote, "show", f"main:{A}/deployment-amf.yaml") == "name: a"
        assert commits(remote)[1] == "by others"
        assert repository.drift.found == 1


async def test_a_removed_directory_is_noticed(opened: Opened, remote: Path, others: Others) -> None:
    """Its neighbours are left alone."""
    async with opened(looks=SOON) as repository:
        for name in ("a", "b"):
            await repository.write(change(name))
        others(("rm", "-r", "--quiet", A))
        assert await told(repository) == Key("ran", "a")
        assert repository.record("ran", "a") is None
        assert not repository.drift.touched("ran", "b")
        assert repository.drift.found == 1


async def test_what_is_not_ours_is_nobodys_drift(opened: Opened, remote: Path, others: Others) -> None:
    """Files beside our directories, new ones, and those of another cluster; the head is followed all the same."""
    async with opened("theirs", cluster="theirs") as other:
        await other.write(change("x"))
        async with opened(looks=SOON) as repository:
            await repository.write(change("a"))
            await other.write(change("x", generation=2))
            others(write=("README.md", "hello\n"))
            others(write=("networkintents/ran/new/file.yaml", "a: 1\n"))
            async with asyncio.timeout(30.0):
                while repository.head != git(remote, "rev-parse", "main"):
                    await repository._look()
            assert repository.drift.found == 0
            assert not repository.drift.touched("ran", "x")


async def test_a_branch_that_was_removed_has_lost_all(opened: Opened, remote: Path) -> None:
    """Every directory is told of, and written into a new branch."""
    async with opened(looks=NEVER) as repository:
        for name in ("a", "b"):
            await repository.write(change(name))
        git(remote, "update-ref", "-d", "refs/heads/main")
        assert await repository._look()
        assert repository.drift.found == 2
        await repository.write(change("a"))
        assert tree(remote) == [f"{A}/deployment-amf.yaml", f"{A}/intent.json"]


async def test_a_write_notices_what_others_did_meanwhile(opened: Opened, remote: Path, others: Others) -> None:
    """No look was needed for it."""
    async with opened(looks=NEVER) as repository:
        await repository.write(change("a"))
        others(("rm", "-r", "--quiet", A))
        await repository.write(change("b"))
        assert await told(repository) == Key("ran", "a")
        assert repository.drift.looks == 0


async def test_a_head_that_stays_is_not_fetched(
    opened: Opened, remote: Path, others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One `git ls-remote` for all intents is what a look costs; only what others moved is fetched."""
    ran: list[str] = []
    async with opened(looks=NEVER) as repository:
        for number in range(3):
            await repository.write(change(f"i{number}"))
        assert repository._remote
        run = repository._remote._git

        async def counted(*arguments: str, **options: object) -> str:
            ran.append(arguments[0])
            return await run(*arguments, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(repository._remote, "_git", counted)
        for _ in range(3):
            assert not await repository._look()
        assert ran == ["ls-remote"] * 3
        others(write=("README.md", "hello\n"))
        assert await repository._look()
        assert not await repository._look()
        assert ran[3:] == ["ls-remote", "fetch", "ls-remote"]


async def test_our_own_commit_whose_arrival_was_not_known_is_no_drift(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the push was lost; the head that is found then is ours."""
    async with opened(looks=NEVER) as repository:
        await repository.write(change("a"))
        assert repository._remote
        push = repository._remote.push

        async def lost(commit: str, parent: str | None) -> None:
            await push(commit, parent)
            raise RemoteError("no answer")

        monkeypatch.setattr(repository._remote, "push", lost)
        with pytest.raises(RemoteError):
            await repository.write(change("a", generation=2))
        assert not await repository._look()
        assert repository.drift.found == 0
        assert repository.contains("ran", "a", "a-2")


async def test_a_remote_that_is_away_is_asked_again_and_harms_nobody(opened: Opened, remote: Path) -> None:
    """What was confirmed can still be read."""
    async with opened(looks=NEVER) as repository:
        await repository.write(change("a"))
        away = remote.rename(remote.with_name("away"))  # noqa: ASYNC240 - that takes no time
        assert not await repository._look()
        assert repository.contains("ran", "a", "a-1")
        away.rename(remote)
        assert not await repository._look()


async def test_without_a_remote_nobody_is_asked(opened: Opened) -> None:
    """The repository is the destination itself."""
    async with opened(url=None, looks=SOON) as repository:
        await repository.write(change("a"))
        assert [task.get_name() for task in asyncio.all_tasks() if "drift" in task.get_name()] == []
