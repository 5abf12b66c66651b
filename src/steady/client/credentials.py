"""Where the API server is and who we are: a kubeconfig, or the service account of a pod."""

from __future__ import annotations

import base64
import os
import ssl
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from steady.errors import ConfigurationError

_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TOKEN_AGE = 60.0  # seconds between looks at a token file, as client-go does


class Connection:
    """One way to one server. `repr` shows no secret.

    `token_file` is read again every minute, so that a rotated token needs no restart. `namespace` is the context's.
    """

    def __init__(
        self,
        server: str,
        *,
        namespace: str = "default",
        ca: bytes | None = None,
        token: str = "",
        token_file: Path | None = None,
        certificate: tuple[bytes, bytes] | None = None,
        insecure: bool = False,
    ) -> None:
        self.server = server
        self.namespace = namespace
        self._ca = ca
        self._token = token
        self._token_file = token_file
        self._certificate = certificate
        self._insecure = insecure
        self._read_at = 0.0

    def __repr__(self) -> str:
        return f"Connection({self.server!r})"

    def token(self) -> str:
        """The bearer token to send, or nothing. Raises ConfigurationError when its file cannot be read."""
        if self._token_file is None:
            return self._token
        now = time.monotonic()
        if not self._token or now - self._read_at > _TOKEN_AGE:
            self._token, self._read_at = _read(self._token_file, "token").decode().strip(), now
        return self._token

    def tls(self) -> ssl.SSLContext | None:
        """The TLS settings, or None for plain HTTP. The server is verified unless the kubeconfig itself says no."""
        if not self.server.startswith("https:"):
            return None
        context = ssl.create_default_context(cadata=self._ca.decode() if self._ca else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self._certificate:
            _load_certificate(context, *self._certificate)
        return context


def connect(kubeconfig: str | Path | None = None, context: str | None = None) -> Connection:
    """The connection that `kubeconfig` (else $KUBECONFIG, the pod's service account, ~/.kube/config) describes.

    Raises ConfigurationError naming the file and the key that is missing or wrong.
    """
    if kubeconfig:
        return from_kubeconfig(Path(kubeconfig), context)
    if listed := os.environ.get("KUBECONFIG"):
        return from_kubeconfig(Path(listed.split(os.pathsep)[0]), context)
    if os.environ.get("KUBERNETES_SERVICE_HOST") and (_POD / "token").exists():
        return in_cluster()
    return from_kubeconfig(Path.home() / ".kube" / "config", context)


def in_cluster(folder: Path = _POD) -> Connection:
    """The connection of a pod's service account."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    host = f"[{host}]" if ":" in host else host
    return Connection(
        f"https://{host}:{port}",
        namespace=_read(folder / "namespace", "namespace").decode().strip(),
        ca=_read(folder / "ca.crt", "certificate authority"),
        token_file=folder / "token",
    )


def from_kubeconfig(path: Path, context: str | None = None) -> Connection:
    """The connection that `context` (else the current one) of the kubeconfig at `path` describes."""
    config = _parsed(path)
    name = context or config.get("current-context")
    if not name:
        raise ConfigurationError(f"kubeconfig {path}: current-context is not set; name one with --context")
    chosen = _named(config, "contexts", name, path)
    cluster = _named(config, "clusters", chosen.get("cluster"), path)
    user = _named(config, "users", chosen["user"], path) if chosen.get("user") else {}
    if unsupported := sorted(user.keys() & {"exec", "auth-provider"}):
        raise ConfigurationError(
            f"kubeconfig {path}: user {chosen['user']!r} uses {unsupported[0]}, which is not supported"
        )
    token_file = user.get("tokenFile")
    connection = Connection(
        _server(cluster, chosen.get("cluster"), path),
        namespace=chosen.get("namespace") or "default",
        ca=_material(cluster, "certificate-authority", path),
        token=user.get("token", ""),
        token_file=path.parent / token_file if token_file else None,
        certificate=_certificate(user, path),
        insecure=bool(cluster.get("insecure-skip-tls-verify")),
    )
    try:
        connection.tls()
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError(
            f"kubeconfig {path}: certificate-authority or client-certificate cannot be used: {error}"
        ) from error
    return connection


def _parsed(path: Path) -> dict[str, Any]:
    try:
        config = yaml.load(_read(path, "kubeconfig"), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"kubeconfig {path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(config, dict):
        raise ConfigurationError(f"kubeconfig {path}: expected a mapping at the top")
    return config


def _named(config: dict[str, Any], section: str, name: object, path: Path) -> dict[str, Any]:
    """What the entry of `section` (`contexts`, `clusters`, `users`) called `name` says."""
    entries, part = config.get(section) or (), section.removesuffix("s")
    if not isinstance(entries, list | tuple) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigurationError(f"kubeconfig {path}: {section} must be a list of mappings")
    found = next((entry for entry in entries if entry.get("name") == name), None)
    if found is None:
        raise ConfigurationError(f"kubeconfig {path}: {section} has no entry named {name!r}")
    if not isinstance(found.get(part), dict):
        raise ConfigurationError(f"kubeconfig {path}: the entry {name!r} of {section} lacks its {part}")
    return dict(found[part])


def _server(cluster: dict[str, Any], name: object, path: Path) -> str:
    server = cluster.get("server")
    if not server:
        raise ConfigurationError(f"kubeconfig {path}: cluster {name!r} has no server")
    if not str(server).startswith(("http://", "https://")):
        raise ConfigurationError(f"kubeconfig {path}: server {server!r} of cluster {name!r} is no http(s) URL")
    return str(server)


def _certificate(user: dict[str, Any], path: Path) -> tuple[bytes, bytes] | None:
    certificate, key = _material(user, "client-certificate", path), _material(user, "client-key", path)
    if bool(certificate) != bool(key):
        raise ConfigurationError(f"kubeconfig {path}: client-certificate and client-key need each other")
    return (certificate, key) if certificate and key else None


def _material(entry: dict[str, Any], name: str, path: Path) -> bytes | None:
    if inline := entry.get(f"{name}-data"):
        try:
            return base64.b64decode(inline, validate=True)
        except ValueError as error:
            raise ConfigurationError(f"kubeconfig {path}: {name}-data is not base64") from error
    if file := entry.get(name):
        return _read(path.parent / file, name)
    return None


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot read {what} {path}: {error.strerror}") from error


def _load_certificate(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    # The ssl module takes client certificates from files only; it is on disk for a moment, readable by us alone.
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder) / "client.pem"
        pem.touch(mode=0o600)
        pem.write_bytes(certificate + b"\n" + key)
        context.load_cert_chain(pem)
