"""Excerpts of secret files are left out of what git and grep print, and nothing else is."""

from __future__ import annotations

import time

import pytest

from ctxe.safety.excerpts import LEFT_OUT, without_secret_files

DIFF = """commit 1234567890abcdef
Author: A <a@example.invalid>

    Add: things

diff --git a/src/app.py b/src/app.py
--- a/src/app.py
+++ b/src/app.py
@@ -1 +1 @@
-x = 1
+x = 2
diff --git {names}
new file mode 100644
index 0000000..b62e4ac
--- /dev/null
+++ b/.env
@@ -0,0 +1,2 @@
+A=canary
+B=canary
commit abcdef1234567890
    next: one
"""


@pytest.mark.parametrize(
    "names",
    ["a/.env b/.env", ".env .env", '"a/k\\303\\244/.env" "b/k/.env"', "a/main.py b/conf/id_rsa", "i/.env w/.env"],
)
def test_diff_hunks_of_secret_files_become_one_line(names: str) -> None:
    told = without_secret_files(DIFF.format(names=names))
    assert "canary" not in told
    assert told.count("[left out: ") == 1
    assert "+x = 2\n" in told
    assert told.endswith("commit abcdef1234567890\n    next: one\n")


@pytest.mark.parametrize("prefix", [">> ", "\x1b[1m", "| "])
def test_a_prefix_before_every_line_does_not_defeat_the_removal(prefix: str) -> None:
    text = "\n".join(prefix + line for line in DIFF.format(names="a/.env b/.env").split("\n"))
    assert "canary" not in without_secret_files(text)


@pytest.mark.parametrize(
    "line", [".env:A=canary", "./conf/.env:3:A=canary", "HEAD:.env:A=canary", ".env-2-A=canary", "id_rsa=7=canary"]
)
def test_grep_matches_in_secret_files_are_left_out(line: str) -> None:
    name = line.removeprefix("HEAD:").partition(":")[0]
    name = {".env-2-A=canary": ".env", "id_rsa=7=canary": "id_rsa"}.get(line, name)
    assert (
        without_secret_files(f"a.py:1:x\n{line}\n{line}\nb.py:2:y")
        == f"a.py:1:x\n{LEFT_OUT.format(name=name)}\nb.py:2:y"
    )


@pytest.mark.parametrize(
    "line",
    [
        "my app/.env:A=canary",
        "my app/.env:3:A=canary",
        '"na\\303\\257ve/.env":A=canary',
        "HEAD@{2026-01-01 10:00:00}:conf/.env:A=canary",
        "HEAD^{/fix: all}:.env:A=canary",
    ],
)
def test_names_with_blanks_quotes_and_times_are_names_too(line: str) -> None:
    assert "canary" not in without_secret_files(f"a.py:1:x\n{line}\nb.py:2:y")


@pytest.mark.parametrize("head", ["secrets.yml", "HEAD:secrets.yml", '"k\\303\\244/.env"'])
def test_lines_beside_a_found_one_are_left_out_without_numbers_too(head: str) -> None:
    text = f"{head}=canary\n{head}-canary\n{head}:found\n{head}-canary\n--\n{head[:4]}-other"
    kept = without_secret_files(text)
    assert "canary" not in kept
    assert kept.endswith(f"\n--\n{head[:4]}-other")
    assert without_secret_files(f"{head.strip(chr(34))}-example") == f"{head.strip(chr(34))}-example", "nothing found"


@pytest.mark.parametrize(
    "text",
    [
        "write the keys into config/.env: one a line",
        "its example is conf/.env:",
        "",
        "plain words\n",
        "cat: .env: No such file or directory",
        "12\t.env: is mentioned in a file",
        "a.py:1:import .env: here",
        "key: value: .env: x",
        "diff --git a/src/a.py b/src/a.py\n+x",
        "-rw-r--r-- 1 me me 12 Nov 21 15:32 .env",
        "On branch main\nChanges not staged:\n\tmodified:   .env\n",
    ],
)
def test_text_about_other_files_is_unchanged(text: str) -> None:
    assert without_secret_files(text) == text


def test_a_megabyte_is_read_quickly() -> None:
    text = "src/app.py:12:" + "x" * 60 + "\n"
    began = time.process_time()
    assert without_secret_files(text * 14_000) == text * 14_000
    assert time.process_time() - began < 1


def test_many_secret_files_take_no_time_either() -> None:
    text = "".join(f"{number}/.env:A=canary\n{number}/.env-canary\n" for number in range(30_000))
    began = time.process_time()
    assert "canary" not in without_secret_files(text)
    assert time.process_time() - began < 2
