"""edit_file and write_file: the right bytes, the right refusals, a preview that is what happens."""

import codecs
import os
import stat
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxe.domain.conversation import Touch
from ctxe.domain.errors import ToolError
from ctxe.domain.section import digest_bytes
from ctxe.domain.tool import Risk
from ctxe.safety.secrets import mask
from ctxe.tools.edit import edit_file, write_file

EXACT: list[tuple[str, bytes, dict[str, Any], bytes]] = [
    ("lf", b"a\nb\nc\n", {"old": "b", "new": "B"}, b"a\nB\nc\n"),
    ("crlf", b"a\r\nb\r\nc\r\n", {"old": "a\nb", "new": "a\nx\nb"}, b"a\r\nx\r\nb\r\nc\r\n"),
    ("mixed", b"a\r\nb\nc\r\n", {"old": "b\nc", "new": "B\nC"}, b"a\r\nB\nC\r\n"),
    ("cr", b"a\rb\rc", {"old": "b\nc", "new": "b\nx\nc"}, b"a\rb\rx\rc"),
    ("bom", codecs.BOM_UTF8 + b"a\nb\n", {"old": "a\n", "new": "z\n"}, codecs.BOM_UTF8 + b"z\nb\n"),
    ("no newline at the end", b"a\nb", {"old": "b", "new": "c"}, b"a\nc"),
    ("newline added", b"a\nb", {"old": "b", "new": "b\n"}, b"a\nb\n"),
    ("latin-1", b"caf\xe9 \x93x\x94\n", {"old": "x", "new": "ü"}, b"caf\xe9 \x93\xfc\x94\n"),
    ("latin-1 with holes", b"caf\xe9 \x81\n", {"old": "caf", "new": "CAF"}, b"CAF\xe9 \x81\n"),
    (
        "utf-16",
        codecs.BOM_UTF16_LE + "aé\r\nb\r\n".encode("utf-16-le"),
        {"old": "é\nb", "new": "è\nb"},
        codecs.BOM_UTF16_LE + "aè\r\nb\r\n".encode("utf-16-le"),
    ),
    ("everywhere", b"x = x\n", {"old": "x", "new": "y", "all": True}, b"y = y\n"),
    (
        "several",
        b"one\ntwo\nthree\n",
        {"edits": [{"old": "one", "new": "1"}, {"old": "two\n", "new": ""}]},
        b"1\nthree\n",
    ),
    ("tabs and spaces at line ends", b"\ta  \n\tb\t\n", {"old": "b", "new": "c"}, b"\ta  \n\tc\t\n"),
    ("odd separators", "a\u2028b\x0cc\n".encode(), {"old": "b", "new": "B"}, "a\u2028B\x0cc\n".encode()),
]


@pytest.mark.parametrize(("data", "edit", "result"), [case[1:] for case in EXACT], ids=[case[0] for case in EXACT])
def test_exactly_these_bytes_change(place: Any, data: bytes, edit: dict[str, Any], result: bytes) -> None:
    file = place.put("f.txt", data)
    file.chmod(0o741)
    os.setxattr(file, "user.k", b"v")
    place.read("f.txt")
    output = place.call(edit_file, path="f.txt", **edit)
    assert file.read_bytes() == result
    assert (stat.S_IMODE(file.stat().st_mode), os.getxattr(file, "user.k")) == (0o741, b"v")
    assert output.touches == (Touch("f.txt", "edit", digest_bytes(result)),)
    assert [path.name for path in place.root.iterdir()] == ["f.txt"]


def test_editing_keeps_symbolic_and_hard_links(place: Any) -> None:
    file = place.put("real/a", "old\n")
    (place.root / "soft").symlink_to("real/a")
    os.link(file, place.root / "hard")
    place.read("soft")
    assert place.edit("soft", old="old", new="new") == "edited real/a: line 1 (+1 −1)"
    assert (place.root / "soft").is_symlink()
    assert (place.root / "hard").read_bytes() == file.read_bytes() == b"new\n"
    assert file.stat().st_nlink == 2


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"old": "b\n", "new": "B\nBB\n"}, "edited f: lines 2-3 (+2 −1); lines below moved by +1"),
        ({"old": "b\n", "new": ""}, "edited f: line 2 (+0 −1); lines below moved by -1"),
        ({"old": "e\n", "new": "e\nf\n"}, "edited f: line 6 (+1 −0)"),
        ({"edits": [{"old": "a", "new": "A"}, {"old": "e", "new": "E"}]}, "edited f: lines 1, 5 (+2 −2)"),
    ],
)
def test_the_result_of_an_edit_is_one_short_line(place: Any, edit: dict[str, Any], said: str) -> None:
    place.put("f", "a\nb\nc\nd\ne\n")
    place.read("f")
    assert place.edit("f", **edit) == said


def test_the_preview_is_the_diff_and_nothing_happens_before_run(place: Any) -> None:
    file = place.put("a.py", "x = 1\n")
    place.read("a.py")
    action = edit_file(place.workspace).prepare({"path": "a.py", "old": "1", "new": "2"})
    assert (action.tool, action.title, action.risk, action.preview_kind, action.paths) == (
        "edit_file",
        "edit a.py (+1 −1)",
        Risk.WRITE,
        "diff",
        ("a.py",),
    )
    assert action.preview == "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
    assert file.read_text() == "x = 1\n"
    list(action.run())
    assert file.read_text() == "x = 2\n"


def test_unread_and_stale_files_are_refused(place: Any) -> None:
    file = place.put("a", "one\n")
    with pytest.raises(ToolError, match=r"^read a first: only a file whose text you have seen can be changed$"):
        place.edit("a", old="one", new="two")
    with pytest.raises(ToolError, match="read a first"):
        place.write("a", "two\n")
    place.read("a")
    file.write_text("one more\n")
    with pytest.raises(ToolError, match=r"^a changed since you last saw it; nothing was written, read it again$"):
        place.edit("a", old="one", new="two")
    with pytest.raises(ToolError, match="a changed since you last saw it"):
        place.write("a", "two\n")
    assert file.read_text() == "one more\n"


def test_a_file_changed_during_the_approval_is_not_overwritten(place: Any) -> None:
    file = place.put("a", "one\n")
    place.read("a")
    for action in (
        edit_file(place.workspace).prepare({"path": "a", "old": "one", "new": "two"}),
        write_file(place.workspace).prepare({"path": "a", "text": "two\n"}),
    ):
        file.write_text("user\n")
        with pytest.raises(ToolError, match="a changed in the meantime; nothing was written"):
            list(action.run())
        assert file.read_text() == "user\n"
        file.write_text("one\n")
    action = write_file(place.workspace).prepare({"path": "new", "text": "x"})
    place.put("new", "user\n")
    with pytest.raises(ToolError, match="new changed in the meantime"):
        list(action.run())
    (place.root / "new").unlink()
    (place.root / "new").symlink_to("../out")
    with pytest.raises(ToolError, match="new changed in the meantime"):
        list(action.run())
    assert not (place.root / "../out").exists()


def test_consecutive_edits_need_no_new_read(place: Any) -> None:
    file = place.put("a", "one\n")
    place.read("a")
    place.edit("a", old="one", new="two")
    place.edit("a", old="two", new="three")
    place.write("a", "four\n")
    place.edit("a", old="four", new="five")
    assert file.read_text() == "five\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"path": "a"}, "edit_file takes path with old and new, or path with edits"),
        ({"path": "a", "old": "x"}, "edit_file takes path with old and new, or path with edits"),
        (
            {"path": "a", "old": "x", "new": "y", "edits": []},
            "edit_file takes path with old and new, or path with edits",
        ),
        ({"path": "a", "edits": []}, "edit_file: edits is empty"),
        ({"path": "a", "edits": [{"old": "x"}]}, "edit_file: edits needs new; it takes old, new"),
        (
            {"path": "a", "edits": [{"old": "one", "new": "two"}, {"old": "two", "new": "one"}]},
            "the edits leave a as it is",
        ),
        ({"path": "no", "old": "x", "new": "y"}, "there is no file no"),
        ({"path": ".git/config", "old": "x", "new": "y"}, ".git/config belongs to git; use git itself, by run_command"),
        ({"path": "d", "old": "x", "new": "y"}, "d is a folder; list_files shows what is in it"),
        ({"path": "../a", "old": "x", "new": "y"}, "../a is outside of the project; tools work below its root only"),
        (
            {"path": "w", "old": "caf", "new": "→"},
            "w is Windows-1252, which has no U+2192; use another character or convert the file first",
        ),
        (
            {"path": "a", "old": "one", "new": "\ud800"},
            "a is UTF-8, which has no U+D800; use another character or convert the file first",
        ),
    ],
)
def test_invalid_edits_are_refused(place: Any, arguments: dict[str, Any], said: str) -> None:
    for name, data in {"a": b"one\n", "w": b"caf\xe9\n"}.items():
        place.put(name, data)
        place.read(name)
    place.put("d/x", "")
    place.put(".git/config", "")
    with pytest.raises(ToolError) as caught:
        place.call(edit_file, **arguments)
    assert str(caught.value) == said
    assert (place.root / "a").read_bytes() == b"one\n"


def test_several_edits_of_one_call_are_all_made_or_none(place: Any) -> None:
    file = place.put("a", "one\ntwo\n")
    place.read("a")
    with pytest.raises(ToolError, match=r"^edit 2 of 2: old is not in a, .*; nothing was changed$"):
        place.edit("a", edits=[{"old": "one", "new": "1"}, {"old": "never there", "new": "x"}])
    assert file.read_text() == "one\ntwo\n"


def test_an_edit_that_breaks_the_syntax_is_noted(place: Any) -> None:
    place.put("a.py", "def f():\n    return 1\n")
    place.put("broken.py", "def f(:\n")
    place.put("c.json", '{"a": 1}\n')
    for name in ("a.py", "broken.py", "c.json"):
        place.read(name)
    assert place.edit("a.py", old="f():", new="f(:") == "edited a.py: line 1 (+1 −1)\nnote: line 1: invalid syntax"
    assert place.edit("broken.py", old="f(", new="g(") == "edited broken.py: line 1 (+1 −1)"
    assert place.edit("c.json", old="1}", new="1") == (
        "edited c.json: line 1 (+1 −1)\nnote: line 2: Expecting ',' delimiter"
    )


def test_an_ambiguous_edit_names_the_first_places_and_counts_the_rest(place: Any) -> None:
    place.put("a", "".join(f"x{n}\n---\n" for n in range(12)))
    place.read("a")
    said = place.edit("a", edits=[{"old": f"x{n}\n", "new": f"y{n}\n"} for n in range(10)])
    assert said == "edited a: lines 1, 3, 5, 7, 9, 11, 13, 15, 2 more places (+10 −10)"


def test_write_file_creates_files_and_folders(place: Any) -> None:
    action = write_file(place.workspace).prepare({"path": "x/y/z.py", "text": "a = 1\nb = 2\n"})
    assert action.preview == "--- /dev/null\n+++ b/x/y/z.py\n@@ -0,0 +1,2 @@\n+a = 1\n+b = 2\n"
    assert not (place.root / "x").exists()
    assert place.write("x/y/z.py", "a = 1\nb = 2\n") == "created x/y/z.py (2 lines)"
    assert (place.root / "x/y/z.py").read_bytes() == b"a = 1\nb = 2\n"
    assert place.write("empty", "") == "created empty (0 lines)"
    assert place.write("empty", "now\n") == "rewrote empty: line 1 (+1 −0)"


@pytest.mark.parametrize(
    ("old", "text", "new"),
    [
        (b"a\r\nb\r\n", "a\nc\n", b"a\r\nc\r\n"),
        (b"a\r\nb\n", "a\nc\n", b"a\nc\n"),
        (b"a\r\nb\r\nc\n", "x\ny\n", b"x\ny\n"),
        (b"a\rb\r", "x\ny\n", b"x\ry\r"),
        (b"a\r\nb\r\n", "x\r\ny\n", b"x\r\ny\n"),
        (codecs.BOM_UTF8 + b"a\n", "b\n", codecs.BOM_UTF8 + b"b\n"),
        (b"caf\xe9\n", "th\u00e9\n", b"th\xe9\n"),
    ],
)
def test_a_rewritten_file_keeps_its_style(place: Any, old: bytes, text: str, new: bytes) -> None:
    file = place.put("f", old)
    place.read("f")
    place.write("f", text)
    assert file.read_bytes() == new


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("d", "d is a folder; list_files shows what is in it"),
        ("d/", "d/ is a folder; give the path of a file"),
        (".", ". is a folder; give the path of a file"),
        (".GIT/hooks/x", ".GIT/hooks/x belongs to git; use git itself, by run_command"),
        ("bin", "bin is binary (2 bytes); only text can be read and edited"),
        ("same", "same has exactly this text already"),
        ("same/x", "cannot write same/x: a folder on the way is a link or no folder"),
        ("out/x", "out/x is outside of the project; tools work below its root only"),
    ],
)
def test_unwritable_files_are_refused(place: Any, name: str, said: str) -> None:
    place.put("d/x", "")
    place.put("bin", b"\0\1")
    place.put("same", "text\n")
    place.read("same")
    (place.root / "out").symlink_to("/tmp")
    with pytest.raises(ToolError) as caught:
        place.write(name, "text\n")
    assert str(caught.value) == said


def test_a_read_only_file_is_not_replaced(place: Any) -> None:
    file = place.put("a", "one\n")
    file.chmod(0o444)
    place.read("a")
    with pytest.raises(ToolError, match=r"cannot write a: it is read-only \(mode 444\)"):
        place.edit("a", old="one", new="two")
    assert file.read_text() == "one\n"


def test_a_masked_secret_is_never_written_over_the_real_one(place: Any) -> None:
    real = "sk-ant-" + "a1" * 12
    file = place.put("conf.py", f'KEY = "{real}"\nDEBUG = 0\n')
    seen, count = mask(file.read_text())
    assert count == 1
    place.read("conf.py")
    said = "conf.py holds a secret where you see ‹secret: …›; edit the lines around it, and leave it out"
    tries: list[Callable[[], object]] = [
        lambda: place.write("conf.py", seen.replace("0", "1")),
        lambda: place.edit("conf.py", old=seen, new="x"),
        lambda: place.edit("conf.py", old="DEBUG", new=seen),
    ]
    for refused in tries:
        with pytest.raises(ToolError) as caught:
            refused()
        assert str(caught.value) == said
    place.edit("conf.py", old="DEBUG = 0", new="DEBUG = 1")
    assert file.read_text() == f'KEY = "{real}"\nDEBUG = 1\n'


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.binary(max_size=30),
    tail=st.binary(max_size=30),
    words=st.text(alphabet="ab \n", min_size=1, max_size=12),
)
def test_no_byte_outside_the_edit_changes(place: Any, head: bytes, tail: bytes, words: str) -> None:
    head, tail = head.replace(b"\0", b"") + b"\n", b"\n" + tail.replace(b"\0", b"")
    file = place.put("f", head + b"<here>" + tail)
    if (head + tail).count(b"<here>") or head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"%PDF-")):
        return
    place.read("f")
    place.edit("f", old="<here>", new=words)
    changed = file.read_bytes()
    assert changed.startswith(head)
    assert changed.endswith(tail)
    assert changed[len(head) : len(changed) - len(tail)].replace(b"\r\n", b"\n") == words.encode()
