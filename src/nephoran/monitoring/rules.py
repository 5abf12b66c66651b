"""What a rule is, and how Prometheus reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from steady.errors import ConfigurationError

RUNBOOKS: Final = "docs/runbooks"


class Options(msgspec.Struct, frozen=True):
    """What differs from place to place: the `job` that scrapes the operator, and where its runbooks are (a URL)."""

    job: str = "nephoran"
    runbooks: str = RUNBOOKS

    def __post_init__(self) -> None:
        """Raise ConfigurationError for a job that would break the expressions that it stands in."""
        if not re.fullmatch(r"[\w./:-]+", self.job):
            raise ConfigurationError(f"job {self.job!r}: expected letters, digits and any of _ . / : -")


DEFAULTS: Final = Options()


class Severity(StrEnum):
    """Whether somebody is woken for it (critical), or looks at it in working hours (warning)."""

    CRITICAL = "critical"
    WARNING = "warning"


class Recording(msgspec.Struct, frozen=True):
    """A series that Prometheus keeps under the name `record`. `$job` in an expression is the scraping job."""

    record: str
    expr: str

    def rule(self, options: Options) -> dict[str, Any]:
        """As Prometheus reads it."""
        labels = {"job": options.job}
        return {"record": self.record, "expr": self.expr.replace("$job", options.job), "labels": labels}


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is told when `expr` has held for `wait`.

    `summary` says what is wrong in a line, `description` what it means; both may use Prometheus' templates.
    """

    name: str
    expr: str
    severity: Severity
    summary: str
    description: str
    wait: str = "5m"

    @property
    def page(self) -> str:
        """The file name of its runbook: HighErrorRate has high-error-rate.md."""
        return "-".join(re.findall("[A-Z][a-z0-9]*", self.name)).lower() + ".md"

    def rule(self, options: Options) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expr.replace("$job", options.job),
            "for": self.wait,
            "labels": {"job": options.job, "severity": str(self.severity)},
            "annotations": {
                "summary": self.summary,
                "description": self.description.replace("$job", options.job),
                "runbook_url": f"{options.runbooks.rstrip('/')}/{self.page}",
            },
        }


class Group(msgspec.Struct, frozen=True):
    """Rules that are evaluated together, in order."""

    name: str
    rules: Sequence[Recording | Alert]

    def group(self, options: Options) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {"name": self.name, "rules": [rule.rule(options) for rule in self.rules]}
