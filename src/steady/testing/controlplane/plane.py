"""etcd and kube-apiserver, started together and stopped together."""

import asyncio
import secrets
import socket
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from steady.testing.controlplane import audit as audit_log
from steady.testing.controlplane.binaries import locate
from steady.testing.controlplane.credentials import ADMIN, Credentials
from steady.testing.controlplane.kubectl import Kubectl
from steady.testing.controlplane.process import Process

START_SECONDS = 90.0
"""How long etcd and the API server together may take to be ready (5 s on a quiet machine)."""
_POLL_SECONDS = 0.05
_ASK_SECONDS = 5.0
_ATTEMPTS = 3
_SERVICE_ADDRESSES = "10.0.0.0/24"
_SETTLE_SECONDS = 10.0


class StartFailedError(Exception):
    """A server ended while starting or was not ready in time; the message holds the end of its output."""


class ControlPlane:
    """One API server with its own etcd, TLS, RBAC, three actors and an audit log, in a temporary folder.

    There is no controller manager: nobody collects garbage, runs Deployments or makes ServiceAccounts.

        async with ControlPlane() as plane:
            answer = await plane.kubectl("get", "namespaces")
    """

    def __init__(self, binaries: Path | None = None, *, options: Sequence[str] = ()) -> None:
        """Use the programs in `binaries`, by default those that `locate` finds (it raises `BinariesMissingError`).

        kube-apiserver gets `options` after its own.
        """
        self.binaries = binaries or locate()
        self._options = options
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._etcd: Process | None = None
        self._server: Process | None = None
        self._etcd_url = ""
        self._port = 0

    async def __aenter__(self) -> Self:
        """Start both servers; raises `StartFailedError` where they are not ready within `START_SECONDS`."""
        self._scratch = tempfile.TemporaryDirectory(prefix="control-plane-")
        self.folder = Path(self._scratch.name)
        self.credentials = Credentials(self.folder)
        self._audit = audit_log.AuditLog(self.folder / "audit.log")
        (self.folder / "audit.yaml").write_text(audit_log.POLICY, encoding="utf-8")
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._attempt(self._start_etcd)
                await self._attempt(self._start_server)
        except BaseException as error:
            await self.__aexit__(None, None, None)
            if isinstance(error, TimeoutError):
                raise StartFailedError(f"the control plane was not ready within {START_SECONDS:.0f} s") from error
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop both servers, wait until they are gone, and remove their folder."""
        try:
            for process in (self._server, self._etcd):
                if process is not None:
                    await process.stop()
        finally:
            if self._scratch is not None:
                self._scratch.cleanup()

    @property
    def url(self) -> str:
        """The API server's address, for example `https://127.0.0.1:41231`; the same after a restart."""
        return f"https://127.0.0.1:{self._port}"

    @property
    def ca_path(self) -> Path:
        """The certificate authority that signed the server's certificate (PEM)."""
        return self.credentials.ca

    @property
    def tokens(self) -> dict[str, str]:
        """Bearer tokens by actor: `admin`, `operator`, `user`."""
        return self.credentials.tokens

    @property
    def apiserver_pid(self) -> int:
        """The process id of kube-apiserver, by which its CPU time and memory can be read."""
        assert self._server is not None, "the control plane is not running"
        return self._server.pid

    @property
    def etcd_pid(self) -> int:
        """The process id of etcd."""
        assert self._etcd is not None, "the control plane is not running"
        return self._etcd.pid

    def kubeconfig(self, actor: str = ADMIN.key) -> Path:
        """Write the kubeconfig of `actor` (`admin`, `operator` or `user`) and return its path."""
        return self.credentials.kubeconfig(actor, self.url)

    def kubectl_for(self, actor: str) -> Kubectl:
        """Return kubectl as `actor`."""
        return Kubectl(self.binaries / "kubectl", self.folder / "kubectl", f"--kubeconfig={self.kubeconfig(actor)}")

    @property
    def kubectl(self) -> Kubectl:
        """Kubectl as `admin`: `await plane.kubectl("get", "pods")`."""
        return self.kubectl_for(ADMIN.key)

    async def audit(self) -> list[audit_log.AuditEntry]:
        """Return every request answered so far, oldest first.

        The server logs a request just after it has answered it; a marked request of our own, awaited in the log,
        lets those before it arrive (and is left out).
        """
        marker = f"/version?marker={secrets.token_hex(8)}"
        async with asyncio.timeout(_SETTLE_SECONDS):
            await self._ask(marker)
            while not any(entry.uri == marker for entry in self._audit.entries()):  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(_POLL_SECONDS)
        return [entry for entry in self._audit.entries() if not _own(entry.uri)]

    async def restart_apiserver(self) -> None:
        """Stop kube-apiserver (SIGTERM) and start it again on the same address and etcd; waits until it is ready."""
        assert self._server is not None, "the control plane is not running"
        await self._server.stop()
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._start_server(self._port)
        except TimeoutError as error:
            raise StartFailedError(f"kube-apiserver was not ready again: {self._server.tail()}") from error

    async def compact(self) -> None:
        """Let etcd forget all history, as it does every five minutes: lists of older versions are answered 410."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_ASK_SECONDS)) as session:
            async with session.post(f"{self._etcd_url}/v3/kv/range", json={"key": "AA=="}) as answer:
                revision = (await answer.json())["header"]["revision"]
            body = {"revision": revision, "physical": True}
            async with session.post(f"{self._etcd_url}/v3/kv/compaction", json=body) as answer:
                answer.raise_for_status()

    async def _attempt(self, start: Callable[[], Awaitable[None]]) -> None:
        """Start a server; again where it ends at once, for a free port may be taken before the server has it."""
        for left in reversed(range(_ATTEMPTS)):
            try:
                await start()
            except StartFailedError:
                if not left:
                    raise
            else:
                return

    async def _start_etcd(self) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in _free_ports(2))
        command = [
            str(self.binaries / "etcd"),
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]
        self._etcd_url = client
        self._etcd = Process(command, self.folder / "etcd.log")
        await self._until_ready(self._etcd, f"{client}/readyz")

    async def _start_server(self, port: int | None = None) -> None:
        self._port = port or _free_ports(1)[0]
        self._server = Process(self._server_command(), self.folder / "kube-apiserver.log")
        await self._until_ready(self._server, f"{self.url}/readyz")

    def _server_command(self) -> list[str]:
        files = self.credentials
        return [
            str(self.binaries / "kube-apiserver"),
            f"--etcd-servers={self._etcd_url}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._port}",
            f"--tls-cert-file={files.server_certificate}",
            f"--tls-private-key-file={files.server_key}",
            "--service-account-issuer=https://control-plane.invalid",
            f"--service-account-key-file={files.accounts_key}",
            f"--service-account-signing-key-file={files.accounts_key}",
            f"--token-auth-file={files.token_file}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            f"--service-cluster-ip-range={_SERVICE_ADDRESSES}",
            "--endpoint-reconciler-type=none",
            f"--audit-policy-file={self.folder / 'audit.yaml'}",
            f"--audit-log-path={self.folder / 'audit.log'}",
            "--audit-log-mode=blocking",
            *self._options,
        ]

    async def _until_ready(self, process: Process, url: str) -> None:
        """Return when `url` answers 200; raises `StartFailedError` where the server ends before."""
        while await self._ask(url) != 200:
            if not process.running:
                raise StartFailedError(f"{process.name} ended while starting:\n{process.tail()}")
            await asyncio.sleep(_POLL_SECONDS)

    async def _ask(self, url: str) -> int:
        """GET `url` (a path is one of the API server's) as admin; return the code, 0 where nobody answers."""
        trust = ssl.create_default_context(cafile=str(self.ca_path))
        headers = {"Authorization": f"Bearer {self.tokens[ADMIN.key]}"} if not url.startswith("http:") else {}
        address = f"{self.url}{url}" if url.startswith("/") else url
        limit = aiohttp.ClientTimeout(total=_ASK_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.get(address, headers=headers, ssl=trust) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0


def _own(uri: str) -> bool:
    """Return whether a request was this module's: the readiness question or a marker."""
    return uri == "/readyz" or uri.startswith("/version?marker=")


def _free_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports
