"""Failures that teach nothing the first time: reading what is not there, or running a program written for one call."""

from __future__ import annotations

import re

from ctxe.domain.pattern import pattern
from ctxe.knowledge.failures.calls import only_looks, runs_something
from ctxe.knowledge.failures.commands import program

ELSEWHERE = frozenset(
    {"aws", "az", "curl", "docker ps", "gcloud", "gh", "git clone", "git fetch", "git ls-remote", "git pull"}
    | {"git push", "git remote", "kubectl", "ping", "scp", "ssh", "wget"}
)
"""Programs whose outcome depends on no file of the project."""
_SILENT = pattern(r"exit code \d+")
_FOR_ONE_CALL = pattern(
    r"(?<!<)<<-?\s*['\"]?\w|\b(?:python[\d.]*|node|bun|deno|ruby|perl|php|(?:ba|z|da)?sh)(?:\s+eval)?\s+-(?:[a-z]*c"
    r"|e|r)\s"
)
_MESSAGE = pattern(r"\$\(cat\s+<<.*", re.DOTALL)
"""Text that is only passed on, such as a commit message."""
_AT_THAT_MOMENT = pattern(
    r"could not apply|Automatic merge failed|\bCONFLICT\b|Not possible to fast-forward|would be overwritten by"
    r"|nothing to commit|have diverged|\[rejected\]|\bcd: |timed out after|unmerged files|parse error near"
    r"|unexpected EOF while looking|no matches found:|cannot (?:remove|stat) .*: No such file",
    re.IGNORECASE,
)
"""Errors of a passing state, or typing errors: no property of the project."""

_OUTSIDE = pattern(
    r"connection (?:refused|reset|aborted|closed|error)|timed out|TimeoutError\b|(?:connect|gateway|lock|read"
    r"|request) ?timeout"
    r"|timeout (?:after|exceeded|expired|while)|temporary failure|temporarily|try again|name resolution|resolve host"
    r"|network (?:is|error|unreachable)|(?:host|server|daemon) (?:is )?unreachable|address already in use"
    r"|could not get lock|unable to (?:lock|acquire|connect|access)|index\.lock|is locked|is the docker daemon"
    r"|too many requests|rate limit|bad gateway|service unavailable|remote end hung up|no space left|could not connect"
    r"|(?:HTTP|status|code|error)[ :/=\d.]{0,10}(?:429|50[234])\b|failed to connect|cannot connect|connect call failed"
    r"|\b(?:EADDRINUSE|EAI_AGAIN|EBUSY|ECONN\w+|ENOTFOUND|ETIMEDOUT)\b|is starting up|not ready yet",
    re.IGNORECASE,
)
"""Errors of something outside the project, which may be gone a moment later."""


def is_slip(command: str, error: str, *, tests: bool = False) -> bool:
    """Whether a failed command (as it was run) is useless to later sessions unless it fails again.

    ``error`` is the text that is kept of the error; ``tests``: it named failing tests.
    """
    if tests:
        return False
    bare = _MESSAGE.sub("", command)
    looks = only_looks(command) and not runs_something(command)
    once = bool(_FOR_ONE_CALL.search(bare)) or bare.strip().count("\n") > 1
    return looks or once or is_silent(error) or bool(_AT_THAT_MOMENT.search(error))


def is_silent(error: str) -> bool:
    """Whether the error says no more than its exit code."""
    return bool(_SILENT.fullmatch(error))


def is_outside_error(error: str, command: str = "") -> bool:
    """Whether an error comes from outside the project, so that a retry may succeed.

    Includes a ``command`` whose outcome no file decides (``gh pr checks``), unless it printed an error.
    """
    return bool(_OUTSIDE.search(error)) or (is_silent(error) and program(command) in ELSEWHERE)
