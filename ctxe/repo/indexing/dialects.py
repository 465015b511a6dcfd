"""Definitions in forms that only one language has, for languages without a grammar."""

from __future__ import annotations

from ctxe.domain.pattern import pattern

_PLAIN = (
    r"(?:public|private|protected|internal|static|final|readonly|override|virtual|abstract|sealed|async|new|required)"
)
_STATEMENTS = """return await throw new else if yield case goto using in is as not and or assert import export package
lock do get set when where switch for foreach while catch finally try on super this base delete const with"""
_TYPED = (
    rf"[ \t]*(?:@\w+ |\[[^\]]*\][ \t]*)*(?!(?:{'|'.join(_STATEMENTS.split())})\b)(?![^(]*\b(?:record|class|struct)\b)"
    r"[A-Za-z_](?:[\w.<>\[\]?]|,[ ]|[ ](?=[\w<]))*[ ](?P<name>\w+)(?:<[^>()]*>)?\("
)
"""A type, a name and an open parenthesis: no statement of these languages looks like this."""
_LISP = r"[ \t]*\((?:cl-)?(?:def\w*(?:-\w+)*|ns)[ \t]+\(?(?:\^[\w:{} ]+[ ])?(?P<name>[^\s()\[\]'^:\"]+)"

DIALECTS = {
    language: tuple(map(pattern, forms))
    for language, forms in {
        "csharp": (
            _TYPED,
            rf"[ \t]*(?:\[[^\]]*\][ \t]*)*(?:{_PLAIN}[ ])+[\w.<>\[\],?]+[ ]"
            r"(?P<property>\w+)[ ]*(?:\{[ ]*(?:get|set|init)\b|=>|$)",
            rf"[ \t]*(?:{_PLAIN}[ ])+const[ ][\w.]+[ ](?P<constant>\w+)[ ]*=",
        ),
        "dart": (_TYPED, r"[ \t]*(?:static[ ])?[\w<>?, ]+[ ]get[ ](?P<property>\w+)"),
        "kotlin": (r"[ \t]*(?:\w+[ ])*const[ ]val[ ](?P<constant>\w+)",),
        "ocaml": (r"[ \t]*(?:let|and)[ ](?:rec[ ])?(?P<name>[a-z_]\w*)",),
        "swift": (
            r"(?:[ \t]*(?:(?!if|guard|case|while|else|return)@?\w+(?:\(\w+\))?[ ])+|)let[ ](?P<constant>\w+)",
            r"[ \t]*(?:@?\w+(?:\(\w+\))?[ ])*var[ ](?P<property>\w+)[ ]*:[^={]+\{[ ]*(?:get\b.*|[^}]*\})?$",
        ),
        "php": (r"[ \t]*(?:\w+[ ])*const[ ](?:\w+[ ])?(?P<constant>[A-Z]\w*)[ ]*=",),
        "powershell": (r"[ \t]*(?i:function|filter)[ ]+(?:\w+:)?(?P<name>\w+(?:-\w+)*)",),
        "solidity": (r"[ \t]*(?:modifier|event|error)[ ](?P<name>\w+)",),
        "fsharp": (
            r"[ \t]*let[ ](?:rec[ ]|inline[ ]|mutable[ ])*(?P<name>[A-Za-z_]\w*)",
            r"[ \t]*(?:static[ ]|abstract[ ]|override[ ])*(?:member|override)[ ](?:\w+\.)?(?P<name>\w+)",
        ),
        "haskell": (
            r"(?:data|newtype|type(?:[ ]family)?|class)[ ](?:[^=]*=>[ ]*)?(?P<type>[A-Z][\w']*)",
            r"(?P<name>[a-z_][\w']*)[ ]*::",
        ),
        "erlang": (r"-record\((?P<type>\w+)", r"(?P<name>[a-z]\w*)\("),
        "r": (r"[ \t]*(?P<name>[\w.]+)[ ]*(?:<-|=)[ ]*function\b", r"set(?:Ref)?Class\([\"'](?P<type>[\w.]+)"),
        "lua": (
            r"[ \t]*(?:local[ ])?function[ ](?:\w+[.:])*(?P<name>\w+)",
            r"[ \t]*(?:local[ ])?(?:\w+[.])*(?P<method>\w+)[ ]*=[ ]*function\b",
        ),
        "zig": (r"[ \t]*(?:pub[ ])?const[ ](?P<type>\w+)[ ]*=[ ]*(?:extern[ ]|packed[ ])?(?:struct|enum|union)\b",),
        "objc": (
            r"@(?:interface|implementation|protocol)[ ]+(?P<type>\w+)",
            r"[-+][ ]*\([^)]*\)[ ]*(?P<method>\w+)",
            r"(?!return|else|@|typedef)[A-Za-z_][\w \t*]*[ *](?P<name>\w+)\([^;]*$",
        ),
        "vue": (
            r"[ \t]*(?:export[ ])?(?:const|let)[ ](?P<name>\w+)[ ]*=[ ]*(?:async[ ]*)?"
            r"(?:function\b|\([^)]*\)[^=]*=>|\w+[ ]=>)",
            r"[ \t]+(?:async[ ])?(?!(?:if|for|while|switch|catch|function)\b)(?P<method>\w+)\([^)]*\)[ ]*\{$",
        ),
        "clojure": (_LISP,),
        "lisp": (_LISP,),
    }.items()
}
_KINDS = {"name": "function", "type": "class"}


def definition(language: str, line: str) -> tuple[str, str]:
    """(name, kind) of the definition that begins in a line in its language's own form; empty strings when none does."""
    for form in DIALECTS.get(language, ()):
        if (match := form.match(line)) and (group := match.lastgroup):
            return match[group], _KINDS.get(group, group)
    return "", ""
