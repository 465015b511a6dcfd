"""Every error ctxe raises on purpose, by who reads it.

CtxeError                one line and a hint for the user; the exit code of the process
  ConfigError 3          settings, keys
    UnknownModel         a model whose window is not known
  BudgetError 4          what must be sent does not fit
  ProviderError 5        the model's side
    AuthError            key missing, refused or without rights
    QuotaError           no credit left
    RateLimited          too many requests, after all retries
    ContextOverflow      the provider says the request is too long
    BadRequest           the provider refuses the request itself
    BadReply             an answer that cannot be used (cut, empty, garbled), after all retries
    Unreachable          no connection, after all retries
  SessionError 6         a session log that cannot be used
  StoreError 7           the memory folder or another file cannot be read or written
  CostLimit 8            the money the user allowed is spent
ToolError                for the model: becomes a tool result and never ends a turn
"""

from __future__ import annotations


class CtxeError(Exception):
    """One line for the user, and a hint what to do about it. ``exit_code`` is that of the process."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(CtxeError):
    """Settings, keys or model names that cannot be used."""

    exit_code = 3


class UnknownModel(ConfigError):
    """A model whose window is not known; ``name`` is what the user called it."""

    def __init__(self, message: str, hint: str = "", name: str = "") -> None:
        super().__init__(message, hint)
        self.name = name


class BudgetError(CtxeError):
    """What must be in the request does not fit; the message names each part with its tokens."""

    exit_code = 4


class ProviderError(CtxeError):
    """The model's side failed."""

    exit_code = 5


class AuthError(ProviderError):
    """The key is missing, refused, or has no rights for this model."""


class QuotaError(ProviderError):
    """The account has no credit left."""


class RateLimited(ProviderError):
    """Too many requests; ``seconds`` is how long the provider asks us to wait."""

    def __init__(self, message: str, hint: str = "", seconds: float | None = None) -> None:
        super().__init__(message, hint)
        self.seconds = seconds


class ContextOverflow(ProviderError):
    """The provider says that the request exceeds the model's window of ``window`` tokens (0: not stated)."""

    def __init__(self, message: str, hint: str = "", window: int = 0) -> None:
        super().__init__(message, hint)
        self.window = window


class BadRequest(ProviderError):
    """The provider refuses the request as it stands; a retry would not help."""


class BadReply(ProviderError):
    """An answer that cannot be used: cut off, empty or garbled."""


class Unreachable(ProviderError):
    """No connection to the provider."""


class SessionError(CtxeError):
    """A session log that is missing, in use or cannot be read."""

    exit_code = 6


class NewerSession(SessionError):
    """A session log written by a newer version of ctxe."""


class StoreError(CtxeError):
    """A file of ctxe's own cannot be read or written; the message names the file and the cause."""

    exit_code = 7


class CostLimit(CtxeError):
    """The money that the user allowed for this session is spent."""

    exit_code = 8


class ToolError(Exception):
    """Becomes the result of a call that the model reads; the turn goes on."""


class NotApplied(ToolError):
    """An edit whose old text is not in the file, or not exactly once: the file differs from what the model assumed."""


class Denied(ToolError):
    """A rule or a person does not allow a call; the model is told, and the turn goes on."""
