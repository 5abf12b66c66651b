"""Who may speak to the control plane: a certificate authority of its own, tokens, kubeconfigs.

Everything is made anew for each control plane, in its own folder, readable by its owner only.
"""

import datetime as dt
import ipaddress
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_VALIDITY = dt.timedelta(days=2)
_CLOCK_SKEW = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody with a token of their own, so that the audit log tells them apart."""

    key: str
    username: str
    groups: tuple[str, ...] = ()


ADMIN = Actor("admin", "admin", ("system:masters",))
"""May do everything (group `system:masters` passes RBAC)."""
OPERATOR = Actor(
    "operator",
    "system:serviceaccount:nephoran-system:nephoran",
    ("system:serviceaccounts", "system:serviceaccounts:nephoran-system"),
)
"""Has the identity of the operator's ServiceAccount, and the rights that RBAC objects give it."""
USER = Actor("user", "user")
"""Has no rights but those that a test binds to the user `user`."""
ACTORS = (ADMIN, OPERATOR, USER)


class Credentials:
    """The files in one folder: `ca.crt`, `server.crt`, `server.key`, `accounts.key`, `tokens.csv`, `*.kubeconfig`."""

    def __init__(self, folder: Path) -> None:
        """Make everything in `folder`, which must exist."""
        self.ca = folder / "ca.crt"
        self.server_certificate = folder / "server.crt"
        self.server_key = folder / "server.key"
        self.accounts_key = folder / "accounts.key"
        self.token_file = folder / "tokens.csv"
        self.tokens = {actor.key: secrets.token_urlsafe(24) for actor in ACTORS}
        """Bearer tokens by `Actor.key`."""
        self._folder = folder
        self._write_certificates()
        _write(self.accounts_key, _pem(ec.generate_private_key(ec.SECP256R1())))
        _write(self.token_file, "".join(map(self._token_line, ACTORS)).encode())

    def kubeconfig(self, actor: str, url: str) -> Path:
        """Write the kubeconfig with which `actor` (an `Actor.key`) reaches `url`, and return its path."""
        path = self._folder / f"{actor}.kubeconfig"
        named = {"name": actor}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": actor,
            "clusters": [named | {"cluster": {"server": url, "certificate-authority": str(self.ca)}}],
            "users": [named | {"user": {"token": self.tokens[actor]}}],
            "contexts": [named | {"context": {"cluster": actor, "user": actor, "namespace": "default"}}],
        }
        _write(path, json.dumps(content, indent=1).encode())
        return path

    def _token_line(self, actor: Actor) -> str:
        return f'{self.tokens[actor.key]},{actor.username},{actor.key},"{",".join(actor.groups)}"\n'

    def _write_certificates(self) -> None:
        authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        issuer = _name("control plane test authority")
        root = _certificate(issuer, issuer, authority).add_extension(x509.BasicConstraints(True, None), critical=True)
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        leaf = (
            _certificate(_name("kube-apiserver"), issuer, key)
            .add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
        )
        root = root.add_extension(_ca_usage(), critical=True).add_extension(
            x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False
        )
        leaf = leaf.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False
        )
        _write(self.ca, root.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        _write(self.server_certificate, leaf.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        _write(self.server_key, _pem(key))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALIDITY)
    )


def _ca_usage() -> x509.KeyUsage:
    """Return the key usage of a certificate that signs others (strict verifiers ask for it)."""
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
