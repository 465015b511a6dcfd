"""Slash commands, options and commands that users of other tools type here, and what to use instead."""

from __future__ import annotations

SLASH = {
    "quit": "exit",
    "q": "exit",
    "bye": "exit",
    "reset": "new",
    "models": "model",
    "summarize": "compact",
    "compress": "compact",
    "map": "plan",
    "files": "ls",
    "read": "read-only",
    "mention": "add",
    "save": "export",
    "approval": "approve",
    "approvals": "approve",
    "permissions": "approve",
    "mode": "approve",
    "tokens": "context",
    "status": "context",
    "stats": "cost",
    "usage": "cost",
    "settings": "config",
    "think": "effort",
    "thinking": "effort",
    "reasoning": "effort",
    "todos": "todo",
    "tasks": "jobs",
    "bashes": "jobs",
    "checkpoints": "rewind",
    "back": "rewind",
    "restore": "undo",
    "continue": "resume",
}
"""Slash commands of other tools, and ours that do the same."""

_READS = "/approve read-only lets the model only read and propose a plan; Shift-Tab switches it too"
_CHECKS = "set the commands that check every edit or turn with checks.edits and checks.turn (`ctxe config set`)"
_KEY = "keys are read from ANTHROPIC_API_KEY or OPENAI_API_KEY; `ctxe doctor` shows which are set"
_ONE_ROOT = "a session works in one folder; /read-only FILE shows the model a file from another"
_COLOURS = "colours come from your terminal's theme; NO_COLOR turns them off"

ADVICE = {
    "ask": _READS,
    "architect": _READS,
    "chat-mode": _READS,
    "code": "/approve ask or /approve auto-edit lets the model change files again",
    "lint": _CHECKS,
    "hooks": _CHECKS,
    "agents": "the model asks a delegate by itself when there is much to read; delegate.model sets which model answers",
    "theme": _COLOURS,
    "vim": "`ctxe config set screen.keys vi` turns on vi keys",
    "editor": "Ctrl-X Ctrl-E opens the line in your editor",
    "doctor": "`ctxe doctor` in a shell, or !ctxe doctor",
    "login": _KEY,
    "logout": _KEY,
    "add-dir": _ONE_ROOT,
    "directory": _ONE_ROOT,
    "git": "!git … runs it, and its output is sent with your next words",
    "sandbox": "commands run in a sandbox where there is one; tools.sandbox sets it, `ctxe doctor` shows which",
    "tools": "/context --explain lists the tools and their tokens, /mcp those of servers",
    "background": "!COMMAND & runs it in the background, Ctrl-B sends one there; /jobs lists them",
    "version": "`ctxe --version` in a shell",
}
"""Slash commands of other tools that have none like them here, and what to use instead."""

_APPROVAL = "set who decides what runs with --approval ask, auto-edit, auto or read-only"
_WORDS = 'put your words in quotes: ctxe "mend the test", or ctxe -p "…" for one answer'
_RULES = "put lasting instructions in AGENTS.md (CLAUDE.md and GEMINI.md are read too); --read FILE adds one"
_PASSING = 'one answer, without questions: ctxe -p "…"'

OPTIONS = {
    **dict.fromkeys(("--yes", "-y", "--yes-always", "--yolo", "--full-auto", "--auto", "--approval-mode"), _APPROVAL),
    **dict.fromkeys(("--dangerously-skip-permissions", "--permission-mode", "-a", "--ask-for-approval"), _APPROVAL),
    **dict.fromkeys(("--dangerously-bypass-approvals-and-sandbox", "-s", "--sandbox"), _APPROVAL),
    **dict.fromkeys(("--architect", "--ask", "--chat-mode"), "--approval read-only: it reads and proposes a plan"),
    **dict.fromkeys(("--message", "--prompt", "-i", "--prompt-interactive", "-q", "--query"), _WORDS),
    **dict.fromkeys(("--system-prompt", "--append-system-prompt", "--conventions"), _RULES),
    **dict.fromkeys(("--add-dir", "--include-directories"), "a session works in one folder; --read FILE adds a file"),
    **dict.fromkeys(("--test-cmd", "--lint-cmd", "--lint", "--test", "--auto-test"), _CHECKS),
    **dict.fromkeys(("--session-id", "--session"), "--resume ID continues a session, -c the last one"),
    **dict.fromkeys(("--cd", "--cwd", "--dir"), "-C DIR"),
    "-m": '--model names a model; put your words in quotes: ctxe -p "…"',
    "--max-turns": "--max-steps",
    "--max-budget-usd": "--max-cost",
    "--json": "--output-format json or stream-json, with -p",
    "--image": 'name a picture in your words: ctxe "what is wrong in @shot.png"',
    "-v": "--version",
    "--verbose": "--debug shows where an error in ctxe came from; /context and /output show requests and outputs",
}
"""Options of other tools, and what to use here."""

COMMANDS = {
    **dict.fromkeys(("exec", "run", "e"), _PASSING),
    **dict.fromkeys(("resume", "continue"), "ctxe -r picks a session, ctxe -c continues the last one"),
    **dict.fromkeys(("login", "logout", "auth", "setup-token"), _KEY),
    **dict.fromkeys(("update", "upgrade"), "upgrade ctxe the way you installed it (pipx upgrade, uv tool upgrade)"),
    **dict.fromkeys(("models", "model"), "ctxe --model NAME, or `ctxe config set model.name NAME`"),
    **dict.fromkeys(("stats", "usage"), "ctxe cost"),
    "review": 'ctxe "/review"',
    "export": "ctxe sessions export",
    "serve": "ctxe mcp serves plan, memory and failures to other assistants",
}
"""Commands of other tools, and what to use here."""
