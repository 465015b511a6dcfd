"""Signing in at an address by OAuth: stored for its user alone, renewed, forgotten, and shown to nobody."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ctxe.domain.errors import ConfigError, CtxeError, ToolError
from ctxe.project import Project
from ctxe.project.servers import pages, sign_in
from ctxe.project.servers.configured import accept, named
from ctxe.project.servers.launching import launch_of
from ctxe.tools.mcp.login import Login, require_safe
from ctxe.tools.mcp.loop import Loop
from tests.unit.project.issuers import Issuer, issuer
from tests.unit.project.server_projects import Opened, opened, project, run

__all__ = ["issuer", "opened"]


def here(tmp_path: Path, issuer: Issuer, more: str = "") -> Project:
    return project(tmp_path, f"[mcp.servers.vault]\nurl = {json.dumps(issuer.url)}\n{more}\n")


def silent() -> str:
    """The user types nothing: only the browser answers."""
    time.sleep(0.05)
    return ""


class Browser:
    """Opens what it is told to open, and remembers the pages."""

    def __init__(self) -> None:
        self.pages: list[str] = []
        self.threads: list[threading.Thread] = []

    def open(self, url: str) -> None:
        def go() -> None:
            with urllib.request.urlopen(url) as answer:
                self.pages.append(answer.read().decode())

        self.threads.append(threading.Thread(target=go))
        self.threads[-1].start()

    @property
    def talk(self) -> sign_in.SignInDialog:
        return sign_in.SignInDialog(self.open, silent, lambda: None)

    def ended(self) -> list[str]:
        for thread in self.threads:
            thread.join()
        return self.pages


def signed_in(at: Project) -> Path:
    browser = Browser()
    held = sign_in.login(at, "vault", browser.talk)
    assert [tool.name for tool in held.tools] == ["token"]
    assert browser.ended() == ["You are signed in. This page may be closed."]
    (file,) = (at.place.user / "servers").iterdir()
    return file


def test_a_sign_in_is_stored_privately_renewed_in_time_and_forgotten_on_request(
    tmp_path: Path, opened: Opened, issuer: Issuer
) -> None:
    issuer.way("short")
    at = here(tmp_path, issuer)
    with pytest.raises(CtxeError, match="`ctxe mcp login vault` signs in"):
        pages.try_server(at, opened(at).running, "vault")
    file = signed_in(at)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert issuer.journal == ["registered ctxe", f"authorize {issuer.url}", "code exchanged"]
    before = json.loads(file.read_text())["tokens"]
    time.sleep(1.1)
    said = run(opened(at).prepare("vault/token", {}))
    assert said.text == '<mcp from="vault/token">\nyou sent ‹secret: our own key›\n</mcp>'
    assert "tok-" not in said.display
    after = json.loads(file.read_text())["tokens"]
    assert (issuer.journal[3:], before["access_token"] != after["access_token"]) == (["refreshed"], True)
    (row,) = pages.rows(at, opened(at).running)
    assert row["signed_in"] is True
    assert sign_in.logout(at, "vault")
    assert (file.exists(), sign_in.logout(at, "vault")) == (False, False)


def test_a_refused_token_is_renewed_or_else_the_user_is_told(tmp_path: Path, opened: Opened, issuer: Issuer) -> None:
    issuer.way("")
    at = here(tmp_path, issuer)
    signed_in(at)
    issuer.way("revoked")
    time.sleep(1.1)
    assert run(opened(at).prepare("vault/token", {})).ok
    assert issuer.journal == ["refreshed"]
    issuer.way("deaf")
    time.sleep(1.1)
    with pytest.raises(ToolError, match="the sign-in is no longer valid: `ctxe mcp login vault` signs in again"):
        opened(at).prepare("vault/token", {})
    assert issuer.journal == []


def test_a_refused_sign_in_stores_nothing(tmp_path: Path, issuer: Issuer) -> None:
    issuer.way("refuses")
    browser = Browser()
    with pytest.raises(CtxeError, match="server vault: the sign-in was refused: access_denied"):
        sign_in.login(here(tmp_path, issuer), "vault", browser.talk)
    assert browser.ended() == ["You are not signed in."]
    assert not (tmp_path / "home/servers").exists()


def test_a_known_client_signs_in_by_a_pasted_address_and_revokes_its_tokens(tmp_path: Path, issuer: Issuer) -> None:
    issuer.way("")
    at = here(tmp_path, issuer)
    put_in: list[str] = ["https://elsewhere.test/callback?code=x&state=y"]
    odd: list[int] = []

    class Stays(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    def open_(url: str) -> None:
        with pytest.raises(urllib.error.HTTPError) as sent:
            urllib.request.build_opener(Stays).open(url)
        put_in.append(sent.value.headers["location"])
        sent.value.close()

    talk = sign_in.SignInDialog(open_, lambda: put_in.pop(0) if put_in else "", lambda: odd.append(1))
    sign_in.login(at, "vault", talk, ("known", "known-secret-0123456789"), issuer.back)
    assert odd == [1]
    assert issuer.journal == [f"authorize {issuer.url}", "code exchanged"]
    assert sign_in.logout(at, "vault")
    assert issuer.journal[2:] == ["revoked RefreshToken", "revoked AccessToken"]


def test_a_sign_in_holds_for_one_address_and_a_project_server_for_its_project(tmp_path: Path, issuer: Issuer) -> None:
    issuer.way("")
    at = here(tmp_path, issuer)
    file = signed_in(at)
    assert launch_of(at, named(at, "vault")).signed == file
    other = project(tmp_path, f"[mcp.servers.vault]\nurl = '{issuer.url}/more'\n")
    assert launch_of(other, named(other, "vault")).signed is None
    given = here(tmp_path, issuer, "headers = {authorization = 'Bearer x'}")
    assert launch_of(given, named(given, "vault")).signed is None
    offered = project(tmp_path, "", {"vault": {"type": "http", "url": issuer.url}})
    accept(offered, named(offered, "vault"))
    assert launch_of(offered, named(offered, "vault")).signed is None


def test_a_failed_sign_in_says_why(tmp_path: Path, issuer: Issuer) -> None:
    talk = Browser().talk
    program = project(tmp_path, "[mcp.servers.vault]\ncommand = 'x'\n")
    with pytest.raises(ConfigError, match="server vault is a program"):
        sign_in.login(program, "vault", talk)
    given = here(tmp_path, issuer, "headers = {Authorization = 'Bearer x'}")
    with pytest.raises(ConfigError, match="has a token in its headers"):
        sign_in.login(given, "vault", talk)
    offered = project(tmp_path, "", {"vault": {"type": "http", "url": issuer.url}})
    with pytest.raises(ConfigError, match="may not be reached"):
        sign_in.login(offered, "vault", talk)
    plain = project(tmp_path, "[mcp.servers.vault]\nurl = 'http://vault.test/mcp'\n")
    with pytest.raises(CtxeError, match=r"http://vault\.test is not an address to sign in at: https is needed"):
        sign_in.login(plain, "vault", talk)


@pytest.mark.parametrize(
    "damage", ["{", "[]", '{"tokens": {"access_token": 5}}', '{"tokens": "x", "client": [], "ends": "y"}']
)
def test_a_damaged_sign_in_file_counts_as_signed_out(
    tmp_path: Path, opened: Opened, issuer: Issuer, damage: str
) -> None:
    issuer.way("")
    at = here(tmp_path, issuer)
    launch = launch_of(at, named(at, "vault"))
    from ctxe.project.servers.launching import tokens_file

    file = tokens_file(at, named(at, "vault"), launch.url)
    file.parent.mkdir()
    file.write_text(damage)
    with pytest.raises(ToolError, match="the sign-in is no longer valid"):
        opened(at).prepare("vault/token", {})


@pytest.mark.parametrize(
    "url",
    [
        "http://vault.test/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https:///x",
        "",
        "http://127.0.0.1/",
        "https://localhost/x",
    ],
)
def test_unsafe_sign_in_addresses_are_not_opened_in_a_browser(url: str) -> None:
    with pytest.raises(ToolError, match="https is needed"):
        require_safe(url, "https://vault.test/mcp")


def test_a_foreign_request_to_the_callback_changes_nothing() -> None:
    loop = Loop()
    login = Login(loop)
    try:
        assert login.paste("http://127.0.0.1/callback?code=x&state=") is False
        assert login.paste("http://127.0.0.1/callback?code=x&state=guess") is False
    finally:
        loop.close()


def test_a_browser_program_from_the_repository_is_not_started(tmp_path: Path) -> None:
    at = project(tmp_path, "", None, PATH=f"{tmp_path}/repo/bin:.")
    (at.root / "bin").mkdir()
    for name in ("xdg-open", "open"):
        program = at.root / "bin" / name
        program.write_text("#!/bin/sh\ntouch HOSTILE\n")
        program.chmod(0o755)
    assert sign_in.browse(at, "https://a.test/") is False
    assert list(tmp_path.rglob("HOSTILE")) == []


def test_old_tokens_are_never_shown_and_an_expired_sign_in_is_reported(
    tmp_path: Path, opened: Opened, issuer: Issuer
) -> None:
    issuer.way("")
    at = here(tmp_path, issuer)
    signed_in(at)
    servers = opened(at)
    hidden = '<mcp from="vault/token">\nyou sent ‹secret: our own key›\n</mcp>'
    assert run(servers.prepare("vault/token", {})).text == hidden
    signed_in(at)
    assert run(servers.prepare("vault/token", {})).text == hidden
    servers.running.forget("vault")
    assert run(servers.prepare("vault/token", {})).text == hidden
    issuer.way("deaf")
    time.sleep(1.1)
    with pytest.raises(ToolError, match="the sign-in is no longer valid: `ctxe mcp login vault` signs in again"):
        run(servers.prepare("vault/token", {}))
    issuer.way("")
    assert run(servers.prepare("vault/token", {})).text.endswith(hidden)


def test_tokens_renewed_or_revoked_by_another_session_hold_at_once(
    tmp_path: Path, opened: Opened, issuer: Issuer
) -> None:
    issuer.way("")
    at = here(tmp_path, issuer)
    signed_in(at)
    one, other = opened(at), opened(at)
    assert all(run(servers.prepare("vault/token", {})).ok for servers in (one, other))
    issuer.way("revoked")
    time.sleep(1.1)
    assert run(one.prepare("vault/token", {})).ok
    assert run(other.prepare("vault/token", {})).ok
    assert issuer.journal == ["refreshed"]
    sign_in.logout(at, "vault")
    with pytest.raises(ToolError, match="no longer valid"):
        run(one.prepare("vault/token", {}))
