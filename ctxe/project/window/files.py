"""Files of the work tree as a session sees them: shown to the model, hashed, and shown again when they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctxe.context.tokens import Count
from ctxe.domain.errors import StoreError, ToolError
from ctxe.domain.picture import Picture
from ctxe.domain.section import digest_bytes
from ctxe.domain.value import dataclass, field
from ctxe.project.window.freshness import news_of
from ctxe.project.window.pictures import PictureMaker
from ctxe.repo.undo.rewrite import read
from ctxe.tools.read import shown
from ctxe.tools.text import decode
from ctxe.tools.workspace import Workspace, load_text, locate, read_bytes

LONGEST_NEWS, MOST_NEWS = 60_000, 200
"""Largest file in bytes whose changes are shown, and the number of texts kept to compare with."""
LONGEST_FILE = 16_000_000
"""Largest file in bytes that is checked for changes."""


@dataclass(frozen=True, slots=True)
class SessionFiles:
    """Reads, hashes and compares files for one session.

    ``clean`` is applied to every text before a model sees it. ``make_picture`` makes a picture of a file's
    bytes, or gives None.
    """

    workspace: Workspace
    clean: Callable[[str], str]
    make_picture: PictureMaker
    _digests: dict[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)

    def show(self, path: str) -> tuple[str, str]:
        """The numbered lines of a file and its content hash. Raises ToolError."""
        found = load_text(self.workspace, path, locate(self.workspace, path))
        return self.clean(shown(found)), found.digest

    def picture(self, path: str, beside: Sequence[Picture] = ()) -> Picture | None:
        """The picture in a file, not saved yet; None when the file is no picture. Raises ToolError.

        ``beside`` are the pictures that will be shown together with it.
        """
        return self.make_picture(path, read_bytes(self.workspace, path, locate(self.workspace, path)), beside)

    def digest_of(self, path: str) -> str:
        """The current content hash of a file; empty when it cannot be read. Read again only after a write."""
        try:
            facts = (self.workspace.root / path).lstat()
            stamp = (facts.st_ctime_ns, facts.st_mtime_ns, facts.st_ino, facts.st_size)
            known = self._digests.get(path)
            if known is None or known[0] != stamp:
                data = read(self.workspace.root, path, LONGEST_FILE)
                known = self._digests[path] = (stamp, digest_bytes(data))
                self._keep(known[1], data)
        except (OSError, ValueError, ToolError, StoreError):  # a model may give "\0" as a path
            return ""
        return known[1]

    def news(self, path: str, before: str, room: int, count: Count, *, whole: bool = True) -> str:
        """What became of a file whose content hash was ``before``, as a diff or ``whole``; empty above ``room``."""
        now, was = self._texts.get(self.digest_of(path)), self._texts.get(before)
        if now is None:
            return ""
        return news_of(None if was is None else self.clean(was), self.clean(now), room, count, whole=whole)

    def _keep(self, digest: str, data: bytes) -> None:
        """Remember a text by its content hash, to show a later change as a diff; the oldest text is dropped."""
        decoded = decode(data) if len(data) <= LONGEST_NEWS else None
        if decoded is not None:
            self._texts[digest] = decoded.text
        if len(self._texts) > MOST_NEWS:
            del self._texts[next(iter(self._texts))]
