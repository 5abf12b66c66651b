"""Which addresses may be talked to, whatever a URL says."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from nephoran.addresses import AddressForbidden, AddressPolicy, guarded_session
from steady.errors import ConfigurationError

WIDE = AddressPolicy(["0.0.0.0/0", "::/0", "localhost", "*.example", "ric"])


class Book:
    """A resolver that answers the next list of addresses at each call, the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.calls = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.calls += 1
        found = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in found
        ]

    async def close(self) -> None:
        return


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("near-rt-ric", "http://near-rt-ric:38080"),
        ("near-rt-ric:38080", "http://near-rt-ric:38080/base"),
        ("near-rt-ric", "HTTP://Near-RT-RIC.:38080"),
        ("near-rt-ric", "https://near-rt-ric"),
        ("*.ricplt.svc.cluster.local", "http://e2mgr.ricplt.svc.cluster.local:3800"),
        ("*.ricplt", "http://a.b.ricplt:1"),
        ("10.1.0.0/16", "http://10.1.2.3:38080"),
        ("10.1.0.0/16:38080", "http://10.1.2.3:38080"),
        ("10.1.2.3", "http://10.1.2.3:38080"),
        ("10.1.2.3:38080", "http://10.1.2.3:38080"),
        ("fd12::/16", "http://[fd12::7]:38080"),
        ("[fd12::7]:38080", "http://[fd12::7]:38080"),
        ("127.0.0.1", "http://127.0.0.1:38080"),
        ("10.1.2.3", "http://[::ffff:10.1.2.3]:38080"),
    ],
)
def test_a_listed_address_is_allowed(allowed: str, url: str) -> None:
    """Names, patterns, addresses and ranges, with a port or without."""
    assert AddressPolicy([allowed]).check(url).port > 0


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("near-rt-ric", "http://near-rt-ric.evil:38080"),
        ("near-rt-ric:38080", "http://near-rt-ric:22"),
        ("*.ricplt", "http://ricplt:1"),
        ("*.ricplt", "http://evilricplt:1"),
        ("10.1.0.0/16", "http://10.2.0.1:1"),
        ("10.1.0.0/16:38080", "http://10.1.0.1:22"),
        ("10.1.0.0/16", "http://somebody.who.resolves.there:1"),
        ("", "http://near-rt-ric:38080"),
    ],
)
def test_what_is_not_listed_is_refused(allowed: str, url: str) -> None:
    """The message says what an administrator can do."""
    with pytest.raises(AddressForbidden, match="its administrator can add it"):
        AddressPolicy([allowed]).check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://[fe80::1]:80",
        "http://[fd00:ec2::254]",
        "http://100.100.100.200",
        "http://0.0.0.0:80",
        "http://0.1.2.3:80",
        "http://[::]:80",
        "http://224.0.0.1:80",
        "http://[ff02::1]:80",
        "http://255.255.255.255:80",
        "http://[::ffff:169.254.169.254]",
        "http://[::ffff:a9fe:a9fe]",
        "http://[::169.254.169.254]",
        "http://[64:ff9b::169.254.169.254]",
        "http://[2002:a9fe:a9fe::1]",
        "http://[2001:0:4136:e378:8000:63bf:5601:5601]",
    ],
)
def test_some_addresses_no_list_can_allow(url: str) -> None:
    """Link-local, metadata, unspecified, multicast and reserved ones, also when an IPv6 address hides them."""
    with pytest.raises(AddressForbidden, match="never allowed"):
        WIDE.check(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433",
        "http://0177.0.0.1",
        "http://0x7f.0.0.1",
        "http://0x7f000001",
        "http://127.1",
        "http://10.0.0.0x1",
        "http://a.example.017",
    ],
)
def test_an_address_in_an_unusual_spelling_is_refused(url: str) -> None:
    """Decimal, octal, hexadecimal and short forms mean different addresses to different programs."""
    with pytest.raises(AddressForbidden, match="usual form"):
        WIDE.check(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://ric:21", "must start with"),
        ("file:///etc/passwd", "must start with"),
        ("ric:38080", "must start with"),
        ("", "must start with"),
        ("http://", "no host"),
        ("http://ric:99999", "not a URL"),
        ("http://user:secret@ric:1", "carries credentials"),
        ("http://ric\\@evil.test:1", "administrator|usual form|not a URL|credentials"),
    ],
)
def test_a_malformed_url_is_refused_with_a_reason(url: str, why: str) -> None:
    """The message says what is wrong, and never repeats a password."""
    with pytest.raises(AddressForbidden, match=why) as refused:
        WIDE.check(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("entry", ["http://ric", "ric:port", "10.0.0.0/40", "a b", "017.0.0.1", "*", "*.*.x"])
def test_a_faulty_entry_of_the_list_is_named(entry: str) -> None:
    """The operator's owner learns at start which entry cannot be used."""
    with pytest.raises(ConfigurationError, match="allowed address"):
        AddressPolicy([entry])


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "0.0.0.0", "fe80::1%eth0", "::ffff:169.254.169.254", "127.0.0.1"]
)
def test_an_allowed_name_may_not_resolve_to_a_forbidden_address(address: str) -> None:
    """The list allows the name, not everything that a name server says of it."""
    with pytest.raises(AddressForbidden, match="ric resolves to"):
        AddressPolicy(["ric"]).check_address("ric", address, 80)


def test_loopback_is_allowed_only_when_listed_as_such() -> None:
    """By range or address for any allowed name, or by the name localhost."""
    AddressPolicy(["ric", "127.0.0.0/8"]).check_address("ric", "127.0.0.1", 80)
    AddressPolicy(["localhost"]).check_address("localhost", "127.0.0.1", 80)
    with pytest.raises(AddressForbidden, match=r"allow 127\.0\.0\.1"):
        AddressPolicy(["ric", "127.0.0.0/8:81"]).check_address("ric", "127.0.0.1", 80)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server on the loopback address that answers, and redirects from /away."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="here")

    async def away(_: web.Request) -> web.Response:
        raise web.HTTPFound("/")

    application = web.Application()
    application.add_routes([web.get("/", answer), web.get("/away", away)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


async def test_a_connection_goes_to_the_very_address_that_was_checked(port: int) -> None:
    """The name exists in no name server but the one that was asked, once."""
    book = Book(["127.0.0.1"])
    policy = AddressPolicy(["ric", "127.0.0.1"])
    async with guarded_session(policy, resolver=book) as session, session.get(f"http://ric:{port}/") as response:
        assert await response.text() == "here"
    assert book.calls == 1


async def test_a_name_that_is_bound_anew_is_checked_anew(port: int) -> None:
    """The second connection resolves again, to a metadata address, and is not made."""
    book = Book(["127.0.0.1"], ["169.254.169.254"])
    async with guarded_session(AddressPolicy(["ric", "127.0.0.1"]), resolver=book) as session:
        async with session.get(f"http://ric:{port}/", headers={"Connection": "close"}) as response:
            assert response.status == 200
        with pytest.raises(AddressForbidden, match=r"ric resolves to 169\.254\.169\.254"):
            await session.get(f"http://ric:{port}/")


async def test_one_forbidden_address_among_several_spoils_all(port: int) -> None:
    """No fallback from a good address to a bad one."""
    book = Book(["127.0.0.1", "169.254.169.254"])
    async with guarded_session(AddressPolicy(["ric", "127.0.0.1"]), resolver=book) as session:
        with pytest.raises(AddressForbidden):
            await session.get(f"http://ric:{port}/")


async def test_a_name_that_does_not_resolve_is_an_ordinary_failure() -> None:
    """Callers tell a missing name from a forbidden one."""

    class Nobody(Book):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            raise OSError("no such name")

    async with guarded_session(AddressPolicy(["ric"]), resolver=Nobody()) as session:
        with pytest.raises(aiohttp.ClientConnectorDNSError):
            await session.get("http://ric:1/")
