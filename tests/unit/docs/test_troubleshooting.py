"""docs/troubleshooting.md has a section for every reason that our conditions and Events can show, and for no other."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import nephoran
import steady
from nephoran.api.e2nodeset import NodeSetPhase
from nephoran.intent.sanitise import Rejected
from nephoran.intent.verify import Reason as Verdict
from steady.backoff.classification import _REASONS
from steady.controller.conditions import SUSPENDED, reason_of
from steady.errors import SteadyError
from tests.unit.docs.pages import DOCS

PAGE = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
ASIDE = ("steady.apiserver", "steady.testing", "nephoran.cli")
MAKERS = {"true", "false", "unknown", "Refusal"}
"""Functions whose second argument is a reason; that of an Event is the one after its type."""

COMPUTED = {
    "verdict.reason": set(get_args(Verdict)),
    "error.reason": set(get_args(get_type_hints(Rejected.__init__)["reason"])),
    "refusal.reason": set[str](),  # what a Refusal is made with
    "SUSPENDED": {SUSPENDED},
    "f'E2Nodes{phase(situation).value}'": {f"E2Nodes{phase}" for phase in NodeSetPhase},
    "reason_of(error)": set[str](),  # see `errors`
}
UNSEEN = {
    "SteadyError", "TransportError", "ApiError",  # families, of which only members are raised
    "Gone",  # ends the work: the object is not there to show it
    "Throttled",  # told by an Event, HotLoop
    "Silence",  # ends a watch, which begins anew
    "NotLeader",  # ends the process
    "SchemaError",  # a kind that cannot be declared: nothing starts
    "Refusal",  # shows the reason that it is made with
    "ServerError",  # the server's own reason, or InternalError
}  # fmt: skip


def modules() -> Iterator[str]:
    """All modules whose reasons may reach an object."""
    for package in (steady, nephoran):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(ASIDE):
                yield module.name


def stated(source: str) -> Iterator[str]:
    """The reasons that a module gives to conditions and Events; one that cannot be told from the code is an error."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    loose = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    for scope in [*functions, *loose]:
        for call in ast.walk(scope):
            if isinstance(call, ast.Call) and (argument := _reason(call)):
                yield from _values(argument, scope)


def _reason(call: ast.Call) -> ast.expr | None:
    """The argument of a call that is a reason."""
    name = ast.unparse(call.func).rpartition(".")[2]
    if name in MAKERS and len(call.args) > 1:
        return call.args[1]
    types = [n for n, it in enumerate(call.args) if isinstance(it, ast.Constant) and it.value in {"Normal", "Warning"}]
    return call.args[types[0] + 1] if types and name in {"event", "record"} else None


def _values(argument: ast.expr, function: ast.AST) -> set[str]:
    if isinstance(argument, ast.Constant):
        return {str(argument.value)}
    if (text := ast.unparse(argument)) in COMPUTED:
        return COMPUTED[text]
    if isinstance(argument, ast.Name):
        found = [value for value in _assigned(argument.id, function) if value is not None]
        strings = {it.value for value in found for it in ast.walk(value) if isinstance(it, ast.Constant)}
        if found:
            return {value for value in strings if isinstance(value, str)}
    raise AssertionError(f"line {argument.lineno}: which reasons may {text} be? Tell it in COMPUTED")


def _assigned(name: str, function: ast.AST) -> Iterator[ast.expr | None]:
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == name:
                yield node.value
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=True)
                yield from (value for each, value in pairs if isinstance(each, ast.Name) and each.id == name)


def errors() -> set[str]:
    """What `reason_of` says of our own errors, of those of the API server, and of a deadline that has passed."""
    kinds = [kind for kind in _descendants(SteadyError) if kind.__module__ in set(modules())]
    return {_word(kind) for kind in kinds} - UNSEEN | _REASONS.keys() | {reason_of(TimeoutError())}


def _word(kind: type[BaseException]) -> str:
    reason = getattr(kind, "reason", "")
    return reason if isinstance(reason, str) and reason else kind.__name__


def _descendants(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def shown() -> set[str]:
    """Every reason that there may be."""
    files = [Path(importlib.import_module(name).__file__ or "") for name in modules()]
    said = {reason for file in files for reason in stated(file.read_text(encoding="utf-8"))}
    return said | errors()


def documented() -> list[str]:
    """The reasons in the headings."""
    headings = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
    return [reason for heading in headings for reason in re.findall(r"`(\w+)`", heading)]


def test_every_reason_has_its_section_and_no_section_is_left_over() -> None:
    """Each once. A new reason, or a new class of error, fails until the page says what to do about it."""
    assert sorted(documented()) == sorted(shown())


def test_every_section_says_something() -> None:
    """More than its heading."""
    sections = re.findall(r"^### (.+)\n([^#]*)", PAGE, re.MULTILINE)
    assert [heading for heading, text in sections if len(text.split()) < 4] == []


def test_a_new_reason_is_found() -> None:
    """In any of the ways in which the code says one."""
    code = 'def f():\n    a = true("A", "One")\n    reason = "Two" if a else "Three"\n    return false("A", reason)'
    assert set(stated(code)) == {"One", "Two", "Three"}
    with pytest.raises(AssertionError, match="COMPUTED"):
        set(stated('def f(x):\n    return true("Ready", x.word)'))


def test_everything_unseen_exists() -> None:
    """The list of exceptions does not outlive what it excepts."""
    assert UNSEEN - {kind.__name__ for kind in _descendants(SteadyError)} == {"SteadyError"}
