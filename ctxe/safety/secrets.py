"""Keeping secrets from models: masking keys in text, recognising files with keys, and cleaning environments."""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ctxe.domain.pattern import pattern
from ctxe.lexical.tables import word_set
from ctxe.safety.programs import CHILD_GUARDS
from ctxe.safety.shapes import SHAPES

KEY_LENGTH = 8_000
"""Characters of a private key that are searched before its last line."""
OWN_LENGTH = 8
"""Characters of one of our keys below which it is not looked for, since it could be an ordinary word."""
SURE_LENGTH = 16
"""Characters of one of our keys from which it is also looked for in base64."""
END_LENGTH = 20
"""Characters at either end of one of our keys by which it is recognised when the rest was cut off."""


NAMES = tuple(
    word_set(
        "secret token passw passphrase api_key apikey api-key access_key accesskey access-key private_key privatekey"
    )
    | word_set("private-key credential auth_key authkey _key= _key: _key\" _key' _key= _pwd _auth")
)
_ASSIGNMENT = pattern(
    r"[\w.-]{0,40}(?:[\"'`]\]?)?[ \t]{0,8}(?::=|=>|[:=])[ \t]{0,8}([\"'`]?)"
    r"(?P<value>[^\s\"'`,;(){}<>\[\]$\\=]{6,400}={0,2})"
)
# a setting in capitals on a line of its own may be masked with less evidence than an expression in code
_OPENS = pattern(r"(?:^|[\n+:\- \t])[A-Z][A-Z0-9_]*$|^[A-Z]$")
_DOTENV = pattern(r"[A-Z0-9_]{1,60}=([\"']?)(?P<value>[^\s\"'$(){}]{4,200})\1[ \t]*(?:#[^\n]*)?$", re.M)
_PLACEHOLDER = pattern(
    r"(?i:(?:your|my|the|a|an|some|any|example|sample|dummy|fake|test|testing|changeme|change|replace|placeholder"
    r"|todo|none|null|nil|true|false|secret|password|passwd|pass|pwd|token|key|undefined|string|str|int|os|process|env|config|settings"
    r"|self|https?|urn)"
    r"(?![a-z0-9])[\w.:*/ -]{0,60}|x{3,}|[*.-]{3,}|[\d.]+|/.*|[\w-]{0,20}\.\.\.)"
)


def mask(text: str, own_keys: Sequence[str] = ()) -> tuple[str, int]:
    """The text with everything that looks like a key replaced by ``‹secret: kind›``, and the number of replacements.

    ``own_keys`` are our API keys, which are found wherever they occur, whatever their format.
    """
    text, count = hide_own(text, own_keys)
    spans = sorted(_secret_spans(text))
    pieces, copied = list[str](), 0
    for start, end, name in spans:
        if start >= copied:
            pieces += (text[copied:start], f"‹secret: {name}›")
            copied = end
            count += 1
    return ("".join(pieces) + text[copied:] if pieces else text), count


def hide_own(text: str, own_keys: Sequence[str]) -> tuple[str, int]:
    """The text with exactly these values replaced, also in base64, and the number of replacements.

    The beginning or end of a long value that was cut off is replaced, too.
    """
    count = 0
    forms = [form for value in own_keys if len(value) >= OWN_LENGTH for form in (value, *_encoded(value))]
    for value in sorted(forms, key=len, reverse=True):
        if value in text:
            count += text.count(value)
            text = text.replace(value, "‹secret: our own key›")
    for value in own_keys:
        for part in _cut_off(text, value) if len(value) > END_LENGTH else ():
            count += text.count(part)
            text = text.replace(part, "‹secret: our own key›")
    return text, count


def _cut_off(text: str, value: str) -> Iterator[str]:
    """The longest beginning and the longest end of a value that are in a text, if they are long enough."""
    sizes = range(len(value) - 1, END_LENGTH - 1, -1)
    if value[:END_LENGTH] in text:
        yield next(value[:size] for size in sizes if value[:size] in text)
    if value[-END_LENGTH:] in text:
        yield next(value[-size:] for size in sizes if value[-size:] in text)


def _encoded(value: str) -> Iterator[str]:
    """The base64 of a long value in each of its three alignments, without characters that depend on the context."""
    if len(value) < SURE_LENGTH:
        return
    data = value.encode()
    for skip in range(3):
        encoded = b64encode(b"\0" * skip + data).decode()
        yield encoded[(skip * 8 + 5) // 6 : (skip + len(data)) * 8 // 6]


def _secret_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of everything that looks like a secret, unordered and possibly overlapping."""
    for shape in SHAPES:
        for position in _places(text, shape.marks):
            if (match := shape.pattern.match(text, position)) is None:
                continue
            group = 1 if match.re.groups else 0
            if group == 0 or not _PLACEHOLDER.fullmatch(match[1]):
                yield match.start(group), match.end(group), shape.name
    for position in _places(text, ("-----END ",)):
        if _KEY_END.match(text, position) and (start := _start_of_key(text, position)) < position:
            yield start, position, "private key"
    lowered = text.lower() if text.isascii() or len(text.lower()) == len(text) else text
    for position in _places(lowered, NAMES):
        assignment = _ASSIGNMENT.match(text, position)
        if assignment is not None and (
            _is_random(assignment["value"], quoted=bool(assignment[1])) or _is_random_setting(text, assignment)
        ):
            yield *assignment.span("value"), "value"
    for position in _places(text, ("KEY", "SECRET", "TOKEN", "PASS", "PWD", "CREDENTIAL")):
        line = _DOTENV.match(text, position) if _OPENS.search(text, max(position - 60, 0), position + 1) else None
        if line is not None and not _PLACEHOLDER.fullmatch(line["value"]):
            yield *line.span("value"), "value"


def _places(text: str, substrings: Sequence[str]) -> Iterator[int]:
    for mark in substrings:
        position = text.find(mark)
        while position >= 0:
            yield position
            position = text.find(mark, position + len(mark))


def refuse(text: str, own_keys: Sequence[str] = ()) -> str:
    """Why a text must not be stored, when it holds something like a key; empty when it may."""
    masked, count = mask(text, own_keys)
    if count == 0:
        return ""
    kinds = dict.fromkeys(re.findall(r"‹secret: ([^›]+)›", masked))
    return f"it seems to contain a secret ({', '.join(kinds) or 'key'}); write it without"


def _is_random(value: str, *, quoted: bool) -> bool:
    """Whether a value looks generated: long, mixed, and of high entropy (bits per character)."""
    if len(value) < (12 if quoted else 20) or "‹" in value or "://" in value:
        return False
    if _PLACEHOLDER.fullmatch(value):
        return False
    digits = sum(character.isdigit() for character in value)
    kinds = (
        (digits > 0) + any(character.islower() for character in value) + any(character.isupper() for character in value)
    )
    looks_like_code = (
        not quoted and not (_MIXED.fullmatch(value) and kinds == 3 and digits > 2) and not _HEX.fullmatch(value)
    )
    counts = Counter(value)
    entropy = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    return not looks_like_code and kinds >= 2 and digits > 0 and entropy >= 3.0


def _start_of_key(text: str, end: int) -> int:
    """The start of the key whose last line is at ``end``; ``end`` when no lines of a key precede it."""
    begin = text.rfind("\n", 0, end) + 1
    start = end
    while begin and end - begin < KEY_LENGTH:
        line = text.rfind("\n", 0, begin - 1) + 1
        if _KEY_LINE.fullmatch(text, line, begin - 1) is None:
            break
        start = begin = line
    return start


def _is_random_setting(text: str, assignment: re.Match[str]) -> bool:
    """Whether an unquoted value at the end of a line, as in settings, is too random to be a name in code."""
    value = assignment["value"]
    if assignment[1] or len(value) < 12 or not _LINE_ENDS.match(text, assignment.end()):
        return False
    changes = len(_CHANGE.findall(value))
    return changes >= 5 and _RANDOM.fullmatch(value) is not None


# for a key whose beginning was cut off: whole lines of base64, which may have line numbers or diff marks
_LINE_ENDS = pattern(r"[ \t]*(?:\r?\n|\Z)")
_CHANGE = pattern(r"(?<=[a-z])[A-Z]|(?<=[A-Za-z])[0-9]|(?<=[0-9])[A-Za-z]")
"""A change from lower to upper case, or between letters and digits."""
_RANDOM = pattern(r"[A-Za-z0-9+/!#%&*~^@-]+={0,2}")
_KEY_END = pattern(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINE = pattern(r"[^\nA-Za-z]{0,20}[A-Za-z0-9+/=]{16,}\r?")
_MIXED = pattern(r"[A-Za-z0-9+/=_-]+")
_HEX = pattern(r"[0-9a-f]{32,}")
_EXAMPLE = pattern(r"[._-](?:example|sample|template|tmpl|dist|defaults?|schema|test|tests|ci|spec|d\.ts)\b")
_STAGE = r"(?:[._-](?:prod|production|dev|development|stage|staging|live|local))?"
_SECRET_NAME = pattern(
    r"\.env(?:rc)?(?:[._-].+)?|.+\.env|id_(?:rsa|dsa|ecdsa|ed25519)(?:_\w+)?"
    r"|.*\.(?:p12|pfx|jks|keystore|kdbx|ppk|tfstate|tfvars|tfvars\.json|key)"
    r"|(?!.*(?:cert|chain|public|\bca\b|cacert|bundle)).*\.pem|\.?(?:netrc|pgpass|npmrc|pypirc|git-credentials|htpasswd|dockercfg|boto|s3cfg)"
    r"|_netrc|\.my(?:login)?\.cnf|\.vault-token|\.?vault[-_]pass(?:word)?(?:\.txt)?|kubeconfig(?:\.ya?ml)?|rclone\.conf|wallet\.dat"
    rf"|\.?(?:credentials?|secrets?){_STAGE}(?:\.(?:json|ya?ml|toml|ini|cfg|xml|txt|env|properties))?"
    r"|.*service[-_]?account.*\.json|.*client[-_]?secrets?.*\.json|.*firebase[-_]adminsdk.*\.json"
    r"|application_default_credentials\.json|auth\.json|master\.key|.*[._-]token|\.(?:bash|zsh|psql|mysql|sqlite)_history"
)
_COPY = pattern(r"^#|[~#]$|(?:\.(?:bak|old|orig|save|backup|copy|swp))+$")
"""What editors and people add to the name of a file that they keep."""
_SECRET_FOLDER = pattern(
    r"(?:^|/)(?:\.ssh|\.gnupg|\.aws|\.azure|\.kube|\.config/(?:gh|gcloud|hub)|\.docker)/(?!.*(?:\.pub|known_hosts)$)"
)


def is_secret_file(path: str) -> bool:
    """Whether a file holds keys, by its name and folders (``.env``, ``id_rsa``, ``credentials.json``)."""
    lowered = path.replace("\\", "/").casefold()
    name = _COPY.sub("", lowered.rstrip("/").rpartition("/")[2])
    if _SECRET_FOLDER.search(lowered):
        return True
    return _SECRET_NAME.fullmatch(name) is not None and not _EXAMPLE.search(name)


_SECRET_VARIABLE = pattern(
    r"(?:^|_)(?:API_?KEYS?|KEY|TOKENS?|SECRETS?|PASSWORD|PASSWD|PASS|PASSPHRASE|CREDENTIALS?|PRIVATE_?KEY|ACCESS_?KEY(?:_ID)?"
    r"|COOKIES?|PAT|AUTH|DSN|CONNECTION_STRING)(?:_|$|[0-9])|APIKEY|^(?:ANTHROPIC|OPENAI|CTXE)_"
)
_STEERING = pattern(
    r"LD_.+|DYLD_.+|BASH_ENV|ENV|BASH_FUNC_.+|BASHOPTS|SHELLOPTS|PROMPT_COMMAND|PS[0-4]|IFS|CDPATH|GLOBIGNORE|PYTHONSTARTUP"
    r"|PYTHONINSPECT|PYTHONBREAKPOINT|PERL5OPT|PERL5DB|RUBYOPT|NODE_OPTIONS|RIPGREP_CONFIG_PATH|GREP_OPTIONS|LESSOPEN|LESSCLOSE"
    r"|(?:GIT|MAN|SYSTEMD_)?PAGER|EDITOR|VISUAL|SSH_ASKPASS|SUDO_ASKPASS|_?JAVA_(?:TOOL_)?OPTIONS|JDK_JAVA_OPTIONS|PYTHONHOME"
    r"|GIT_(?!AUTHOR_|COMMITTER_).+"
)


def clean_environment(env: Mapping[str, str], own_keys: Sequence[str] = ()) -> dict[str, str]:
    """The environment for commands that a model asks for, without keys and variables that control programs.

    Variables that are named like secrets or hold one are dropped, and so are those that inject code (``LD_PRELOAD``,
    ``BASH_ENV``, ``GIT_*``) and relative entries of PATH; pagers, prompts and git's fsmonitor are switched off.
    """
    values = [value for value in own_keys if len(value) >= OWN_LENGTH]
    cleaned = {
        name: value
        for name, value in env.items()
        if not _STEERING.fullmatch(name)
        and (name == "SSH_AUTH_SOCK" or not _SECRET_VARIABLE.search(name.upper()))
        and not any(secret in value for secret in values)
        and mask(value)[1] == 0
    }
    if "PATH" in cleaned:
        cleaned["PATH"] = ":".join(entry for entry in cleaned["PATH"].split(":") if entry.startswith("/"))
    return cleaned | CHILD_GUARDS
