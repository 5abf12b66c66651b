"""A repository under faults: crashes, other pushers, hooks, hangs, damage and full disks."""

import asyncio
import os
import resource
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from nephoran.repository import (
    AuthenticationFailed,
    Closed,
    Commit,
    Corrupt,
    Refused,
    RemoteError,
    RemoteUnavailable,
    Repository,
    Stale,
    StorageFull,
)
from nephoran.repository.clone import Clone
from nephoran.repository.remote import GitRemote
from tests.unit.repository.conftest import Opened
from tests.unit.repository.remotes import bare, change, commits, git, hook, sound, tree


class Crash(Exception):
    """The process dies here."""


def runs(process: int) -> bool:
    """Whether a process is alive (one that nobody has reaped is not)."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    ).stdout
    return bool(state.strip()) and "Z" not in state


class Steps:
    """What a repository did, step by step; it dies before or after one of them."""

    KNOWN: tuple[tuple[type, str], ...] = (
        (GitRemote, "head"),
        (GitRemote, "fetch"),
        (Clone, "commit"),
        (GitRemote, "push"),
        (Clone, "advance"),
    )

    def __init__(self, patch: pytest.MonkeyPatch, crash: tuple[int, bool] | None = None) -> None:
        self.taken: list[str] = []
        self._crash = crash
        for owner, name in self.KNOWN:
            wrap = self._asynchronous if owner is GitRemote else self._synchronous
            patch.setattr(owner, name, wrap(name, getattr(owner, name)))

    def _begin(self, name: str) -> int:
        self.taken.append(name)
        number = len(self.taken) - 1
        self._end(number, after=False)
        return number

    def _end(self, number: int, *, after: bool = True) -> None:
        if (number, after) == self._crash:
            raise Crash

    def _synchronous(self, name: str, original: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object) -> object:
            number = self._begin(name)
            try:
                return original(*arguments)
            finally:
                self._end(number)

        return step

    def _asynchronous(self, name: str, original: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def step(*arguments: object) -> object:
            number = self._begin(name)
            try:
                return await original(*arguments)
            finally:
                self._end(number)

        return step


class Errand(NamedTuple):
    """What one life has to do while another pusher comes first, the steps that it takes, and the log that is left."""

    run: Callable[[Repository], Awaitable[object]]
    steps: tuple[str, ...]
    log: list[str]


ERRANDS = {
    "writing": Errand(
        lambda repository: repository.write(change("a")),
        ("head", "commit", "push", "head", "fetch", "commit", "push", "advance"),
        ["Deploy NetworkIntent: ran/a", "Deploy NetworkIntent: ran/z", "Deploy NetworkIntent: ran/y"],
    ),
    "removing": Errand(
        lambda repository: repository.remove("ran", "y", "u1"),
        ("head", "commit", "push", "head", "fetch", "commit", "push", "advance"),
        ["Remove NetworkIntent: ran/y", "Deploy NetworkIntent: ran/z", "Deploy NetworkIntent: ran/y"],
    ),
}
CRASHES = [
    pytest.param(kind, number, after, id=f"{kind}, {'after' if after else 'before'} step {number}, {step}")
    for kind, errand in ERRANDS.items()
    for number, step in enumerate(errand.steps)
    for after in (False, True)
]


@pytest.mark.parametrize(("kind", "number", "after"), CRASHES)
async def test_a_crash_at_any_step_repeats_nothing(
    opened: Opened, remote: Path, monkeypatch: pytest.MonkeyPatch, kind: str, number: int, *, after: bool
) -> None:
    """After a restart the same errand ends with exactly one commit of it, whatever the crash left behind."""
    errand = ERRANDS[kind]
    async with opened() as repository:
        mine = await repository.write(change("y"))
    async with opened("other") as repository:
        others = await repository.write(change("z"))
    git(remote, "update-ref", "refs/heads/main", mine.id)

    def intrude() -> None:
        if git(remote, "rev-parse", "main") == mine.id:
            git(remote, "update-ref", "refs/heads/main", others.id)

    async def life() -> None:
        async with opened() as repository:
            intrude()
            work = asyncio.ensure_future(errand.run(repository))
            await asyncio.wait([work])
            with pytest.raises(Closed, match="Crash"):
                await work

    with monkeypatch.context() as patch:
        steps = Steps(patch, (number, after))
        with pytest.raises(Crash):
            await life()
        assert tuple(steps.taken) == errand.steps[: number + 1]
    intrude()
    async with opened() as repository:
        await errand.run(repository)
    assert commits(remote) == errand.log
    assert sound(remote)


@pytest.mark.parametrize("number", range(2), ids=["commit", "advance"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_crash_of_the_original_repeats_nothing(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool
) -> None:
    """Without a remote too: a commit that no branch has is nothing, one that the branch has is not made again."""

    async def life() -> None:
        async with opened(url=None) as repository:
            write = asyncio.ensure_future(repository.write(change("a")))
            await asyncio.wait([write])
            write.exception()

    with monkeypatch.context() as patch:
        steps = Steps(patch, (number, after))
        with pytest.raises(Crash):
            await life()
        assert steps.taken == ["commit", "advance"][: number + 1]
    async with opened(url=None) as repository:
        assert (await repository.write(change("a"))).changed is not (number == 1 and after)
    assert commits(tmp_path / "work") == ["Deploy NetworkIntent: ran/a"]
    assert sound(tmp_path / "work")


async def test_a_killed_process_leaves_nothing_in_the_way(opened: Opened, remote: Path, tmp_path: Path) -> None:
    """SIGKILL during a push: its lock dies with it, stale lock files go, and the next start completes."""
    hook(remote, "touch started; sleep 0.5")
    script = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from nephoran.repository import Repository
        from steady.clock import ManualClock
        from tests.unit.repository.remotes import change

        async def main():
            async with Repository(sys.argv[1], work=Path(sys.argv[2]), clock=ManualClock()) as repository:
                await repository.write(change("a"))

        asyncio.run(main())
    """)
    command = [sys.executable, "-c", script, str(remote), str(tmp_path / "work")]
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    while not (remote / "started").exists():
        assert process.returncode is None
        await asyncio.sleep(0.01)
    process.kill()
    await process.wait()
    (tmp_path / "work/refs/heads").mkdir(parents=True, exist_ok=True)
    (tmp_path / "work/refs/heads/main.lock").touch()
    hook(remote, "exit 0")
    async with opened() as repository:
        await repository.write(change("a"))
    assert commits(remote) == ["Deploy NetworkIntent: ran/a"]


async def test_two_pushers_both_land_everything(opened: Opened, remote: Path) -> None:
    """Each applies its changes again on the other's head: a linear history, every intent once, nothing forced."""
    async with opened("a") as one, opened("b") as two:

        async def sequence(write: Callable[[str], Awaitable[Commit]], prefix: str) -> None:
            for number in range(6):
                await write(f"{prefix}{number}")

        await asyncio.gather(
            sequence(lambda name: one.write(change(name)), "a"), sequence(lambda name: two.write(change(name)), "b")
        )
    subjects = commits(remote)
    assert sorted(subjects) == sorted(f"Deploy NetworkIntent: ran/{who}{n}" for who in "ab" for n in range(6))
    assert sound(remote)


async def test_a_change_is_checked_again_after_another_commit_came_first(
    opened: Opened, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that went stale while it waited for a new head is not pushed."""
    asked = iter((True, False))
    async with opened("a") as one, opened("b") as two:
        await two.write(change("z"))
        with pytest.raises(Stale):
            await one.write(msgspec.structs.replace(change("a"), valid=lambda: next(asked)))
    assert commits(remote) == ["Deploy NetworkIntent: ran/z"]


async def test_dropped_history_is_not_brought_back(opened: Opened, remote: Path) -> None:
    """The remote's owner rewound the branch: we build on what it says now, not on what we remember."""
    async with opened() as repository:
        first = await repository.write(change("a"))
        await repository.write(change("bad"))
        git(remote, "update-ref", "refs/heads/main", first.id)
        await repository.write(change("b"))
        assert repository.record("ran", "bad") is None
    assert commits(remote) == ["Deploy NetworkIntent: ran/b", "Deploy NetworkIntent: ran/a"]


async def test_a_refused_change_stands_alone(opened: Opened, remote: Path) -> None:
    """A hook declines one of eleven: ten land, the culprit hears the hook's words, few pushes are spent."""
    hook(
        remote,
        "echo >> pushes; while read old new ref; do git ls-tree -r --name-only $new | grep -q /i7/ && "
        '{ printf "\\033[31mno i7 here\\nforged: line" >&2; exit 1; }; done; exit 0',
    )
    async with opened() as repository:
        results = await asyncio.gather(*(repository.write(change(f"i{n}")) for n in range(11)), return_exceptions=True)
        culprit = results.pop(7)
        assert isinstance(culprit, Refused)
        assert "no i7 here" in str(culprit)
        assert str(culprit).isprintable()
        assert all(isinstance(result, Commit) and result.changed for result in results)
        assert repository.record("ran", "i7") is None
        assert (await repository.write(change("later"))).changed
    assert not any("/i7/" in path for path in tree(remote))
    assert len((remote / "pushes").read_text()) <= 10
    assert sound(remote)


async def test_a_hanging_remote_is_left_at_the_deadline(opened: Opened, remote: Path) -> None:
    """The command and its children are killed; the outcome is unknown, so the next write looks first and lands once."""
    hook(remote, "echo $$ > hook.pid; exec sleep 30")
    async with opened(push_timeout=0.5) as repository:
        with pytest.raises(RemoteError, match="outcome unknown") as raised:
            await repository.write(change("a"))
        assert raised.value.transient
        assert not runs(int((remote / "hook.pid").read_text()))
    hook(remote, "exit 0")
    async with opened() as repository:
        assert (await repository.write(change("a"))).changed
    assert commits(remote) == ["Deploy NetworkIntent: ran/a"]


async def test_a_push_whose_answer_is_lost_makes_no_second_commit(
    opened: Opened, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same repository, not restarted, asks the remote before it writes again."""
    push = GitRemote.push

    async def lost(self: GitRemote, commit: str, parent: str | None) -> None:
        await push(self, commit, parent)
        raise RemoteError("connection lost")

    async with opened() as repository:
        with monkeypatch.context() as patch:
            patch.setattr(GitRemote, "push", lost)
            with pytest.raises(RemoteError):
                await repository.write(change("a"))
        assert repository.record("ran", "a") is None
        assert not (await repository.write(change("a"))).changed
        assert repository.contains("ran", "a", "a-1")
    assert len(commits(remote)) == 1


async def test_an_absent_remote_does_not_keep_the_operator_from_starting(opened: Opened, tmp_path: Path) -> None:
    """Entered without a remote, reads and writes say so; when it appears, they work without a restart."""
    later = tmp_path / "later.git"
    async with opened(url=str(later)) as repository:
        with pytest.raises(RemoteUnavailable):
            repository.record("ran", "a")
        with pytest.raises(RemoteUnavailable):
            await repository.write(change("a"))
        bare(later)
        assert (await repository.write(change("a"))).changed
        assert repository.contains("ran", "a", "a-1")


async def test_damage_of_the_clone_heals_by_cloning_again(opened: Opened, remote: Path, tmp_path: Path) -> None:
    """Objects lost from the clone: a read says so, the next write clones anew and lands."""
    async with opened() as repository:
        await repository.write(change("a"))
    objects = [path for path in (tmp_path / "work/objects").rglob("*") if path.is_file()]
    for path in objects:
        path.chmod(0o600)
        path.write_bytes(b"")
    async with opened() as repository:
        assert (await repository.write(change("b"))).changed
        assert repository.contains("ran", "a", "a-1")
    assert sound(tmp_path / "work")
    assert len(commits(remote)) == 2


async def test_damage_while_running_heals_too(opened: Opened, remote: Path, tmp_path: Path) -> None:
    """The clone is emptied below a running repository."""
    async with opened() as repository:
        await repository.write(change("a"))
        for path in (tmp_path / "work/objects").rglob("*"):
            if path.is_file():
                path.chmod(0o600)
                path.unlink()
        (tmp_path / "work/HEAD").unlink()
        assert (await repository.write(change("b"))).changed
        assert repository.contains("ran", "a", "a-1")
    assert len(commits(remote)) == 2


async def test_damage_of_the_original_is_an_error_and_nothing_is_removed(opened: Opened, tmp_path: Path) -> None:
    """Without a remote there is nothing to clone from: the repository says what is broken and touches nothing."""
    async with opened(url=None) as repository:
        await repository.write(change("a"))
    victims = [path for path in (tmp_path / "work/objects").rglob("*") if path.is_file()]
    for path in victims:
        path.chmod(0o600)
        path.write_bytes(b"")
    with pytest.raises(Corrupt, match="work"):
        async with opened(url=None):
            pass
    assert all(path.exists() for path in victims)


async def test_a_full_disk_is_told_and_heals(opened: Opened, tmp_path: Path) -> None:
    """No half commit: the branch stands where it stood, and the write succeeds once there is space."""
    async with opened(url=None) as repository:
        first = await repository.write(change("a"))
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        big = change("b", files={"x.yaml": os.urandom(100_000)})
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
        try:
            with pytest.raises(StorageFull):
                await repository.write(big)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert repository.head == first.id
        assert (await repository.write(big)).changed
    assert sound(tmp_path / "work")


async def test_refused_credentials_are_told_without_showing_them(opened: Opened, unauthorised: str) -> None:
    """A 401 is no matter of waiting, and the message holds neither user nor password."""
    url = unauthorised.replace("://", "://robot:hunter2secret@")
    async with opened(url=url, protocols=("http",)) as repository:
        with pytest.raises(AuthenticationFailed) as raised:
            await repository.write(change("a"))
    assert not raised.value.transient
    assert "hunter2secret" not in str(raised.value)
    assert "robot" not in str(raised.value)
