"""Every error ctxe raises on purpose, by who reads it.

CtxeError                one line and a hint for the user; the exit code of the process
  ConfigError 3          settings, keys
    UnknownModel         a model whose window nobody stated
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
ToolError                the model: becomes a tool result and never ends a turn
"""

from __future__ import annotations


class CtxeError(Exception):
    """One line for the user, and what to do about it. ``exit_code`` is that of the process."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(CtxeError):
    """Settings, keys or model names that cannot be used."""

    exit_code = 3


class UnknownModel(ConfigError):
    """A model whose window nobody stated; ``name`` is what the user called it."""

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
    """Too many requests; ``seconds`` is how long the provider wants us to wait."""

    def __init__(self, message: str, hint: str = "", seconds: float | None = None) -> None:
        super().__init__(message, hint)
        self.seconds = seconds


class ContextOverflow(ProviderError):
    """The provider says the request is longer than the model's window, which has ``window`` tokens, if it says so."""

    def __init__(self, message: str, hint: str = "", window: int = 0) -> None:
        super().__init__(message, hint)
        self.window = window


class BadRequest(ProviderError):
    """The provider refuses the request as it stands; asking again would not help."""


class BadReply(ProviderError):
    """An answer that cannot be used: cut off, empty or garbled."""


class Unreachable(ProviderError):
    """No connection to the provider."""


class SessionError(CtxeError):
    """A session log that is missing, in use or cannot be read."""

    exit_code = 6


class NewerSession(SessionError):
    """A session log of a version of ctxe that is still to come here."""


class StoreError(CtxeError):
    """A file of ours cannot be read or written; the message names the file and the cause."""

    exit_code = 7


class CostLimit(CtxeError):
    """The money that the user allowed for this session is spent."""

    exit_code = 8


class ToolError(Exception):
    """Told to the model as the result of its call; the turn goes on."""


class NotApplied(ToolError):
    """An edit whose place is not in the file, or not in it once: the file is other than the model took it to be."""


class Denied(ToolError):
    """A rule or a person does not allow a call; told to the model, never ends a turn."""
