"""What hands that other tools have trained type here, and what does it instead: slash commands, options, commands."""

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
"""A slash command of theirs, and ours that does the same."""

_READS = "/approve read-only lets the model only read and propose a plan; Shift-Tab changes it, too"
_CHECKS = "commands that check every edit or turn stand in checks.edits and checks.turn (`ctxe config set`)"
_KEY = "keys are read from ANTHROPIC_API_KEY or OPENAI_API_KEY; `ctxe doctor` tells what is found"
_ONE_ROOT = "a session works in one folder; /read-only FILE puts a file of another before the model"
_COLOURS = "colours are those of your terminal's theme; NO_COLOR takes them away"

ADVICE = {
    "ask": _READS,
    "architect": _READS,
    "chat-mode": _READS,
    "code": "/approve ask or /approve auto-edit lets the model change files again",
    "lint": _CHECKS,
    "hooks": _CHECKS,
    "agents": "the model asks a delegate by itself where much is to be read; delegate.model chooses who answers",
    "theme": _COLOURS,
    "vim": "`ctxe config set screen.keys vi` gives the line the keys of vi",
    "editor": "Ctrl-X Ctrl-E opens the line in your editor",
    "doctor": "`ctxe doctor` in a shell, or !ctxe doctor",
    "login": _KEY,
    "logout": _KEY,
    "add-dir": _ONE_ROOT,
    "directory": _ONE_ROOT,
    "git": "!git … runs it, and its output goes with your next words",
    "sandbox": "commands run in a sandbox where there is one; tools.sandbox sets it, `ctxe doctor` tells which",
    "tools": "/context --explain lists the tools with what they cost, /mcp those of servers",
    "background": "!COMMAND & runs it in the background, Ctrl-B sends one there; /jobs lists them",
    "version": "`ctxe --version` in a shell",
}
"""What no slash command does here, and what does."""

_APPROVAL = "who decides what runs is set by --approval ask, auto-edit, auto or read-only"
_WORDS = 'words stand in quotes: ctxe "mend the test", or ctxe -p "…" for one answer'
_RULES = "lasting instructions stand in AGENTS.md (CLAUDE.md, GEMINI.md are read too); --read FILE adds one"
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
    **dict.fromkeys(("--session-id", "--session"), "--resume ID goes on with a session, -c with the last"),
    **dict.fromkeys(("--cd", "--cwd", "--dir"), "-C DIR"),
    "-m": '--model names a model; words stand in quotes: ctxe -p "…"',
    "--max-turns": "--max-steps",
    "--max-budget-usd": "--max-cost",
    "--json": "--output-format json or stream-json, with -p",
    "--image": 'a picture is named in the words: ctxe "what is wrong in @shot.png"',
    "-v": "--version",
    "--verbose": "--debug shows where an error of ctxe arose; /context and /output show what was sent and what came",
}
"""An option of theirs, and what does it here."""

COMMANDS = {
    **dict.fromkeys(("exec", "run", "e"), _PASSING),
    **dict.fromkeys(("resume", "continue"), "ctxe -r picks a session, ctxe -c goes on with the last"),
    **dict.fromkeys(("login", "logout", "auth", "setup-token"), _KEY),
    **dict.fromkeys(("update", "upgrade"), "ctxe is renewed the way it was installed (pipx upgrade, uv tool upgrade)"),
    **dict.fromkeys(("models", "model"), "ctxe --model NAME, or `ctxe config set model.name NAME`"),
    **dict.fromkeys(("stats", "usage"), "ctxe cost"),
    "review": 'ctxe "/review"',
    "export": "ctxe sessions export",
    "serve": "ctxe mcp serves plan, memory and failures to other assistants",
}
"""A command of theirs, and what does it here."""
