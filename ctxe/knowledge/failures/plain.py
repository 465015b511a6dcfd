"""Removes from program output what varies from run to run, and what identifies a person or machine."""

from __future__ import annotations

import re

from ctxe.domain.pattern import pattern

MESSAGE = 200
"""Characters of an error message that are kept."""

_TEMPORARY = pattern(
    r"(?:/private)?(?:/var/folders/\w+/\w+/[A-Z]|/tmp|/var/tmp|/dev/shm|[A-Za-z]:\\[^\s'\"]*?\\Temp)"
    r"[/\\][^\s'\",:;)\]}]*"
)
_HOME = pattern(
    r"(?:(?<![\w.~)\]-])|(?<=-[A-Z]))(?:(?:(?:/[\w.-]+){0,2}?/(?:home|Users)/|[A-Za-z]:\\Users\\)[^/\\\s'\":)]+|/root(?=/))"
)
"""A user's home folder, also below a mount point. A project folder named ``home`` does not match."""
_ROLES = (
    r"(?:git|hg|svn|root|admin|deploy|ubuntu|debian|fedora|centos|ec2-user|azureuser|vagrant|runner|jenkins|postgres"
    r"|nobody|www-data)@"
)
"""Login names that identify no person: ``git@github.com`` says what was called."""
_PERSON = pattern(
    rf"(?:(?<![\w./@+:%-])|(?<=://))(?!{_ROLES})[A-Za-z_][\w.+-]*@(?="
    r"(?!v?\d+\.\d+\.\d+(?:[-+]|$))(?:[\w-]+\.)+(?:[A-Za-z]{2,}\b|\(none\))"  # not the version of a package
    r"|\d{1,3}(?:\.\d{1,3}){3}\b|localhost\b"
    r"|(?!(?:npm|workspace|file|link|portal|patch|latest|next|main|master|head)\b)"
    r"[A-Za-z][\w-]*(?::\s|:[~/]|:\d{2,5}\b|'s ))"
)
_LOGIN = pattern(
    rf"(\b(?:ssh|scp|sftp|rsync|mosh)\b[^\n|;&@]{{0,80}}?\s|\[)(?!{_ROLES})[A-Za-z_][\w.+-]*@(?=[A-Za-z][\w-]*[\s:])"
)
_UUID = pattern(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_TIME = pattern(
    r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?|\b\d\d:\d\d:\d\d(?:[.,]\d+)?"
)
_ADDRESS = pattern(r"\b0x[0-9a-fA-F]+\b")
_HASH = pattern(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b")
_NUMBER = pattern(r"(?<![A-Za-z_\d])[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?(?:ms|s|kB|MB|GB|%)?(?![A-Za-z_])")
_PARAMETER = pattern(r"(::[\w.]+|\btest_\w+)\[[^\n]*?\](?=$|[\s,;:)'\"])")
_SPACE = pattern(r"\s+")


def plain_message(text: str, root: str = "") -> str:
    """An error message without what varies from run to run, on one line, at most MESSAGE characters.

    Replaced: the project's folder, temporary and home folders, times, ids, hashes, addresses, numbers.
    """
    text = _without_users(relative(text[: MESSAGE * 20], root))
    for shape, stands in (
        (_TEMPORARY, "<tmp>"),
        (_HOME, "~"),
        (_UUID, "<id>"),
        (_TIME, "<time>"),
        (_ADDRESS, "<address>"),
        (_HASH, "<hash>"),
        (_NUMBER, "<n>"),
    ):
        text = shape.sub(stands, text)
    return _SPACE.sub(" ", text).strip()[:MESSAGE]


def relative(text: str, root: str) -> str:
    """The text with paths below ``root`` (an absolute folder) made relative to it."""
    folder = root.rstrip("/\\")
    if len(folder) < 2:
        return text
    text = re.sub(rf"{re.escape(folder)}[/\\]", "", text)
    return re.sub(rf"{re.escape(folder)}(?=[\s'\":;,)]|$)", ".", text)


def impersonal(text: str, root: str = "") -> str:
    """The text without the project's folder, home folders and user names before an ``@``."""
    return _without_users(_HOME.sub("~", relative(text, root)))


def _without_users(text: str) -> str:
    """The text without user names before an ``@``. The host or address is enough, and is what a later call needs."""
    if "@" not in text:
        return text
    return _LOGIN.sub(r"\1<user>@", _PERSON.sub("<user>@", text))


def plain_test(name: str) -> str:
    """A test id without its parameters."""
    return _PARAMETER.sub(r"\1", name)
