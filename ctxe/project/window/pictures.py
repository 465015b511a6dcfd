"""Pictures that the user's words name or a tool reads: whether they may be shown, and how they stand in a request."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ctxe.agent.state import State
from ctxe.domain.conversation import Conversation
from ctxe.domain.errors import ConfigError, StoreError, ToolError
from ctxe.domain.pattern import pattern
from ctxe.domain.picture import HANDLE, Picture, has_picture_name
from ctxe.domain.section import Chunk, Section
from ctxe.project.secret_guards import text_cleaner
from ctxe.storage.pictures import MOST_BYTES

if TYPE_CHECKING:
    from ctxe.project import Project

_PATH = pattern(r"""(?<!\S)@?(?:'([^'\n]+)'|"([^"\n]+)"|((?:file://)?(?:\\.|[^\s'"\\])+))""")


class PictureMaker(Protocol):
    """Makes a picture of a file's name and bytes; ``beside`` are the pictures that will share its request."""

    def __call__(self, name: str, data: bytes, beside: Sequence[Picture] = ()) -> Picture | None:
        """The picture; None when the bytes are no picture. Raises ToolError for a picture that cannot be shown."""
        ...


MOST_SHOWN = 20
"""Most pictures in one request: with more, Anthropic refuses any above 2,000 pixels a side."""
MOST_SENT = 20_000_000
"""Most bytes of all pictures in a request: Anthropic limits requests to 32 MB, and base64 adds a third."""


def picture_maker(project: Project, state: Callable[[], State], *, keep: bool, asked: bool = False) -> PictureMaker:
    """A ``PictureMaker`` for the session's current model; with ``keep`` it saves the picture before it returns.

    The ToolError for a picture that cannot be shown addresses the model where ``asked`` (the model asked for it), else
    the user.
    """

    def take(name: str, data: bytes, beside: Sequence[Picture] = ()) -> Picture | None:
        from ctxe.safety.display import one_line
        from ctxe.storage.picture_header import header

        if header(data) is None:
            return None
        if blind := model_without_images(project, state()):
            advice = "ask the user what it shows" if asked else f'if it does: [models."{blind}"] images = true'
            raise ToolError(f"{name} is a picture, and {blind} sees none; {advice}")
        _check_bounds(name, len(data), [*_in_request(state()), *beside])
        try:
            found = project.pictures.take(text_cleaner(project.own_keys)(one_line(name)), data)
        except StoreError as error:
            raise ToolError(error.message) from error
        return _saved(project, found) if found and keep else found

    return take


def _in_request(state: State) -> Iterator[Picture]:
    """The pictures of the next request as far as they are known."""
    yield from state.conversation.standing_pictures()
    yield from (result.picture for result in state.results if result.picture)
    yield from (chunk.picture for chunk in state.queued if chunk.picture)


def _check_bounds(name: str, size: int, others: Sequence[Picture]) -> None:
    """Raise ToolError when one more picture of ``size`` bytes would exceed what a provider takes in a request."""
    if len(others) >= MOST_SHOWN or sum(one.size for one in others) + size > MOST_SENT:
        held = f"{len(others)} pictures of {sum(one.size for one in others) / 1e6:.1f} MB"
        raise ToolError(f"{name} is a picture too many: {held} stand in the request, until a fold (/compact)")


def model_without_images(project: Project, state: State) -> str:
    """The id of the session's current model if it cannot see pictures, else empty."""
    from ctxe.project.models import choose

    try:
        model = choose(project, state.model) if state.model else project.model
    except ConfigError:
        return state.model
    return "" if model.images else model.id


def picture_by_handle(project: Project, state: Callable[[], State]) -> Callable[[str], Picture | None]:
    """A function that finds a picture of the session by its handle, or None for a handle of another kind.

    It raises ToolError when the picture is gone or cannot be shown.
    """

    def find(handle: str) -> Picture | None:
        if not handle.startswith(HANDLE):
            return None
        found = state().conversation.pictures().get(handle)
        if found is None:
            raise ToolError(f"there is no picture under the handle {handle}")
        picture = found[0]
        if blind := model_without_images(project, state()):
            raise ToolError(f"{picture.name} is a picture, and {blind} sees none")
        if project.pictures.data(picture.digest) is None:
            raise ToolError(f"the bytes of {picture.name} are not kept any more")
        _check_bounds(picture.name, picture.size, [*_in_request(state())])
        return picture

    return find


def with_saved_pictures(project: Project, sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """The same sections, after saving their pictures."""
    for section in sections:
        for chunk in section.chunks:
            if chunk.picture:
                _saved(project, chunk.picture)
    return sections


def _saved(project: Project, picture: Picture) -> Picture:
    """The same picture, saved before a log names it. Where nothing can be written the session keeps it in memory."""
    with contextlib.suppress(StoreError):
        project.pictures.keep(picture)
    return picture


def picture_chunk(picture: Picture, why: str, path: str = "") -> Chunk:
    """The chunk that shows a picture in a request: a line that names it, and the picture itself."""
    return Chunk(
        path or picture.name, f"[{picture.description}]", why, "full", path, picture.digest if path else "", picture
    )


def pictures_list(conversation: Conversation) -> Iterator[Chunk]:
    """One chunk that lists every picture of a session with the handle that shows it again; nothing without pictures."""
    lines = [
        f"- {handle}: {one.description}, seen in turn {turn}" for handle, (one, turn) in conversation.pictures().items()
    ]
    if lines:
        head = "[pictures of this session; one that stands here no more is shown again by `recall` with its handle]"
        yield Chunk("pictures", "\n".join([head, *lines]), "each picture gave way to a line here")


def outside_pictures(project: Project, words: str) -> list[Path]:
    """Pictures that words name by a path on this machine, dropped in or after ``@``; each once, in order.

    The path may be quoted or have escaped blanks, be absolute or start with ``~``; after ``@`` it may be relative to
    the user's folder. A plain path inside the project is left out: it is a mention like any other file's.
    """
    found: dict[Path, None] = {}
    for match in _PATH.finditer(words):
        quoted = match[1] or match[2]
        named = quoted or _unescaped(match[3])
        if not has_picture_name(named.rstrip(".")):
            continue
        path = _located(project, named.rstrip("."), mention=match[0].startswith("@"))
        if path is not None:
            found[path] = None
    return list(found)


def _unescaped(named: str) -> str:
    """A path without shell or URL escapes and without the punctuation that ends a sentence."""
    from urllib.parse import unquote

    named = named.rstrip(",;:)!?")
    if named.startswith("file://"):
        return unquote(named.removeprefix("file://"))
    return re.sub(r"\\(.)", r"\1", named)


def _located(project: Project, named: str, *, mention: bool) -> Path | None:
    """The path of a named picture if the file exists; None for a plain ``@path``, which is handled as a mention."""
    home = project.environment.get("HOME", "")
    path = Path(home + named[1:]) if named.startswith("~/") and home else Path(named)
    if not path.is_absolute():
        if not mention or re.fullmatch(r"(?:[\w.+-]+/)*[\w.+-]+", named):
            return None
        path = project.place.working / named
    try:
        return path if path.is_file() else None
    except (OSError, ValueError):
        return None


def read_outside_picture(
    project: Project, path: Path, state: State, beside: Sequence[Picture] = (), *, keep: bool = True
) -> Picture:
    """A picture that the user named by a path on this machine. Raises ToolError, StoreError."""
    from ctxe.project.planning.ignored import readable
    from ctxe.storage.files import read

    real, root = path.resolve(), project.root.resolve()
    if real.is_relative_to(root) and not readable(project)(real.relative_to(root).as_posix()):
        raise ToolError(f"{path} is kept from the model by .ctxeignore")
    found = picture_maker(project, lambda: state, keep=keep)(str(path), read(path, MOST_BYTES + 1), beside)
    if found is None:
        raise ToolError(f"{path} lies outside of the project, from where only pictures are shown")
    return found
