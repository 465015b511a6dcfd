"""Patterns of commands of various tools that lose work, each with the loss in words."""

from __future__ import annotations

import re

from ctxe.domain.pattern import pattern

PHRASES = (
    (pattern(r"\bdb:(?:drop|reset|purge)\b"), "empties a database"),
    (pattern(r"\bmanage\.py\s+(?:flush|reset_db|sqlflush)\b"), "empties a database"),
    (pattern(r"\bprisma\s+(?:migrate\s+reset|db\s+push\s+.{0,200}--force-reset)"), "empties a database"),
    (pattern(r"\bflyway\s.{0,200}\bclean\b|\bliquibase\s.{0,200}\bdrop-?all\b"), "empties a database"),
    (pattern(r"\b(?:terraform|tofu)\s+(?:destroy|apply)\b|\bpulumi\s+(?:destroy|up)\b"), "changes infrastructure"),
    (
        pattern(r"\bkubectl\s+(?:\S+\s+){0,12}(?:delete|drain|replace)\b|\bhelm\s+(?:uninstall|delete)\b"),
        "removes from a cluster",
    ),
    (
        pattern(
            r"\b(?:docker|podman|nerdctl)\s+(?:\S+\s+){0,12}(?:prune|rm|rmi|kill)\b"
            r"|\bdocker[ -]compose\s+.{0,200}\bdown\b"
        ),
        "removes containers",
    ),
    (
        pattern(
            r"\baws\s+.{0,200}(?:\b(?:rm|rb|delete-\w+|terminate-\w+)\b|\s--delete\b)|\bgcloud\s+.{0,200}\bdelete\b|\baz\s+.{0,200}\bdelete\b"
        ),
        "removes from a cloud",
    ),
    (
        pattern(
            r"\bgsutil\s+(?:\S+\s+){0,6}(?:rm|rb)\b|\brclone\s+(?:\S+\s+){0,6}(?:purge|delete\w*|cleanup)\b|\brestic\s+.{0,200}\bforget\b"
            r"|\b(?:heroku|fly|flyctl|vercel|netlify|railway|doctl|wrangler|firebase|supabase)\s+.{0,200}\b(?:destroy|delete|remove|rm)\b"
        ),
        "removes from a cloud",
    ),
    (
        pattern(r"\bzfs\s+destroy\b|\bbtrfs\s+subvolume\s+delete\b|\blvremove\b|\buserdel\b"),
        "removes from this machine",
    ),
    (
        pattern(
            r"\b(?:npm|yarn|pnpm|cargo|gem|poetry|uv|hatch|flit)\s+(?:un)?publish\b|\btwine\s+upload\b|\bgem\s+push\b"
        ),
        "publishes a package",
    ),
    (pattern(r"\bgh\s+(?:repo|release|issue|secret|run|pr)\s+(?:delete|close|archive)\b"), "removes from GitHub"),
    (pattern(r"\bcrontab\s+(?:\S+\s+){0,12}-\w*r"), "removes scheduled jobs"),
    (
        pattern(r"\brsync\s+.{0,200}--del(?:ete)?\S*|\btar\s+.{0,200}--remove-files|\bzip\s+(?:\S+\s+){0,12}-\w*m"),
        "deletes files",
    ),
    (
        pattern(
            r"\b(?:rimraf|del-cli)\s|\bRemove-Item\s.{0,200}-Rec|\bDeno\.remove|\bparallel\s+(?:\S+\s+){0,12}rm\b", re.I
        ),
        "deletes files",
    ),
    (
        pattern(
            r"\bxargs\s.{0,200}\bgit\s+checkout\b|\bhg\s+(?:purge|strip|revert|up(?:date)?\s+.{0,200}(?:-C|--clean))\b"
            r"|\bsvn\s+revert\b|\bjj\s+(?:abandon|restore)\b"
        ),
        "throws away changes to files",
    ),
    (pattern(r"\bkill\s+(?:-\S+\s+)?-1\b|\bkill\s+-(?:9|KILL)\s+1\b"), "ends every process"),
    (pattern(r"\bhistory\s+-c\b|\bchattr\b|\bumount\b"), "changes the machine"),
    (
        pattern(r"\bchmod\s+(?:\S+\s+){0,12}-\w*R|\bchown\s+(?:\S+\s+){0,12}-\w*R"),
        "changes the rights of many files",
    ),
)
