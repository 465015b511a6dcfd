"""Frames and errors as languages print them."""

import pytest

from ctxe.lexical.traces import Fault, Place, fault, faults, frame, frames


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (
            '  File "/usr/lib/json/decoder.py", line 355, in raw_decode',
            Place("/usr/lib/json/decoder.py", 355, "raw_decode"),
        ),
        ('  File "<stdin>", line 1', Place("<stdin>", 1)),
        ("\tat org.a.lang.Foo$Bar.baz(Foo.java:123)", Place("org/a/lang/Foo.java", 123, "org.a.lang.Foo$Bar.baz")),
        (
            "\tat java.base/java.util.List.get(List.java)",
            Place("java/util/List.java", 0, "java.base/java.util.List.get"),
        ),
        (
            "    at Object.<anonymous> (/home/u/app/index.js:10:15)",
            Place("/home/u/app/index.js", 10, "Object.<anonymous>"),
        ),
        ("    at async file:///home/u/x.ts:1:2", Place("/home/u/x.ts", 1)),
        ("   at App.Io.Open(String path) in C:\\src\\File.cs:line 12", Place("C:\\src\\File.cs", 12, "App.Io.Open")),
        ("#1  0x0000 in foo_bar (a=1) at lib/file.c:12", Place("lib/file.c", 12, "foo_bar")),
        ("    #0 0x4f3 in ns::run /src/file.cc:12:3", Place("/src/file.cc", 12, "ns::run")),
        ("#0 /var/www/x.php(12): Foo->bar()", Place("/var/www/x.php", 12, "Foo->bar")),
        ("\tfrom lib/x.rb:12:in `foo'", Place("lib/x.rb", 12, "foo")),
        ("thread 'main' panicked at src/main.rs:2:5:", Place("src/main.rs", 2)),
        ("thread 'main' panicked at 'no', src/main.rs:2:5", Place("src/main.rs", 2)),
        ("  --> src/main.rs:2:5", Place("src/main.rs", 2)),
        ("src/a.ts(12,5): error TS2345: Argument", Place("src/a.ts", 12)),
        ("file.c:12:5: error: expected ';'", Place("file.c", 12)),
        ("\t/go/src/x/main.go:33 +0x1d", Place("/go/src/x/main.go", 33)),
        ("    (app 0.1.0) lib/app/x.ex:12: App.run/1", Place("lib/app/x.ex", 12)),
        ("meet at noon: 12 people", None),
        ("plain text", None),
    ],
)
def test_frame(line: str, place: Place | None) -> None:
    assert frame(line) == place


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("json.decoder.JSONDecodeError: Expecting value", Fault("json.decoder.JSONDecodeError", "Expecting value")),
        ("E   ValueError: no", Fault("ValueError", "no")),
        ("AssertionError", Fault("AssertionError", "")),
        ('Exception in thread "main" java.lang.NullPointerException: x', Fault("java.lang.NullPointerException", "x")),
        ("Caused by: a.b.BadException: y", Fault("a.b.BadException", "y")),
        ("Uncaught TypeError: z is undefined", Fault("TypeError", "z is undefined")),
        ("TypeError [ERR_X]: z", Fault("TypeError", "z")),
        ("error[E0308]: mismatched types", Fault("E0308", "mismatched types")),
        ("src/a.ts(12,5): error TS2345: Argument", Fault("TS2345", "Argument")),
        ("a.c:1:2: fatal error: x.h: No such file or directory", Fault("", "x.h: No such file or directory")),
        ("panic: runtime error: index out of range", Fault("panic", "runtime error: index out of range")),
        ("make[1]: *** [all] Error 2", Fault("make[1]: ***", "[all] Error 2")),
        ("bash: foo: command not found", Fault("", "bash: foo: command not found")),
        ("FAILED tests/x.py::t - AssertionError: assert 1 == 2", Fault("AssertionError", "assert 1 == 2")),
        ("Segmentation fault (core dumped)", Fault("Segmentation fault", "(core dumped)")),
        ("no errors were found", None),
        ("This fixes the ValueError we saw", None),
    ],
)
def test_fault(line: str, error: Fault | None) -> None:
    assert fault(line) == error


def test_lists_keep_the_order_and_faults_come_once() -> None:
    text = "E   KeyError: a\nx.py:3: KeyError\nE   KeyError: a\ny.py:4: in f\n"
    assert faults(text) == [Fault("KeyError", "a")]
    assert frames(text) == [Place("x.py", 3), Place("y.py", 4)]
