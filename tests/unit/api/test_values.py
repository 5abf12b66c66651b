"""Durations as Go writes them, and endpoints."""

from __future__ import annotations

import msgspec
import pytest

from nephoran.api.values import Duration, Endpoint
from steady.clock import seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", 0),
        ("30s", 30),
        ("250ms", 0.25),
        ("1m30s", 90),
        ("1.5h", 5400),
        ("2h45m10s", 9910),
        ("10us", 1e-5),
        ("10µs", 1e-5),
        ("10μs", 1e-5),
        ("7ns", 7e-9),
    ],
)
def test_a_duration_is_read_in_seconds(text: str, expected: float) -> None:
    """Every unit of Go's syntax, alone and combined; what the schema accepts can be read."""
    assert seconds(text) == pytest.approx(expected)
    assert msgspec.convert(text, Duration) == text


@pytest.mark.parametrize("text", ["", "30", "s", "30 s", "1m 30s", "-5s", "5d", "1e3s", ".5s", "30s\n", "s30", "1,5s"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    """The error quotes the text and says how to write it."""
    with pytest.raises(ValueError, match="is no duration: write numbers with units"):
        seconds(text)


@pytest.mark.parametrize(
    "url",
    [
        "http://near-rt-ric:38080",
        "https://custom-ric.example.com:9443",
        "http://ric.oran.svc.cluster.local",
        "http://[2001:db8::1]:38080/e2",
        "http://192.0.2.7:8080/base/path/",
    ],
)
def test_any_address_with_a_path_is_an_endpoint(url: str) -> None:
    """Full names, IPv6 and paths, which the earlier patterns refused."""
    assert msgspec.convert(url, Endpoint) == url


@pytest.mark.parametrize(
    "url", ["near-rt-ric:38080", "ftp://ric", "http://", "http://user:secret@ric", "http://ric/?a=b", "http://ric/a b"]
)
def test_credentials_queries_and_other_schemes_are_no_endpoint(url: str) -> None:
    """What could leak a secret or is no base of a path is refused."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(url, Endpoint)
