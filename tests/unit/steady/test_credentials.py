"""Kubeconfigs: what they mean, and what is said of those that mean nothing."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from steady.client import connect
from steady.client.credentials import Connection, from_kubeconfig, in_cluster
from steady.errors import ConfigurationError


def config(**changes: Any) -> dict[str, Any]:
    """A kubeconfig that is right, but for `changes` at its top."""
    base: dict[str, Any] = {
        "current-context": "home",
        "contexts": [{"name": "home", "context": {"cluster": "c", "user": "u", "namespace": "ns"}}],
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t0ken"}}],
    }
    return {**base, **changes}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the kubeconfig is."""
    return tmp_path / "config"


def write(path: Path, content: Any) -> None:
    """Store a kubeconfig."""
    path.write_text(yaml.safe_dump(content))


def test_server_namespace_and_token_come_from_the_current_context(path: Path) -> None:
    """And the token is not shown."""
    write(path, config())
    connection = from_kubeconfig(path)
    assert (connection.server, connection.namespace, connection.token()) == ("http://127.0.0.1:1", "ns", "t0ken")
    assert connection.tls() is None
    assert "t0ken" not in repr(connection)


def test_another_context_can_be_named(path: Path) -> None:
    """It goes before the current one."""
    contexts = [{"name": "home", "context": {"cluster": "x"}}, {"name": "away", "context": {"cluster": "c"}}]
    write(path, config(contexts=contexts))
    assert from_kubeconfig(path, "away").server == "http://127.0.0.1:1"
    assert from_kubeconfig(path, "away").namespace == "default"


WRONG: dict[str, tuple[Any, str]] = {
    "a list": ([], "expected a mapping"),
    "no current context": (config(**{"current-context": ""}), "current-context is not set"),
    "an unknown context": (config(**{"current-context": "x"}), "contexts has no entry named 'x'"),
    "contexts that are no list": (config(contexts="home"), "contexts"),
    "a context without its part": (config(contexts=[{"name": "home"}]), "contexts"),
    "an unknown cluster": (config(clusters=[]), "clusters has no entry named 'c'"),
    "an unknown user": (config(users=None), "users has no entry named 'u'"),
    "no server": (config(clusters=[{"name": "c", "cluster": {}}]), "cluster 'c' has no server"),
    "a server without a scheme": (config(clusters=[{"name": "c", "cluster": {"server": "host:1"}}]), "server"),
    "a login command": (config(users=[{"name": "u", "user": {"exec": {}}}]), "exec, which is not supported"),
    "a broken certificate": (
        config(clusters=[{"name": "c", "cluster": {"server": "https://h", "certificate-authority-data": "%"}}]),
        "certificate-authority-data is not base64",
    ),
    "a certificate that is none": (
        config(
            clusters=[
                {
                    "name": "c",
                    "cluster": {
                        "server": "https://h",
                        "certificate-authority-data": base64.b64encode(b"no certificate").decode(),
                    },
                }
            ]
        ),
        "certificate-authority",
    ),
    "a certificate without its key": (
        config(users=[{"name": "u", "user": {"client-certificate-data": base64.b64encode(b"x").decode()}}]),
        "client-key",
    ),
}


@pytest.mark.parametrize(("content", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_kubeconfig_is_one_line_that_names_file_and_key(path: Path, content: Any, said: str) -> None:
    """Never a traceback of somebody else's making, and before the first request."""
    write(path, content)
    with pytest.raises(ConfigurationError) as caught:
        from_kubeconfig(path)
    text = str(caught.value)
    assert str(path) in text
    assert said in text
    assert "\n" not in text


def test_a_kubeconfig_that_is_not_yaml_is_one_line_too(path: Path) -> None:
    """With the place of the mistake."""
    path.write_text("a: [1\nb: }")
    with pytest.raises(ConfigurationError) as caught:
        from_kubeconfig(path)
    assert "line 2" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_kubeconfig_names_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given by option and by environment."""
    with pytest.raises(ConfigurationError, match=f"cannot read kubeconfig {path}"):
        connect(path)
    monkeypatch.setenv("KUBECONFIG", str(path))
    with pytest.raises(ConfigurationError, match=f"cannot read kubeconfig {path}"):
        connect()


def test_files_are_found_beside_the_kubeconfig(path: Path) -> None:
    """A relative token file is relative to the file that names it."""
    (path.parent / "token").write_text("from-file\n")
    write(path, config(users=[{"name": "u", "user": {"tokenFile": "token"}}]))
    assert from_kubeconfig(path).token() == "from-file"


def test_a_token_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute, not with each request."""
    now = 1000.0
    monkeypatch.setattr("steady.client.credentials.time.monotonic", lambda: now)
    file = tmp_path / "token"
    file.write_text("one")
    connection = Connection("http://127.0.0.1:1", token_file=file)
    assert connection.token() == "one"
    file.write_text("two")
    assert connection.token() == "one"
    now += 61.0
    assert connection.token() == "two"


def test_a_token_file_that_is_gone_is_named(tmp_path: Path) -> None:
    """As the owner's error that it is."""
    connection = Connection("http://127.0.0.1:1", token_file=tmp_path / "token")
    with pytest.raises(ConfigurationError, match=f"cannot read token {tmp_path}/token"):
        connection.token()


@pytest.mark.parametrize(
    ("host", "address"), [("10.0.0.1", "https://10.0.0.1:443"), ("fd00::1", "https://[fd00::1]:443")]
)
def test_a_pod_uses_its_service_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, address: str
) -> None:
    """Over IPv4 and IPv6."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.delenv("KUBERNETES_SERVICE_PORT", raising=False)
    for name, text in {"token": "pod", "namespace": "ns\n", "ca.crt": "ca"}.items():
        (tmp_path / name).write_text(text)
    connection = in_cluster(tmp_path)
    assert (connection.server, connection.namespace, connection.token()) == (address, "ns", "pod")
