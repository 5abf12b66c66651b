"""The launcher of the real control plane."""

from __future__ import annotations

from pathlib import Path

import pytest

from steady.testing.controlplane import OPERATOR, BinariesMissingError, ControlPlane, binaries, locate
from steady.testing.controlplane.__main__ import MISSING, main


def test_missing_binaries_say_how_to_make_them(tmp_path: Path) -> None:
    """A folder without them is named, with the command that fills one."""
    with pytest.raises(BinariesMissingError, match=r"python -m steady\.testing\.controlplane build"):
        locate({"KUBEBUILDER_ASSETS": str(tmp_path)})


def test_without_go_a_build_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No `go` on the PATH: exit code 3 and an advice."""
    with pytest.raises(binaries.GoMissingError, match=r"install Go 1\.26 or newer"):
        binaries.build(print, {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)})
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert main(["path"]) == MISSING
    assert str(tmp_path) in capsys.readouterr().err


@pytest.mark.real
@pytest.mark.asyncio(loop_scope="session")
async def test_the_audit_log_tells_actors_apart(control_plane: ControlPlane) -> None:
    """A request that RBAC refuses is logged with user, verb, resource and code."""
    refused = await control_plane.kubectl_for("operator")("get", "secrets", "-n", "default")
    assert "Forbidden" in refused.err
    logged = [entry for entry in await control_plane.audit() if entry.user == OPERATOR.username]
    assert ("list", "secrets", "default", 403) in {
        (entry.verb, entry.resource, entry.namespace, entry.code) for entry in logged
    }
