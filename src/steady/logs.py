"""Log lines for machines: one JSON object a line, with the reconcile that caused it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec

from steady.trace import current


class JsonFormatter(logging.Formatter):
    """Keys: `time` (RFC 3339, UTC), `level`, `logger`, `message`; within a reconcile `controller`, `object` and
    `reconcile`, its id; `error` with the traceback, where there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace := current():
            line |= {"controller": trace.controller, "object": trace.key, "reconcile": trace.id}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()
