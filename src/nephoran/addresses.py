"""Which network addresses may be talked to: nobody's word is taken for it but the operator's own allow-list.

A URL in a spec is only a wish. `AddressPolicy` checks its form and its host; `GuardedResolver` checks every address
that the host resolves to, at the moment of connecting, and hands aiohttp those very addresses: a name that later points
elsewhere is checked again by the connection that would use it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from steady.backoff import ErrorType
from steady.errors import ConfigurationError, SteadyError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PARALLEL = 16
"""Connections to one host at the same time, unless the operator's owner says otherwise."""

# Metadata services that live outside the link-local ranges: AWS (IPv6), Alibaba, Azure's wire server, Oracle.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")
)
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291 2.5.5.1
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")  # RFC 8215
_ENTRY = re.compile(r"^(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]/@\s]+)(?::(?P<port>[0-9]{1,5}))?$")
_NUMERIC_END = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)$")
_HOST = re.compile(r"^(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})*$")


class AddressForbidden(SteadyError):
    """An address must not be talked to; the message says which, why, and what to change."""

    error_type = ErrorType.VALIDATION


class HostRule(NamedTuple):
    """One allowed host name; a leading `*.` stands for one or more labels; `port` None means any port."""

    host: str
    port: int | None = None

    def matches(self, host: str, port: int) -> bool:
        """Whether the rule covers `host` at `port`."""
        if self.port is not None and self.port != port:
            return False
        if self.host.startswith("*."):
            return host.endswith(self.host[1:])
        return host == self.host


class NetworkRule(NamedTuple):
    """One allowed range of addresses; `port` None means any port."""

    network: Network
    port: int | None = None

    def matches(self, address: Address, port: int) -> bool:
        """Whether the rule covers `address` at `port`."""
        return self.port in {None, port} and address in self.network


class Target(NamedTuple):
    """A checked URL, the host to resolve (an address or a lower-case name) and its port."""

    url: URL
    host: str
    port: int

    @property
    def address(self) -> Address | None:
        """The host as an address, when it is one."""
        return _literal(self.host)


class Resolver(Protocol):
    """Names to addresses; what aiohttp's resolvers do."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`. Raises OSError when there are none."""
        ...

    async def close(self) -> None:
        """Release what it holds."""
        ...


class AddressPolicy:
    """The operator's allow-list, and what no allow-list can allow.

    `allowed` holds host names (`near-rt-ric`), patterns (`*.ric.svc.cluster.local`), addresses and CIDR ranges
    (`10.1.0.0/16`), each with an optional `:port` (an IPv6 address then in brackets). A range allows hosts that are
    written as addresses; a name must be allowed as a name. Loopback must be allowed as a range, an address, or by the
    name `localhost`. Link-local, metadata, unspecified, multicast and reserved addresses are refused whatever the list
    says, also when hidden inside an IPv6 address.

    Raises ConfigurationError for an entry that is none of these.
    """

    def __init__(self, allowed: Iterable[str], schemes: Sequence[str] = ("http", "https")) -> None:
        rules = [_rule(entry.strip()) for entry in allowed if entry.strip()]
        self.schemes = tuple(schemes)
        self._hosts = tuple(rule for rule in rules if isinstance(rule, HostRule))
        self._networks = tuple(rule for rule in rules if isinstance(rule, NetworkRule))

    def check(self, url: str) -> Target:
        """The target of `url`. Raises AddressForbidden when its form, host or literal address is not allowed."""
        target = self._target(url)
        check_host(target.host)
        if (address := target.address) is None:
            self._check_name(target)
        else:
            self._check_literal(target, address)
        return target

    def check_address(self, host: str, address: str, port: int) -> None:
        """Raise AddressForbidden unless `address`, which the allowed `host` resolves to, may be connected to."""
        found = _embedded(ipaddress.ip_address(address))
        if reason := _never(found):
            raise AddressForbidden(f"{host} resolves to {address}, {reason}; such an address is never allowed")
        if found.is_loopback and host != "localhost" and not self._in_networks(found, port):
            raise AddressForbidden(
                f"{host} resolves to the loopback address {address}; allow {found} if that is really meant"
            )

    def _target(self, url: str) -> Target:
        try:
            parsed = URL(url)
            host, port = parsed.raw_host, parsed.port
        except ValueError as error:
            raise AddressForbidden(f"{url!r} is not a URL: {error}") from error
        if parsed.scheme not in self.schemes:
            raise AddressForbidden(f"{_shown(parsed)} must start with one of: {', '.join(self.schemes)}")
        if not host or port is None:
            raise AddressForbidden(f"{url!r} names no host or no port; write for example http://near-rt-ric:38080")
        if parsed.user is not None or parsed.password is not None:
            raise AddressForbidden(f"{_shown(parsed)} carries credentials; give them in a Secret, never in a URL")
        return Target(parsed, host.lower().rstrip("."), port)

    def _check_name(self, target: Target) -> None:
        if not any(rule.matches(target.host, target.port) for rule in self._hosts):
            raise AddressForbidden(_not_listed(target))

    def _check_literal(self, target: Target, address: Address) -> None:
        if not self._in_networks(_embedded(address), target.port):
            raise AddressForbidden(_not_listed(target))

    def _in_networks(self, address: Address, port: int) -> bool:
        return any(rule.matches(address, port) for rule in self._networks)


def check_host(host: str) -> None:
    """Raise AddressForbidden if no allow-list can allow `host` (in lower case), whatever is listed.

    That is an address of a kind that `AddressPolicy` always refuses, or one in an unusual spelling. What a name
    resolves to is not looked up here.
    """
    address = _literal(host)
    if address is None:
        if _NUMERIC_END.search(host) or not _HOST.match(host):
            raise AddressForbidden(
                f"host {host!r} is neither a name nor an address in its usual form; "
                "write four decimal numbers, or an IPv6 address in brackets"
            )
    elif reason := _never(_embedded(address)):
        raise AddressForbidden(f"{host} is {reason}; such an address is never allowed")


class GuardedResolver(AbstractResolver):
    """Resolves for aiohttp and refuses the whole host when one of its addresses is not allowed."""

    def __init__(self, policy: AddressPolicy, resolver: Resolver | None = None) -> None:
        self._policy = policy
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of `host`, all of them checked. Raises AddressForbidden; OSError when there are none."""
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            self._policy.check_address(host.lower().rstrip("."), result["host"], port)
        return found

    async def close(self) -> None:
        """Release the resolver below."""
        await self._resolver.close()


def guarded_session(
    policy: AddressPolicy, *, parallel: int = PARALLEL, resolver: Resolver | None = None
) -> aiohttp.ClientSession:
    """A client session that connects only to addresses that `policy` allows; `parallel` connections for each host.

    Callers still pass each URL through `AddressPolicy.check` (aiohttp resolves no literal address) and must send
    `allow_redirects=False`. Proxies from the environment and cookies are not used.
    """
    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(policy, resolver), use_dns_cache=False, limit_per_host=parallel, limit=0
    )
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


def _rule(entry: str) -> HostRule | NetworkRule:
    if (network := _network(entry)) is not None:
        return NetworkRule(network)
    text, port = _split_port(entry)
    if (network := _network(text)) is not None:
        return NetworkRule(network, port)
    host = text.lower().rstrip(".")
    if _NUMERIC_END.search(host) or not _HOST.match(host.removeprefix("*.")):
        raise ConfigurationError(
            f"allowed address {entry!r} is no host, *.domain, address or CIDR range (each with an optional :port)"
        )
    return HostRule(host, port)


def _split_port(entry: str) -> tuple[str, int | None]:
    address, slash, bits = entry.partition("/")
    length, colon, port = bits.partition(":")
    if slash and colon and port.isdecimal():
        return f"{address.strip('[]')}/{length.strip('[]')}", int(port)
    if not (match := _ENTRY.match(entry)):
        return entry.strip("[]"), None
    return match["host"].strip("[]"), int(match["port"]) if match["port"] else None


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address carries (mapped, compatible, NAT64, 6to4, Teredo), else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if inner := address.ipv4_mapped or address.sixtofour:
        return inner
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64 or address in _NAT64_LOCAL or (address in _COMPATIBLE and int(address) > 1):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _never(address: Address) -> str:
    """Why `address` can never be allowed, or nothing."""
    if address.is_unspecified or address in _THIS_NETWORK:
        return "an unspecified address"
    if address.is_link_local:
        return "a link-local address (where cloud metadata services live)"
    if address in _METADATA:
        return "the address of a cloud metadata service"
    if address.is_multicast:
        return "a multicast address"
    if address.is_reserved and not address.is_loopback:
        return "a reserved address"
    return ""


def _not_listed(target: Target) -> str:
    return (
        f"{target.host}:{target.port} is not among the addresses that this operator may talk to; "
        "its administrator can add it to the allowed addresses"
    )


def _shown(url: URL) -> str:
    """`url` without what may be secret."""
    return repr(str(url.with_user(None).with_query(None).with_fragment(None)) if url.host else url.scheme + ":…")
