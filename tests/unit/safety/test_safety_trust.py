"""A repository may only tighten, and approvals are bound to content."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ctxe.domain.errors import StoreError
from ctxe.safety.trust import approval, approve, is_trusted, tighten, trust, trusted_folders

USER: dict[str, Any] = {
    "model.name": "",
    "model.base_url": "",
    "model.max_output": 0,
    "approval.mode": "ask",
    "approval.allow": (),
    "approval.deny": ("run:curl *",),
    "budget.max_steps": 100,
    "budget.max_cost": 0.0,
    "tools.sandbox": "auto",
    "tools.network": False,
    "tools.command_seconds": 120.0,
    "memory.enabled": True,
    "shares.files": 0.2,
}


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("model.name", "evil/model"),
        ("model.base_url", "http://trap.test"),
        ("model.key", "sk-x"),
        ("approval.mode", "auto"),
        ("approval.mode", "auto-edit"),
        ("approval.mode", "AUTO"),
        ("approval.allow", ["run:*"]),
        ("approval.deny", "everything"),
        ("approval", {"mode": "auto"}),
        ("budget.max_steps", 101),
        ("budget.max_steps", True),
        ("tools.sandbox", "off"),
        ("tools.network", True),
        ("tools.command_seconds", 9_000),
        ("hooks.start", "touch HOSTILE"),
        ("mcp.servers", {"x": {"command": "touch"}}),
        ("models.anthropic/x", {"base_url": "http://trap.test"}),
        ("env.PATH", "/evil"),
        ("CTXE_HOME", ".evil"),
        ("Approval.Mode", "auto"),
    ],
)
def test_project_settings_that_loosen_are_refused_by_name(key: str, asked: Any) -> None:
    merged, refused = tighten(USER, {key: asked})
    assert merged == USER
    assert len(refused) == 1
    assert refused[0].startswith(f"{key} = ")


@pytest.mark.parametrize(
    ("key", "asked", "held"),
    [
        ("approval.mode", "read-only", "read-only"),
        ("approval.deny", ["run:make *", "run:curl *"], ("run:curl *", "run:make *")),
        ("budget.max_steps", 20, 20),
        ("budget.max_cost", 0.5, 0.5),
        ("model.max_output", 4_000, 4_000),
        ("tools.command_seconds", 10, 10),
        ("tools.sandbox", "always", "always"),
        ("memory.enabled", False, False),
        ("shares.files", 0.3, 0.3),
    ],
)
def test_project_settings_that_tighten_are_applied(key: str, asked: Any, held: Any) -> None:
    assert tighten(USER, {key: asked}) == (USER | {key: held}, [])


def test_repeating_the_users_setting_is_not_refused() -> None:
    assert tighten(USER, {"approval.deny": ["run:curl *"], "model.name": "", "tools.network": False}) == (USER, [])


def test_a_project_cannot_remove_the_spending_limit() -> None:
    user = USER | {"budget.max_cost": 2.0}
    merged, refused = tighten(user, {"budget.max_cost": 0.0})
    assert (merged, refused) == (user, ["budget.max_cost = 0.0 refused: it would loosen yours (2.0)"])


def test_a_refusal_reason_is_one_line_without_control_characters() -> None:
    _, refused = tighten(USER, {"hooks.\x1b]0;x\a\n": "a\x1b[2J\n\u202e" + "x" * 900})
    assert refused[0].isprintable()
    assert len(refused[0]) < 200


def test_trust_holds_for_one_real_folder(tmp_path: Path) -> None:
    store, root = tmp_path / "home", tmp_path / "repo"
    root.mkdir()
    (tmp_path / "link").symlink_to(root)
    trust(store, tmp_path / "link", "2026-11-20T10:00:00Z")
    assert is_trusted(store, root)
    assert not is_trusted(store, tmp_path / "repo-evil")
    assert not is_trusted(store, root / "inner")
    assert not is_trusted(store, tmp_path)
    assert trusted_folders(store) == {str(root.resolve()): "2026-11-20T10:00:00Z"}
    assert (store / "trust.json").stat().st_mode & 0o777 == 0o600


def test_revoking_trust_removes_all_approvals(tmp_path: Path) -> None:
    trust(tmp_path, tmp_path / "repo", "now")
    approve(tmp_path, tmp_path / "repo", "mcp:x", "npx x")
    trust(tmp_path, tmp_path / "repo", "later", trusted=False)
    assert not is_trusted(tmp_path, tmp_path / "repo")
    assert approval(tmp_path, tmp_path / "repo", "mcp:x", "npx x") == "new"


def test_an_approval_holds_for_the_content_and_not_for_the_name(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    assert approval(tmp_path, root, "mcp:x", "npx x") == "new"
    approve(tmp_path, root, "mcp:x", "npx x")
    assert approval(tmp_path, root, "mcp:x", "npx x") == "approved"
    assert approval(tmp_path, root, "mcp:x", "npx evil") == "changed"
    assert approval(tmp_path, tmp_path / "other", "mcp:x", "npx x") == "new"


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"\xff\xfe", b'{"folders": 7, "approved": {"/": 3}}', b"[" * 100_000]
)
def test_a_damaged_trust_store_trusts_nothing_and_is_kept_aside(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "trust.json").write_bytes(damage)
    (tmp_path / "trust.json").chmod(0o600)
    assert not is_trusted(tmp_path, tmp_path)
    assert approval(tmp_path, Path("/"), "x", "y") == "new"
    trust(tmp_path, tmp_path, "now")
    assert is_trusted(tmp_path, tmp_path)
    aside = tmp_path / "trust.damaged"
    assert not aside.exists() or aside.read_bytes() == damage


def test_a_trust_store_writable_by_others_is_not_believed(tmp_path: Path) -> None:
    trust(tmp_path, tmp_path, "now")
    (tmp_path / "trust.json").chmod(0o666)
    assert not is_trusted(tmp_path, tmp_path)
    (tmp_path / "trust.json").chmod(0o600)
    (tmp_path / "trust.json").rename(tmp_path / "elsewhere.json")
    (tmp_path / "trust.json").symlink_to(tmp_path / "elsewhere.json")
    assert not is_trusted(tmp_path, tmp_path)


def test_an_unwritable_trust_store_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        trust(tmp_path / "file", tmp_path, "now")


def test_unknown_fields_do_not_break_the_trust_store(tmp_path: Path) -> None:
    text = json.dumps({"v": 2, "folders": {os.path.realpath(tmp_path): "x"}, "more": 1})
    (tmp_path / "trust.json").write_text(text)
    (tmp_path / "trust.json").chmod(0o600)
    assert is_trusted(tmp_path, tmp_path)
