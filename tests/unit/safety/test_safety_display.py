"""Text from outside can neither control a terminal nor hide anything from a person."""

import time

import pytest

from ctxe.safety.display import Hidden, exact, one_line, strip_invisible, strip_sequences, visible

SEQUENCES = {
    "colour": "\x1b[31;1m",
    "truecolour": "\x1b[38:2::1:2:3m",
    "clear": "\x1b[2J",
    "private mode": "\x1b[?1049h",
    "cursor query": "\x1b[6n",
    "device attributes": "\x1b[>0c",
    "scroll region": "\x1b[1;2r",
    "title": "\x1b]0;mine\x07",
    "title, string end": "\x1b]2;mine\x1b\\",
    "clipboard": "\x1b]52;c;cm0gLXJmIC8=\x07",
    "palette query": "\x1b]4;1;?\x1b\\",
    "notification": "\x1b]777;notify;a;b\x07",
    "device control": '\x1bP$q"p\x1b\\',
    "sixel": "\x1bPq#0;2;0;0;0~-\x1b\\",
    "application": "\x1b_Gf=100;AAAA\x1b\\",
    "privacy": "\x1b^secret\x1b\\",
    "start of string": "\x1bXsecret\x1b\\",
    "charset": "\x1b(0",
    "reset": "\x1bc",
    "save cursor": "\x1b7",
    "eight bits": "\x1b%G",
    "C1 CSI": "\x9b2J",
    "C1 OSC": "\x9d0;mine\x9c",
    "C1 DCS": "\x90q\x9c",
}


def safe(text: str) -> bool:
    return all(c in "\n\t" or not (ord(c) < 32 or 127 <= ord(c) < 160) for c in text)


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES.keys())
def test_whole_escape_sequences_are_removed(sequence: str) -> None:
    assert visible(f"before{sequence}after") == "beforeafter"
    assert strip_sequences(f"before{sequence}after") == "beforeafter"


def test_a_terminal_hyperlink_keeps_its_text() -> None:
    assert visible("\x1b]8;;http://trap.test\x1b\\docs\x1b]8;;\x1b\\") == "docs"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x07b", "a‹U+0007›b"),
        ("a\bb\x7f", "a‹U+0008›b‹U+007F›"),
        ("50%\r100%", "50%‹U+000D›100%"),
        ("one\r\ntwo", "one\ntwo"),
        ("a\x00b", "a‹U+0000›b"),
        ("\x07" * 40, "‹U+0007 ×40›"),
        ("a\x85b\x8d", "a‹U+0085›b‹U+008D›"),
        ("a\u2028b", "a‹U+2028›b"),
        ("name\udc80", "name‹U+DC80›"),
        ("pay\u202exe.cod", "pay‹U+202E›xe.cod"),
        ("\u2066a\u2069", "‹U+2066›a‹U+2069›"),
        ("zero\u200bwidth", "zero‹U+200B›width"),
        ("\U000e0041\U000e0042", "‹U+E0041›‹U+E0042›"),
        ("\x1b\x1b[m[2J", "‹U+001B›[2J"),
        ("\x1b]0;never ends", "‹U+001B›]0;never ends"),
        ("\x1b]0;" + "x" * 5000 + "\x07", "‹U+001B›]0;" + "x" * 5000 + "‹U+0007›"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
        ("tab\tand\nline", "tab\tand\nline"),
    ],
)
def test_remaining_control_characters_are_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


KEPT = [
    "👩‍💻 👨‍👩‍👧‍👦 ❤️‍🔥 🏳️‍🌈 👍🏽 1️⃣ #️⃣ ©️ ‼️ ☺︎",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "שלום עולם",
    "مرحبا بالعالم (API)\u200f.",
    "می\u200cخواهم",
    "क्\u200dष श्री",
    "สวัสดี\u200bชาวโลก",
    "日本語 中文 한국어",
    "naïve café e\u0301",
]


@pytest.mark.parametrize("text", KEPT)
def test_text_of_all_languages_and_emoji_are_unchanged(text: str) -> None:
    assert strip_invisible(text) == (text, ())
    assert visible(text) == text


def tags(words: str) -> str:
    return "".join(chr(0xE0000 + ord(c)) for c in words)


@pytest.mark.parametrize(
    ("text", "clean", "found"),
    [
        (
            "a\nb" + tags("run it") + "c",
            "a\nbc",
            Hidden(2, 6, ("U+E0020", "U+E0069", "U+E006E", "U+E0072", "U+E0074", "U+E0075"), "run it"),
        ),
        ("x\u200by", "xy", Hidden(1, 1, ("U+200B",))),
        ("x\u200d\u200dy", "xy", Hidden(1, 2, ("U+200D",))),
        ("`\u200d|", "`|", Hidden(1, 1, ("U+200D",))),
        ("<\ufe0f=", "<=", Hidden(1, 1, ("U+FE0F",))),
        ("ab\u200ccd", "abcd", Hidden(1, 1, ("U+200C",))),
        ("ok\u200e\n", "ok\n", Hidden(1, 1, ("U+200E",))),
        ("\n\nif \u2067x\u2069", "\n\nif x", Hidden(3, 2, ("U+2067", "U+2069"))),
        ("a\u202eb\u202c", "ab", Hidden(1, 2, ("U+202C", "U+202E"))),
        ("😀" + "\ufe01\U000e0120\U000e0133", "😀", Hidden(1, 3, ("U+FE01", "U+E0120", "U+E0133"))),
        ("😀\ufe0f\ufe0f", "😀", Hidden(1, 2, ("U+FE0F",))),
        ("a\ufe0f", "a", Hidden(1, 1, ("U+FE0F",))),
        ("soft\u00adhyphen", "softhyphen", Hidden(1, 1, ("U+00AD",))),
        ("mid\ufeffdle", "middle", Hidden(1, 1, ("U+FEFF",))),
        ("\u3164\u115f", "", Hidden(1, 2, ("U+115F", "U+3164"))),
        (
            "🏴" + tags("gbevil\x7f"),
            "🏴",
            Hidden(1, 7, ("U+E0062", "U+E0065", "U+E0067", "U+E0069", "U+E006C", "U+E0076", "U+E007F"), "gbevil"),
        ),
    ],
)
def test_invisible_characters_are_removed_and_reported(text: str, clean: str, found: Hidden) -> None:
    assert strip_invisible(text) == (clean, (found,))


def test_a_byte_order_mark_is_not_reported() -> None:
    assert strip_invisible("\ufeff# Title") == ("# Title", ())


def test_exact_display_shows_every_character() -> None:
    assert exact("echo \x1b[8mrm -rf x\x1b[0m") == "echo ‹U+001B›[8mrm -rf x‹U+001B›[0m"
    assert exact("ls\r\nrm x") == "ls‹U+000D›\nrm x"
    assert exact("ls" + " " * 400 + "; rm x") == "ls‹400 spaces›; rm x"
    assert exact("ls" + "\n" * 60 + "rm x") == "ls‹60 line ends›\nrm x"
    assert exact("ls\u00a0x\u3000") == "ls‹U+00A0›x‹U+3000›"
    assert exact("ls    x\n\nls") == "ls    x\n\nls"


def test_one_line_display_is_one_short_line() -> None:
    assert one_line("a\nb\x1b[2J\tc") == "a b c"
    assert one_line("x" * 900, 10) == "x" * 9 + "…"


@pytest.mark.parametrize(
    "text",
    [
        "x" * 5_000_000,
        "\a" * 1_000_000,
        "\x1b]" * 300_000,
        ("\x1b]" + "a" * 4090) * 300,
        "a\u200e" * 100_000,
        "\x1b[31mred\x1b[0m\n" * 50_000,
    ],
    ids=["plain", "bells", "open strings", "long strings", "marks", "colours"],
)
def test_large_text_is_cleaned_quickly(text: str) -> None:
    started = time.process_time()
    assert safe(visible(text))
    strip_invisible(text)
    assert time.process_time() - started < 5
