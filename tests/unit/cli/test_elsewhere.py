"""Advice for users of other tools names only commands, options and settings that exist."""

from __future__ import annotations

import re

from ctxe.cli.app import build
from ctxe.cli.chat.slash import slash_commands
from ctxe.cli.elsewhere import ADVICE, COMMANDS, OPTIONS, SLASH
from ctxe.config.keys import all_settings


def test_advice_points_only_to_existing_slash_commands_and_replaces_none() -> None:
    assert set(SLASH.values()) <= slash_commands().keys()
    assert not slash_commands().keys() & (SLASH.keys() | ADVICE.keys())


def test_every_setting_option_and_command_named_in_advice_exists() -> None:
    said = " ".join((*ADVICE.values(), *OPTIONS.values(), *COMMANDS.values()))
    settings = set(all_settings())
    assert set(re.findall(r"\b(?:checks|screen|tools|delegate|model)\.[a-z_]+", said)) <= settings
    assert set(re.findall(r"(?<!\S)/([a-z-]+)", said)) <= slash_commands().keys()
    chat = build(["chat"]).commands["chat"]
    known = {name for option in chat.params for name in option.opts}
    shell = " ".join((*OPTIONS.values(), *COMMANDS.values()))
    assert set(re.findall(r"(?<!\S)--[a-z-]+", shell)) <= known | {"--debug", "--version"}
    assert not known & OPTIONS.keys()
