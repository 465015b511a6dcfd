"""Finding commands whose purpose is to use the network, by their names."""

from __future__ import annotations

from collections.abc import Sequence

from ctxe.lexical.tables import word_set
from ctxe.safety.shell.commands import Parsed
from ctxe.safety.shell.git_words import git_verb
from ctxe.safety.shell.words import Word, program

NETWORK = word_set(
    "curl wget nc ncat netcat socat telnet ftp sftp scp ssh rsync ping ping6 traceroute dig nslookup host getent whois"
    " aria2c http https xh lynx w3m elinks smbclient mosh mail sendmail openssl rclone"
    " pip pip3 pipx poetry pdm uv uvx conda mamba npm npx pnpm yarn bun bunx deno gem bundle cargo go mvn"
    " gradle composer apt apt-get yum dnf pacman brew snap apk docker podman kubectl helm terraform aws gcloud az gh"
    " glab hub"
)
GIT_NETWORK = word_set("clone fetch pull push ls-remote remote submodule archive send-email lfs svn p4")


_RUNS = word_set("run run-script test t start ls list why explain root bin prefix")
LOCAL = {
    **dict.fromkeys(word_set("pip pip3"), word_set("list show freeze check config")),
    **dict.fromkeys(word_set("npm pnpm yarn"), _RUNS),
    **dict.fromkeys(word_set("docker podman"), word_set("ps images logs inspect stats top diff")),
    "bundle": word_set("list show exec"),
    "cargo": word_set("fmt clean tree"),
    "gem": word_set("list"),
    "getent": word_set("passwd group services"),
    "go": word_set("env fmt doc version clean"),
    "openssl": word_set("version rand dgst enc req rsa x509 genrsa genpkey pkey pkcs12 ecparam verify asn1parse"),
    "poetry": word_set("show env check version"),
    "terraform": word_set("version fmt validate"),
    "git submodule": word_set("status summary foreach"),
    "git remote": word_set("-v --verbose get-url set-url add remove rename"),
}
"""Subcommands of programs that use the network, which do without it."""
OFFLINE = word_set("--offline --no-index")
ABOUT = word_set("--version --help -V")
"""Words after which a program only tells about itself."""
SHORT = {("mvn", "-o"), ("mvn", "-v"), ("npm", "-v"), ("pnpm", "-v"), ("yarn", "-v"), ("docker", "-v")}
"""Options of one letter that mean one of these things to one program."""


def network(parsed: Parsed) -> str:
    """The first program of a line that uses the network; empty when none is known to."""
    for part in parsed.seen:
        if part.words:
            name, rest = _named(part.texts)
            if (name in NETWORK or name.partition(" ")[2] in GIT_NETWORK) and not _stays_here(name, rest):
                return name
    return ""


def _named(texts: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The program, of git with its subcommand, and the words after it."""
    name = program(Word(texts[0]))
    verb, rest = git_verb(texts[1:]) if name == "git" else ("", texts[1:])
    return f"{name} {verb}".rstrip(), rest


def _stays_here(name: str, rest: Sequence[str]) -> bool:
    """Whether the options or the subcommand of a program say that it does without the network."""
    first = rest[0] if rest else ""
    offline = any(word in OFFLINE or (name, word) in SHORT for word in rest)
    return offline or first in ABOUT or first in LOCAL.get(name, ())
