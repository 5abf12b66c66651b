"""What the classifier's tests share: every exception class of a library, and an instance of each that misleads."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

_ERROR = re.compile(r"Error|Exception|\braise\b")

MISLEADING = (
    "networkintents.nephoran.com is forbidden: too many requests; information: could not find the requested resource, "
    "quota exceeded, rate limit, throttled, unauthorized, permission denied, conflict, invalid schema, validation"
)
"""Words of every type of error, of which none may count where the class or a code says what it is."""


@cache
def exceptions_of(package: str) -> dict[str, type[Exception]]:
    """Every error that `package` itself defines, by "package.Class"; no warnings, and nothing that ends a task."""
    found = {}
    for module in _modules(package):
        for value in list(vars(module).values()):
            if not (isinstance(value, type) and issubclass(value, Exception)) or issubclass(value, Warning):
                continue
            if value.__module__.partition(".")[0].lstrip("_") == package:
                found[f"{package}.{value.__name__}"] = value
    return found


def bare(kind: type[Exception], **attributes: object) -> Exception:
    """An instance that never ran its constructor, with a misleading text and `attributes`."""
    error = kind.__new__(kind, MISLEADING)
    error.args = (MISLEADING,)
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


def _modules(package: str) -> Iterator[ModuleType]:
    """The package, and each of its modules that raises something or speaks of errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = importlib.import_module(package)
        yield root
        for folder in map(Path, getattr(root, "__path__", ())):
            for path in sorted(folder.rglob("*.py")):
                if path.name == "__main__.py" or not _ERROR.search(path.read_text(encoding="utf-8")):
                    continue
                name = ".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
                try:
                    yield importlib.import_module(name)
                except ModuleNotFoundError:
                    continue  # an extra that is not installed: what cannot be imported raises nothing
