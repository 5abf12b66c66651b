"""Spans of OpenTelemetry, for those who give a tracer. Nothing of it is imported where nobody does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from steady.errors import redacted
from steady.trace import current

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

_LONGEST = 1024  # characters of an error's text


class Spans:
    """Makes spans by `tracer` (opentelemetry-api). What failed is told by its type and its text without credentials."""

    def __init__(self, tracer: Tracer) -> None:
        from opentelemetry import context, trace  # noqa: PLC0415 - who gives a tracer has it

        self._tracer = tracer
        self._error = trace.StatusCode.ERROR
        self._now = context.get_current

    def context(self) -> Context:
        """The span at work here, as what others may begin theirs from."""
        return self._now()

    @contextmanager
    def span(self, name: str, attributes: Mapping[str, str], within: Context | None = None) -> Iterator[Span]:
        """A span around what happens within; its parent is the one at work, or that of `within`."""
        with self._tracer.start_as_current_span(
            name, context=within, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:
                self.failed(span, type(error).__name__, str(error))
                raise

    @contextmanager
    def phase(self, name: str, timer: AbstractContextManager[object]) -> Iterator[None]:
        """A span around one phase of the reconcile at work, which `timer` measures; its requests belong to it."""
        with self.span(name, {}), timer:
            trace = current()
            if trace is None:
                yield
                return
            outer, trace.span = trace.span, self._now()
            try:
                yield
            finally:
                trace.span = outer

    def failed(self, span: Span, kind: str, text: str = "") -> None:
        """What `span` is about has failed."""
        message = redacted(text)[:_LONGEST]
        span.set_status(self._error, f"{kind}: {message}" if message else kind)
        span.set_attribute("error.type", kind)
