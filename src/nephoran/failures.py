"""How long to wait after which error: what the operator adds to the runtime's rules.

Our own errors say it themselves (`error_type`). Libraries that the runtime does not know are placed here, by name, so
that none is imported for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from steady.backoff import BackoffConfig, BackoffManager, ErrorType, Rule, by_status

_TRANSIENT, _PERMANENT, _RESOURCE = ErrorType.TRANSIENT, ErrorType.PERMANENT, ErrorType.RESOURCE
_VALIDATION = ErrorType.VALIDATION

LIBRARIES: Final[Mapping[str, Rule]] = {
    "pygit2.GitError": _TRANSIENT,
    "pygit2.AlreadyExistsError": _RESOURCE,
    "pygit2.AmbiguousError": _RESOURCE,
    "pygit2.NotFoundError": _RESOURCE,
    "pygit2.AuthError": _PERMANENT,
    "pygit2.CertificateError": _PERMANENT,
    "pygit2.InvalidError": _VALIDATION,
    "pygit2.InvalidSpecError": _VALIDATION,
    "pygit2.Passthrough": _TRANSIENT,
    # The endpoint's answers go by their code; what a model says is not the same twice, so a bad answer may be a
    # good one next time, but a refusal or a cut is one of this very text.
    "openai.OpenAIError": _TRANSIENT,
    "openai.APIStatusError": by_status,
    "openai.LengthFinishReasonError": _VALIDATION,
    "openai.ContentFilterFinishReasonError": _VALIDATION,
    "openai.SubjectTokenProviderError": _PERMANENT,
    "openai.InvalidWebhookSignatureError": _PERMANENT,
    "openai.MutuallyExclusiveAuthError": _PERMANENT,
    "openai.MissingDependencyError": _PERMANENT,
    "openai.MissingStreamClassError": _PERMANENT,
    "openai.APIRemovedInV1": _PERMANENT,
    "openai._AmbiguousModuleClientUsageError": _PERMANENT,
    "openai._TransientTokenExchangeError": _TRANSIENT,
    "openai.ResponsesWebSocketError": _TRANSIENT,
    "openai.ResponsesWebSocketBufferError": _TRANSIENT,
    "openai.ToolRunnerError": _TRANSIENT,
    "openai.DecisionsToolRunnerError": _TRANSIENT,
    "openai.ComputerUseError": _TRANSIENT,
    "openai.BrowserError": _TRANSIENT,
    "openai.BrowserCancelledError": _TRANSIENT,
}
"""Rules by "package.Class"; the nearest class in an error's line of descent counts."""


def backoff(config: Mapping[ErrorType, BackoffConfig] | None = None) -> BackoffManager:
    """A manager that knows the operator's libraries; `config` replaces the defaults by type."""
    manager = BackoffManager(config)
    for name, rule in LIBRARIES.items():
        manager.register(name, rule)
    return manager
