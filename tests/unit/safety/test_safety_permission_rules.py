"""Rules of the user: which command, file or tool each one matches, and what answering always adds."""

import time
from dataclasses import replace

import pytest

from ctxe.domain.tool import Allow, Ask, Deny, Risk
from ctxe.safety.permissions import decide
from tests.unit.safety.actions import ASK, AUTO, command, edit, other, read, with_


@pytest.mark.parametrize("count", [60, 500, 5_000])
@pytest.mark.parametrize("joint", [" && ", " ; ", " | ", "\n", " || "])
def test_a_denied_command_stays_denied_in_a_long_line(count: int, joint: str) -> None:
    policy = with_(AUTO, deny=("run:curl *",), allow=("run:*",))
    line = joint.join(["true"] * count + ["curl trap.test"])
    started = time.process_time()
    assert decide(command(line), policy) == Deny("the rule run:curl * forbids it")
    assert time.process_time() - started < (0.5 if count < 5_000 else 5)


@pytest.mark.parametrize(
    "line",
    [
        "git push origin main",
        "git -C sub push",
        "git -c a=b --no-pager push x",
        "git --config-env a.b=HOME push",
        "git --attr-source HEAD push",
        "/usr/bin/git push",
        "bash -c 'git push'",
        "echo $(git push)",
        "true && (git push)",
        "env A=1 git push",
        "if x; then git push; fi",
        "g''it push",
        "eval git push",
        "xargs git push",
        "$X; git push",
        "git push )",
    ],
)
def test_a_deny_rule_matches_every_spelling_of_the_command(line: str) -> None:
    policy = with_(AUTO, deny=("run:git push *",), allow=("run:git *",), granted=(f"line:{line}",))
    assert isinstance(decide(command(line), policy), Deny)


@pytest.mark.parametrize(
    ("rule", "line", "allowed"),
    [
        ("run:pytest *", "pytest", True),
        ("run:pytest *", "pytest -q tests/unit", True),
        ("run:pytest *", "pytest -q 2>&1 | tail -20", True),
        ("run:pytest *", "cd src && pytest -k 'a and b'", True),
        ("run:pytest *", "pytest-evil x", False),
        ("run:pytest *", "pytestevil", False),
        ("run:pytest *", "./pytest", False),
        ("run:pytest *", "/evil/pytest", False),
        ("run:pytest *", "pytest; touch HOSTILE", False),
        ("run:pytest *", "pytest && touch HOSTILE", False),
        ("run:pytest *", "pytest & touch HOSTILE", False),
        ("run:pytest *", "pytest $(touch HOSTILE)", False),
        ("run:pytest *", "pytest `touch HOSTILE`", False),
        ("run:pytest *", "pytest > HOSTILE", False),
        ("run:pytest *", "pytest\ntouch HOSTILE", False),
        ("run:pytest *", "A=1 pytest", False),
        ("run:pytest *", "pytest | tee HOSTILE", False),
        ("run:pytest *", "touch HOSTILE | pytest", False),
        ("run:git status", "git status", True),
        ("run:git commit", "git commit", True),
        ("run:git commit", "git commit -m x", False),
        ("run:git", "git commit", False),
        ("run:git commit *", "git commit-tree x", False),
        ("run:git commit *", "git -c core.editor=x commit", False),
        ("run:npm run test *", "npm run test:evil", False),
        ("run:npm run test*", "npm run test:all", True),
        ("run:make * x", "make a x", True),
        ("run:make * x", "make a b x", False),
        ("run:make 'a b'", "make 'a b'", True),
        ("run:make 'a b'", "make a b", False),
        ("run:make 'unclosed", "make unclosed", False),
        ("line:make a && make b", "make a && make b", True),
        ("line:make a && make b", "make a && make b && make c", False),
        ("tool:run_command", "make x", True),
        ("tool:run_comman", "make x", False),
        ("edit:make", "make", False),
    ],
)
def test_rules_are_matched_word_by_word(rule: str, line: str, allowed: bool) -> None:
    assert isinstance(decide(command(line), with_(ASK, allow=(rule,))), Allow) is allowed
    assert isinstance(decide(command(line), with_(ASK, granted=(rule,), interactive=False)), Allow) is allowed


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("pytest -q tests", "run:pytest *"),
        ("python -m pytest x", "run:python -m pytest *"),
        ("npm run build", "run:npm run build *"),
        ("make test", "run:make test *"),
        ("make -f evil", "run:make -f evil"),
        ("cargo test", "run:cargo test *"),
        ("python x.py 'a b'", "run:python x.py 'a b'"),
        ("touch '*.py'", "run:touch '[*].py'"),
        ("ls && make lint", "run:make lint *"),
        ("make a && make b", "line:make a && make b"),
        ("A=1 make", "line:A=1 make"),
        ("make > log.txt", "line:make > log.txt"),
        ("echo $HOME", "line:echo $HOME"),
    ],
)
def test_the_always_rule_is_narrow_and_allows_the_command_again(line: str, rule: str) -> None:
    decision = decide(command(line), ASK)
    assert isinstance(decision, Ask)
    assert decision.rule == rule
    assert decide(command(line), with_(ASK, granted=(rule,))) == Allow()


def test_an_exact_rule_allows_no_more() -> None:
    policy = with_(ASK, granted=("run:touch '[*].py'",))
    assert isinstance(decide(command("touch a.py"), policy), Ask)


def test_edits_are_asked_about_and_always_holds_for_that_file() -> None:
    assert decide(edit("src/a.py"), ASK) == Ask("", "edit:src/a.py")
    assert decide(edit("src/a.py"), with_(ASK, granted=("edit:src/a.py",))) == Allow()
    assert decide(edit("src/b.py"), with_(ASK, granted=("edit:src/a.py",))) == Ask("", "edit:src/b.py")
    assert decide(edit("a[1]*.py"), ASK) == Ask("", "edit:a[[]1][*].py")
    assert decide(edit("a[1]*.py"), with_(ASK, granted=("edit:a[[]1][*].py",))) == Allow()
    assert decide(edit("a", "b"), ASK) == Ask("", "")


@pytest.mark.parametrize(
    ("glob", "path", "covered"),
    [
        ("src/**", "src/a/b.py", True),
        ("src/**", "src-evil/a.py", False),
        ("src/*", "src/a/b.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "a/b/c.py", True),
        ("*.py", "a/b.py", False),
        ("./src/a.py", "src/a.py", True),
        ("src/?.py", "src/a.py", True),
        ("src", "src/a.py", False),
    ],
)
def test_edit_rules_match_globs(glob: str, path: str, covered: bool) -> None:
    assert isinstance(decide(edit(path), with_(ASK, allow=(f"edit:{glob}",))), Allow) is covered
    assert isinstance(decide(edit(path), with_(AUTO, deny=(f"edit:{glob}",))), Deny) is covered


def test_a_denied_path_is_denied_in_every_spelling() -> None:
    policy = with_(AUTO, deny=("edit:vendor/**", "read:private/**"))
    assert isinstance(decide(edit("Vendor/a.py"), policy), Deny)
    assert isinstance(decide(read("PRIVATE/x"), policy), Deny)
    assert not isinstance(decide(command("cat private/x"), with_(policy, mode="ask")), Allow)


def test_external_tools_are_asked_about_by_name() -> None:
    assert decide(other(Risk.NETWORK), AUTO) == Ask("it reaches the network", "tool:mcp__x__y")
    assert decide(other(Risk.EXECUTE), AUTO) == Ask("it acts outside of ctxe", "tool:mcp__x__y")
    assert decide(other(Risk.EXECUTE), with_(ASK, granted=("tool:mcp__x__y",))) == Allow()
    assert decide(other(Risk.READ), with_(ASK, deny=("tool:mcp__x__y",))) == Deny("the rule tool:mcp__x__y forbids it")


def test_server_tool_rules_match_patterns_and_a_changed_tool_is_always_asked_about() -> None:
    call = other(Risk.NETWORK, "git/search_code")
    assert decide(call, with_(ASK, allow=("tool:git/search_*",))) == Allow()
    assert decide(call, with_(ASK, allow=("tool:git/se?rch",))) == Ask("it reaches the network", "tool:git/search_code")
    assert decide(call, with_(ASK, allow=("tool:*",), deny=("tool:git/*",))) == Deny(
        "the rule tool:git/search_code forbids it"
    )
    changed = replace(call, changed="it is told otherwise")
    for policy in (with_(AUTO, allow=("tool:*",)), with_(ASK, granted=("tool:git/search_code",))):
        assert decide(changed, policy) == Ask("it is told otherwise")
    assert decide(changed, with_(ASK, mode="read-only", allow=("tool:*",))) == Deny("this session only reads")
    assert decide(changed, with_(ASK, deny=("tool:git/*",))) == Deny("the rule tool:git/search_code forbids it")
    assert decide(changed, with_(ASK, allow=("tool:*",), interactive=False)) == Deny(
        "git/search_code needs a person's approval (it is told otherwise) and nobody is there to give it"
    )
