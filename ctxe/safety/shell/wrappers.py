"""Programs that run other commands, and which words of theirs are these commands."""

from __future__ import annotations

from collections.abc import Iterator

from ctxe.lexical.tables import word_set
from ctxe.safety.shell.git_words import own_options
from ctxe.safety.shell.words import SimpleCommand, program

MOST_WRAPPER_WORDS = 24
"""Words of a wrapper from which an inner command may begin, at most."""

SHELLS = word_set("ash bash dash fish ksh sh zsh")
WRAPPERS = SHELLS | word_set(
    "builtin busybox bwrap catchsegv chroot chronic chrt command conda coproc cross-env dbus-run-session direnv"
    " distrobox docker doas dotenv dotenvx entr env exec faketime fakeroot fd fdfind find firejail flatpak-spawn flock"
    " hatch hyperfine ionice kubectl lima ltrace nerdctl nice nix-shell nodemon nohup npx nsenter numactl parallel pdm"
    " pipenv pkexec podman poetry prlimit proot proxychains proxychains4 pueue rlwrap runuser rye screen script"
    " setarch setpriv setsid sg ssh start-stop-daemon stdbuf strace su sudo systemd-run taskset time timeout tmux"
    " torify torsocks toybox unbuffer unshare uv valgrind watch watchexec wsl xargs xvfb-run"
)
"""Programs whose arguments may be a command: each rest of their words is checked as one."""
CARRIERS = {
    **dict.fromkeys(word_set("npm pnpm yarn bundle mise asdf rbenv pyenv nodenv"), word_set("exec x dlx")),
    **dict.fromkeys(word_set("aws-vault chamber sops"), word_set("exec exec-env exec-file")),
    **dict.fromkeys(word_set("doppler op mamba micromamba"), word_set("run")),
    "cargo": word_set("watch"),
    "git": word_set("bisect rebase submodule"),
    "nix": word_set("develop run shell"),
    "perf": word_set("record stat trace"),
    "vagrant": word_set("ssh"),
}
"""Programs of which only these subcommands take a command."""
DIRECT = word_set("env fd fdfind find nice nohup npx poetry stdbuf time timeout uv xargs")
"""Wrappers that start a program by its words, and never pass a line to a shell."""
LATER = frozenset({"at", "batch"})
"""Programs that run the lines of their input later."""
SPEAKERS = WRAPPERS | {"alias", "eval", "trap"}
"""Programs that take a whole command line as one word."""


def carried_from(part: SimpleCommand) -> int:
    """The first word of a part from which another command may begin; 0 when it carries none."""
    name = program(part.words[0])
    if name in WRAPPERS:
        return 1
    verb = 1 + (own_options(part.texts[1:]) if name == "git" else 0)
    if name == "git" and any(text.startswith("alias.") for text in part.texts[1:verb]):
        return 1
    return verb + 1 if part.texts[verb : verb + 1] and part.texts[verb] in CARRIERS.get(name, ()) else 0


def starts_directly(part: SimpleCommand) -> bool:
    """Whether a part starts a program without any shell between, so that a word that is no line (a regex) is fine."""
    return program(part.words[0]) in DIRECT and not any(program(word) in SHELLS for word in part.words)


def is_computed(part: SimpleCommand) -> bool:
    """Whether the program is computed by the shell, also behind a wrapper (except find, whose own words come first)."""
    first = part.words[0]
    if not first.known or first.glob:
        return True
    if program(first) not in WRAPPERS - {"find"}:
        return False
    rest = (word for word in part.words[1:] if not word.text.startswith("-") and "=" not in word.text)
    return not next(rest, first).known


def lines_in(part: SimpleCommand) -> Iterator[str]:
    """The words of a command that may be command lines themselves."""
    name = program(part.words[0])
    if name == "eval":
        yield " ".join(part.texts[1:])
        return
    for word in part.words[1:]:
        text, value = word.text, word.text.partition("=")[2].removeprefix("!")
        if name == "alias" or (value and text.startswith(("alias.", "--"))):
            text = value
        if not word.plain and any(c in text for c in " ;&|\n\t"):
            yield text


def reads_its_input(part: SimpleCommand) -> bool:
    """Whether a shell would run its standard input or a computed text."""
    options = [word for word in part.words[1:] if word.text.startswith(("-", "+"))]
    rest = [word for word in part.words[1:] if not word.text.startswith(("-", "+"))]
    given = any("c" in option.text.lstrip("-+") and not option.text.startswith("--") for option in options)
    return not rest or (given and not rest[0].known)
