"""Where the programs of a real Prometheus are looked for, and what is said where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from steady.testing.prometheus import MISSING, PrometheusMissingError, cache, install, locate, main


def put(folder: Path, *names: str) -> Path:
    """Programs of these names."""
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch(0o755)
    return folder


def test_what_is_on_path_comes_before_the_cache(tmp_path: Path) -> None:
    """Both programs, or the folder does not count."""
    environment = {"PATH": f"{tmp_path / 'half'}:{tmp_path / 'bin'}", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    put(tmp_path / "half", "prometheus")
    cached = put(cache(environment), "prometheus", "promtool")
    assert locate(environment) == cached
    assert locate({**environment, "PATH": str(put(tmp_path / "bin", "prometheus", "promtool"))}) == tmp_path / "bin"


def test_what_is_missing_is_named_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no Debian either, nothing can be fetched; the exit code says that something is missing."""
    environment = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    with pytest.raises(PrometheusMissingError, match=r"prometheus and promtool are neither on PATH .* install"):
        locate(environment)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(PrometheusMissingError):
        install()
    assert main(["path"]) == main(["install"]) == MISSING
    assert "on Debian and Ubuntu" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
