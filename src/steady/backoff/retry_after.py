"""How long a server asks to be left alone: the header `Retry-After` (RFC 9110, 10.2.3)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from steady.backoff.config import LONGEST
from steady.clock import Clock
from steady.errors import SteadyError


def seconds(text: str | None, now: datetime) -> float | None:
    """The seconds that the header's `text`, a number or a date, asks for; None where it says nothing."""
    if not text:
        return None
    try:
        asked = float(text)
    except ValueError:
        asked = _until(text, now)
    return min(max(asked, 0.0), LONGEST) if math.isfinite(asked) else None


def asked_by(error: BaseException, clock: Clock) -> float:
    """The seconds that `error` asks to wait, 0 where it does not; at most a day.

    Our own errors and those that follow them say `retry_after`; others carry the answer's headers.
    """
    own = getattr(error, "retry_after", None)
    if isinstance(own, int | float):
        return min(max(own, 0.0), LONGEST) if math.isfinite(own) else 0.0
    if isinstance(error, SteadyError):
        return 0.0
    headers = getattr(error, "headers", None) or getattr(getattr(error, "response", None), "headers", None)
    get = getattr(headers, "get", None)
    text = get("Retry-After") if callable(get) else None
    return seconds(text, clock.now()) or 0.0 if isinstance(text, str) else 0.0


def _until(text: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return math.nan
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
