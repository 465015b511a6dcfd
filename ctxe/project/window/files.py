"""Files of the work tree as a session looks at them: shown to the model, hashed, and told anew when they changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ctxe.context.tokens import Count
from ctxe.domain.errors import StoreError, ToolError
from ctxe.domain.picture import Picture
from ctxe.domain.section import digest_bytes
from ctxe.domain.value import dataclass, field
from ctxe.project.window.freshness import news_of
from ctxe.project.window.pictured import Take
from ctxe.repo.undo.rewrite import read
from ctxe.tools.read import shown
from ctxe.tools.text import decode
from ctxe.tools.workspace import Workspace, load, locate, opened

LONGEST_NEWS, MOST_NEWS = 60_000, 200
"""Bytes of a file whose changes are told, and how many texts are kept for that."""
LONGEST_FILE = 16_000_000
"""Bytes of a file that is looked at for changes."""


@dataclass(frozen=True, slots=True)
class SessionFiles:
    """``clean`` is what every text goes through before a model sees it; ``look`` makes a picture of a file's bytes
    where it is one.
    """

    workspace: Workspace
    clean: Callable[[str], str]
    look: Take
    _digests: dict[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)

    def show(self, path: str) -> tuple[str, str]:
        """A file's lines with their numbers, and its content hash. Raises ToolError."""
        found = load(self.workspace, path, locate(self.workspace, path))
        return self.clean(shown(found)), found.digest

    def picture(self, path: str, beside: Sequence[Picture] = ()) -> Picture | None:
        """The picture that a file is, not kept yet; nothing for another file. Raises ToolError.

        ``beside`` are those that are shown with it.
        """
        return self.look(path, opened(self.workspace, path, locate(self.workspace, path)), beside)

    def digest_of(self, path: str) -> str:
        """The content hash of a file as it is now; empty when there is none. Read again only when it was written."""
        try:
            facts = (self.workspace.root / path).lstat()
            stamp = (facts.st_ctime_ns, facts.st_mtime_ns, facts.st_ino, facts.st_size)
            known = self._digests.get(path)
            if known is None or known[0] != stamp:
                data = read(self.workspace.root, path, LONGEST_FILE)
                known = self._digests[path] = (stamp, digest_bytes(data))
                self._keep(known[1], data)
        except (OSError, ValueError, ToolError, StoreError):  # also for what a model took for a path: "\0"
            return ""
        return known[1]

    def news(self, path: str, before: str, room: int, count: Count) -> str:
        """What a file is now that had the content hash ``before``, in ``room`` tokens; empty where that is too long."""
        now, was = self._texts.get(self.digest_of(path)), self._texts.get(before)
        return "" if now is None else news_of(None if was is None else self.clean(was), self.clean(now), room, count)

    def _keep(self, digest: str, data: bytes) -> None:
        """Remember a text by its content hash, to tell later what changed in it; the oldest is forgotten."""
        decoded = decode(data) if len(data) <= LONGEST_NEWS else None
        if decoded is not None:
            self._texts[digest] = decoded.text
        if len(self._texts) > MOST_NEWS:
            del self._texts[next(iter(self._texts))]
