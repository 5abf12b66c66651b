"""What the classifier's tests share: every exception class of a library, and an instance of each that misleads."""

from __future__ import annotations

import importlib
import pkgutil
import warnings
from collections.abc import Iterator
from types import ModuleType

MISLEADING = (
    "networkintents.nephoran.com is forbidden: too many requests; information: could not find the requested resource, "
    "quota exceeded, rate limit, throttled, unauthorized, permission denied, conflict, invalid schema, validation"
)
"""Words of every type of error, of which none may count where the class or a code says what it is."""


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root = importlib.import_module(package)
        yield root
        for info in pkgutil.walk_packages(root.__path__ if hasattr(root, "__path__") else [], f"{package}."):
            if info.name.endswith(".__main__") or info.name == "aiohttp.pytest_plugin":
                continue
            try:
                yield importlib.import_module(info.name)
            except ModuleNotFoundError:
                continue  # an extra that is not installed: what cannot be imported raises nothing
