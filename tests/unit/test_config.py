"""Settings are merged in one order, refused by name, and a project may only tighten them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ctxe import config
from ctxe.config.keys import BOUNDS
from ctxe.domain.errors import ConfigError


def loaded(tmp_path: Path, user: str = "", project: str = "", **more: str) -> config.LoadedConfig:
    home, root = tmp_path / "home", tmp_path / "root"
    home.mkdir(exist_ok=True)
    root.mkdir(exist_ok=True)
    (home / "config.toml").write_text(user)
    (root / ".ctxe.toml").write_text(project)
    return config.load(root, {"CTXE_HOME": str(home), **more}, {"budget": {"max_steps": 5}} if more else None)


def test_later_settings_sources_win_and_the_origin_is_known(tmp_path: Path) -> None:
    found = loaded(
        tmp_path, "[budget]\nmax_cost = 2\nmax_steps = 9\n", "", CTXE_BUDGET_MAX_COST="1.5", CTXE_MODEL="a/b"
    )
    assert (found.config.budget.max_cost, found.config.budget.max_steps, found.config.model.name) == (1.5, 5, "a/b")
    assert found.origins["budget.max_cost"] == "CTXE_BUDGET_MAX_COST"
    assert found.origins["budget.max_steps"] == "command line"
    assert found.origins["model.name"] == "CTXE_MODEL"


def test_project_settings_may_tighten_and_loosening_ones_are_named(tmp_path: Path) -> None:
    found = loaded(tmp_path, "[approval]\nmode = 'auto-edit'\n", "[approval]\nmode = 'ask'\nallow = ['run:rm *']\n")
    assert (found.config.approval.mode, found.config.approval.allow) == ("ask", ())
    assert found.origins["approval.mode"] == ".ctxe.toml"
    assert len(found.refused) == 1
    assert "approval.allow" in found.refused[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[modell]\nname = 'x'\n", "unknown setting modell.name"),
        ("[model]\nnam = 'x'\n", "unknown setting model.nam"),
        ("[fold]\nat = 'high'\n", "fold.at = 'high' is not a number"),
        ("[fold]\nat = true\n", "fold.at = True is not a number"),
        ("[budget]\nmax_steps = -1\n", "budget.max_steps = -1 is not a whole number"),
        ("[fold]\nat = inf\n", "fold.at = inf is not a number"),
        ("[fold]\nat = nan\n", "fold.at = nan is not a number"),
        ("[fold]\nat = 1e308\n", "fold.at = 1e+308 is not a number"),
        ("[fold]\nat = 7\n", "config.toml: fold.at = 7 is not between 0.05 and 1"),
        ("[shares]\nfiles = 1.5\n", "config.toml: shares.files = 1.5 is not between 0 and 1"),
        ("[budget]\nmax_steps = 0\n", "config.toml: budget.max_steps = 0 is not 1 or more"),
        (f"[budget]\nwindow = {10**400}\n", f"budget.window = {10**79} is not a whole number"),
        (f"[budget]\nwindow = {'9' * 5_000}\n", "cannot be read"),
        (f"x = {'[' * 5_000}", "cannot be read"),
        ("[approval]\nallow = 'x'\n", "approval.allow = 'x' is not a list of texts"),
    ],
)
def test_invalid_settings_are_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(says)):
        loaded(tmp_path, text)


@pytest.mark.parametrize(
    "come",
    [
        lambda path: loaded(path, "[fold]\nat = 7\n"),
        lambda path: loaded(path, "", "[fold]\nat = 7\n"),
        lambda path: loaded(path, "", "", CTXE_FOLD_AT="7"),
        lambda _: config.parse_setting("fold.at", "7"),
    ],
    ids=["file", "project", "variable", "set"],
)
def test_bounds_of_a_setting_hold_for_every_source(tmp_path: Path, come: Callable[[Path], object]) -> None:
    with pytest.raises(ConfigError, match=re.escape("fold.at = 7 is not between 0.05 and 1")) as raised:
        come(tmp_path)
    assert raised.value.hint == "its default is 1"


def test_every_bound_belongs_to_a_setting_and_contains_its_default() -> None:
    usual = config.defaults()
    assert [key for key, (least, most) in BOUNDS.items() if not least <= usual[key] <= most] == []


def test_large_token_numbers_are_accepted(tmp_path: Path) -> None:
    found = loaded(tmp_path, "[budget]\nwindow = 1_000_000_000\nmax_cost = 1e6\n").config.budget
    assert (found.window, found.max_cost) == (1_000_000_000, 1e6)


@pytest.mark.parametrize("text", ["\ufeff[budget]\r\nmax_steps = 9\r\n", "# ünïcode\n[budget]\nmax_steps = 9"])
def test_settings_files_with_bom_or_crlf_are_read(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text).config.budget.max_steps == 9


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/tty", "."])
def test_a_project_settings_link_to_a_device_is_named_and_never_read(tmp_path: Path, target: str) -> None:
    (tmp_path / ".ctxe.toml").symlink_to(target)
    with pytest.raises(ConfigError, match=r"cannot read .*/\.ctxe\.toml: no such regular file"):
        config.load(tmp_path, {"CTXE_HOME": str(tmp_path / "home")})


def test_model_overrides_are_kept_by_name(tmp_path: Path) -> None:
    found = loaded(tmp_path, '[models."local/tiny"]\nwindow = 4096\n')
    assert found.config.models["local/tiny"]["window"] == 4096


def test_a_saved_setting_is_read_back_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "home/config.toml"
    path.parent.mkdir()
    path.write_text("[budget]\nmax_cost = 2.0\n")
    config.save_setting(path, ("approval", "allow"), ["run:pytest *"])
    config.save_setting(path, ("models", "ollama/x", "window"), 8192)
    found = config.load(tmp_path, {"CTXE_HOME": str(path.parent)})
    assert found.config.approval.allow == ("run:pytest *",)
    assert found.config.budget.max_cost == 2.0
    assert found.config.models["ollama/x"] == {"window": 8192}


def test_saving_settings_keeps_a_linked_file_a_link(tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles" / "ctxe.toml"
    kept.parent.mkdir()
    kept.write_text("[budget]\nmax_steps = 7\n")
    (tmp_path / "config.toml").symlink_to(kept)
    config.save_setting(tmp_path / "config.toml", ("budget", "max_cost"), 2.0)
    assert (tmp_path / "config.toml").readlink() == kept
    assert kept.read_text() == "[budget]\nmax_steps = 7\nmax_cost = 2.0\n"


def test_the_example_file_lists_every_default(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/config.toml").write_text(config.example_file())
    found = config.load(tmp_path, {"CTXE_HOME": str(tmp_path / "home")})
    assert found.config == config.Config()
    assert set(found.origins) == set(config.defaults())


PLACES = """
import os, sys
from pathlib import Path
from ctxe.config import cache_folder, load, user_folder
told = [user_folder(os.environ), cache_folder(os.environ)]
load(Path.cwd(), os.environ)
loaded = sorted({"platformdirs", "tomllib"} & set(sys.modules))
import platformdirs
known = [platformdirs.user_config_dir("ctxe", appauthor=False), platformdirs.user_cache_dir("ctxe", appauthor=False)]
print(told == [Path(one) for one in known], *loaded)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the folders are always asked of platformdirs")
@pytest.mark.parametrize(
    ("said", "loaded"),
    [
        ({}, ""),
        ({"XDG_CONFIG_HOME": "/nowhere/settings", "XDG_CACHE_HOME": "/nowhere/kept/"}, ""),
        ({"XDG_CONFIG_HOME": "settings"}, " platformdirs"),
    ],
)
def test_user_folders_follow_the_platform_and_are_found_cheaply(
    said: dict[str, str], loaded: str, tmp_path: Path
) -> None:
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], **said}
    words = [sys.executable, "-c", PLACES]
    run = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout == f"True{loaded}\n"
