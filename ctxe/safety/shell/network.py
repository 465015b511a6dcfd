"""Finding commands whose purpose is to use the network, by their names."""

from __future__ import annotations

from ctxe.lexical.tables import word_set
from ctxe.safety.shell.commands import Parsed, program
from ctxe.safety.shell.git_words import git_verb

NETWORK = word_set(
    "curl wget nc ncat netcat socat telnet ftp sftp scp ssh rsync ping ping6 traceroute dig nslookup host getent whois"
    " aria2c http https xh lynx w3m elinks smbclient mosh mail sendmail openssl rclone"
    " pip pip3 pipx poetry pdm uv uvx conda mamba npm npx pnpm yarn bun bunx deno gem bundle cargo go mvn"
    " gradle composer apt apt-get yum dnf pacman brew snap apk docker podman kubectl helm terraform aws gcloud az gh"
    " glab hub"
)
GIT_NETWORK = word_set("clone fetch pull push ls-remote remote submodule archive send-email lfs svn p4")


def network(parsed: Parsed) -> str:
    """The first program of a line that uses the network; empty when none is known to."""
    for part in parsed.seen:
        if part.words:
            name = program(part.words[0])
            if name in NETWORK:
                return name
            if name == "git" and (verb := git_verb(part.texts[1:])[0]) in GIT_NETWORK:
                return f"git {verb}"
    return ""
