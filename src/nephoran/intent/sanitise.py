"""What may be read as a sentence: text made regular, never rewritten. The text is data everywhere afterwards."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

from steady.backoff import ErrorType

LIMIT: Final = 2_000
"""Characters of a sentence, counted after normalisation."""

_RAW_LIMIT: Final = 10 * LIMIT
_JOINERS: Final = frozenset("\u200c\u200d")
"""Invisible, yet they carry meaning in Persian and Indic scripts and in emoji: they stay."""
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs"})
_CREDENTIALS: Final = re.compile(r"://[^\s/?#]*@")


class Rejected(Exception):
    """A text that is no sentence. `reason` is "Empty" or "TooLong"; the message says what to do."""

    error_type = ErrorType.VALIDATION

    def __init__(self, reason: Literal["Empty", "TooLong"], message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def sanitise(text: str) -> str:
    """The text in NFC, without control and bidirectional characters, white space collapsed; all else survives.

    Raises `Rejected` for nothing but an empty text or one over `LIMIT` characters.
    """
    if len(text) > _RAW_LIMIT:
        raise Rejected("TooLong", _too_long(len(text)))
    clean = " ".join(_regular(text).split())
    if not clean:
        raise Rejected("Empty", "the intent is empty: write one sentence that says what to deploy, scale or configure")
    if len(clean) > LIMIT:
        raise Rejected("TooLong", _too_long(len(clean)))
    return clean


def redact(text: str) -> str:
    """The text with the credentials of its URLs (`https://user:password@host`) replaced, fit to be echoed."""
    return _CREDENTIALS.sub("://***@", text)


def _regular(text: str) -> str:
    if text.isprintable() and unicodedata.is_normalized("NFC", text):
        return text
    return "".join(map(_visible, unicodedata.normalize("NFC", text)))


def _visible(char: str) -> str:
    if char.isspace():
        return " "
    if unicodedata.category(char) in _INVISIBLE and char not in _JOINERS:
        return ""
    return char


def _too_long(length: int) -> str:
    return f"the intent has {length} characters, at most {LIMIT} are read: split it into several intents"
