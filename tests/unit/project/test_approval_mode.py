"""The mode of a session that goes on: its log stands in the repository and can only tighten what the user allows."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from ctxe.agent.state import State
from ctxe.project.sandbox import NO_SANDBOX
from ctxe.project.session.approval_mode import restore_mode
from ctxe.project.session.permit import Permit
from ctxe.safety.policy import Mode
from ctxe.safety.trust import MODES
from tests.unit.project.server_projects import project


def going_on(folder: Path, own: Mode, left: str) -> tuple[Mode, tuple[str, ...]]:
    """The mode of a session of somebody whose settings say ``own`` that was left in ``left``, and what is told."""
    here = project(folder, "", CTXE_APPROVAL_MODE=own)
    permit = Permit(here, interactive=True, sandbox=lambda: NO_SANDBOX)
    notices = restore_mode(here, permit, State(mode=left), "")
    return permit.mode, notices


@pytest.mark.parametrize("own", get_args(Mode))
@pytest.mark.parametrize("left", [*get_args(Mode), "yolo"])
def test_a_resumed_log_cannot_loosen_the_approval_mode(tmp_path: Path, own: Mode, left: str) -> None:
    mode, notices = going_on(tmp_path, own, left)
    if left == own:
        assert (mode, notices) == (own, ())
    elif left in MODES and MODES.index(left) < MODES.index(own):
        assert (mode, notices) == (left, (f"approval {left}, as this session was left",))
    else:
        told = f"this session was left in approval {left}; now it is {own}: /mode {left} brings it back"
        assert (mode, notices) == (own, (told,))
