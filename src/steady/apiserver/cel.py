"""CEL rules of structural schemas (`x-kubernetes-validations`): compiled at install, run on every write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from cel_expr_python import cel

from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause

_WORDS: Mapping[str, str] = {
    "FieldValueRequired": "Required value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueDuplicate": "Duplicate value",
}

_env = cel.NewEnv(variables={"self": cel.Type.DYN, "oldSelf": cel.Type.DYN})


class BadRule(ValueError):
    """A rule that cannot be compiled; the message says why."""


class Rule(NamedTuple):
    """One compiled rule."""

    expression: Any
    message_expression: Any
    message: str
    reason: str
    field: str
    transition: bool

    def broken(self, value: Any, old: Any, path: str) -> Cause | None:
        """What is wrong with `value`, if the rule does not hold. Transition rules hold where there is no `old`."""
        if self.transition and old is None:
            return None
        data = {"self": value} | ({"oldSelf": old} if self.transition else {})
        result = self.expression.eval(data=data)
        if result.type() == cel.Type.BOOL and result.value() is True:
            return None
        why = self._said(data) if result.type() == cel.Type.BOOL else f"rule error: {result.value()}"
        word = _WORDS.get(self.reason, "Invalid value")
        return Cause(self.reason, f"{word}: {why}", path + self.field)

    def _said(self, data: Json) -> str:
        if self.message_expression is not None:
            said = self.message_expression.eval(data=data)
            if said.type() == cel.Type.STRING:
                return str(said.value())
        return self.message


def compiled(declared: Json) -> Rule:
    """The rule that a schema declares. Raises BadRule for bad syntax and for functions that CEL does not know."""
    text = str(declared.get("rule", ""))
    message_expression = declared.get("messageExpression")
    return Rule(
        _compiled(text),
        _compiled(message_expression) if message_expression else None,
        declared.get("message") or f"failed rule: {text}",
        declared.get("reason") or "FieldValueInvalid",
        declared.get("fieldPath", ""),
        "oldSelf" in text,
    )


def _compiled(text: str) -> Any:
    try:
        return _env.compile(text)
    except RuntimeError as error:
        raise BadRule(str(error).removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]")) from error


def type_name(value: Any) -> str:
    """The JSON type of `value`, as the server names it."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(type(value), "null")
