"""Name SQL statements that lock tables, break running code or lose data: check_migration.py FILE.sql..."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

RULES = (
    (r"\bdrop\s+(table|column|schema|database)\b", "loses data; nothing that runs may still name it"),
    (r"\btruncate\b|\bdelete\s+from\s+\S+\s*(?:;|$)", "empties a table"),
    (r"\brename\s+(?:column\s+)?\S*\s*to\b", "code that runs during the deploy still uses the old name"),
    (r"\balter\s+(?:column\s+)?\S+\s+(?:set\s+data\s+)?type\b", "may rewrite the table under an exclusive lock"),
    (r"\bset\s+not\s+null\b", "scans the table under a lock unless a validated check proves it"),
    (
        r"\badd\s+(?:column\s+)?(?!.*\bdefault\b)[^,;]*\bnot\s+null\b",
        "fails on rows that exist: give a default, or fill first",
    ),
    (
        r"\bcreate\s+(?:unique\s+)?index\s+(?!concurrently)",
        "blocks writes on PostgreSQL; CREATE INDEX CONCURRENTLY does not",
    ),
    (
        r"\badd\s+(?:constraint\s+\S+\s+)?(?:foreign\s+key|check)\b(?!.*\bnot\s+valid\b)",
        "checks every row under a lock: NOT VALID, then VALIDATE",
    ),
    (r"\bupdate\s+\S+\s+set\b(?!.*\bwhere\b)", "touches every row in one transaction: batches by key"),
)


def statements(text: str) -> Iterator[tuple[int, str]]:
    """(line, statement) with comments blanked out; text in quotes is left as it is."""
    plain = re.sub(r"--[^\n]*|/\*.*?\*/", lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.DOTALL)
    start = 0
    for part in plain.split(";"):
        lead = len(part) - len(part.lstrip())
        if part.strip():
            yield plain.count("\n", 0, start + lead) + 1, " ".join(part.split()) + ";"
        start += len(part) + 1


def main() -> int:
    """Exit 1 when something was named, 2 when a file cannot be read."""
    if len(sys.argv) < 2:
        sys.stderr.write("check_migration.py FILE.sql...\n")
        return 2
    named = 0
    for name in sys.argv[1:]:
        try:
            text = Path(name).read_text("utf-8", "replace")
        except OSError as error:
            sys.stderr.write(f"{name}: {error.strerror}\n")
            return 2
        fresh = {
            found.lower() for found in re.findall(r"create\s+table\s+(?:if\s+not\s+exists\s+)?([\w.\"]+)", text, re.I)
        }
        for line, statement in statements(text):
            lower = statement.lower()
            if any(re.search(rf"\b(?:table|on|into|update)\s+{re.escape(table)}\b", lower) for table in fresh):
                continue
            for pattern, why in RULES:
                if re.search(pattern, lower):
                    sys.stdout.write(f"{name}:{line}: {why}\n    {statement[:120]}\n")
                    named += 1
    sys.stdout.write(f"{named} to look at\n")
    return 1 if named else 0


if __name__ == "__main__":
    sys.exit(main())
