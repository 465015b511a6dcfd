"""A sign-in by a person in a real terminal: the token it gives reaches no request, no log and no screen."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path

from tests.e2e.harness import Terminal, ctxe, environment, openai_at
from tests.e2e.server_calls import asked, repo, result, use
from tests.unit.project.issuers import Issuer, issuer
from tests.wire.server import Reply

__all__ = ["issuer", "repo"]


def test_a_person_signs_in_uses_the_server_and_signs_out(home: Path, repo: Path, issuer: Issuer) -> None:
    issuer.way("")
    env = environment(home)
    added = ctxe(repo, env, "mcp", "add", "vault", "--url", issuer.url, "--allow", "token")
    assert added.out.endswith("`ctxe mcp test vault` tries it, `ctxe mcp login vault` signs in\n")
    headless = ctxe(repo, env, "mcp", "login", "vault")
    assert (headless.code, headless.err) == (
        3,
        "ctxe: signing in takes a person at a keyboard\n"
        "      run it in a terminal, or give a token: --header 'Authorization=Bearer ${TOKEN}'\n",
    )
    with Terminal(repo, env, ("mcp", "login", "vault"), columns=120) as terminal:
        terminal.wait("Ctrl-C stops")
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+/authorize\S+", terminal.raw)
        assert "code_challenge_method=S256" in url
        terminal.enter("http://127.0.0.1/callback?code=x&state=guess")
        terminal.wait("that is not the address")
        with urllib.request.urlopen(url) as page:
            assert page.read() == b"You are signed in. This page may be closed."
        terminal.wait("signed in at vault: 1 tool; `ctxe mcp logout vault` forgets it")
        assert terminal.ended() == 0
    (file,) = (home / ".config/ctxe/servers").iterdir()
    tokens = json.loads(file.read_text())["tokens"]
    assert ctxe(repo, env, "mcp", "list").out.count("not started, signed in") == 1
    done, bodies = asked(home, repo, openai_at, [use("vault/token"), Reply("done")])
    assert (done.code, result(bodies[1])) == (0, '<mcp from="vault/token">\nyou sent ‹secret: our own key›\n</mcp>')
    written = [path.read_text(errors="replace") for path in (repo / ".ctxe").rglob("*") if path.is_file()]
    for told in (done.err, terminal.raw, json.dumps(bodies), *written):
        assert tokens["access_token"] not in told
        assert tokens["refresh_token"] not in told
    assert ctxe(repo, env, "mcp", "logout", "vault").out == "the sign-in at vault is forgotten\n"
    assert ctxe(repo, env, "mcp", "logout", "vault").out == "you were not signed in at vault\n"
    with Terminal(repo, env, ("mcp", "login", "vault"), columns=120) as terminal:
        terminal.wait("Ctrl-C stops")
        terminal.type("\x03")
        assert terminal.ended() == 130
    assert not list((home / ".config/ctxe/servers").iterdir())


def test_mcp_add_stores_the_name_of_a_token_variable_and_refuses_a_token(home: Path, repo: Path) -> None:
    env = environment(home)
    wrong = ctxe(repo, env, "mcp", "add", "docs", "--url", "https://docs.test/mcp", "--bearer-env", "sk-123")
    assert wrong.err.startswith("ctxe: --bearer-env takes the name of a variable, not a token")
    done = ctxe(repo, env, "mcp", "add", "docs", "--url", "https://docs.test/mcp", "--bearer-env", "DOCS_TOKEN")
    assert done.code == 0
    assert 'Authorization = "Bearer ${DOCS_TOKEN}"' in (home / ".config/ctxe/config.toml").read_text()
