"""Stack frames and error lines in the formats of many languages."""

import pytest

from ctxe.lexical.traces import PrintedError, TraceLocation, error_in, errors_in, frame_in, frames_in


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (
            '  File "/usr/lib/json/decoder.py", line 355, in raw_decode',
            TraceLocation("/usr/lib/json/decoder.py", 355, "raw_decode"),
        ),
        ('  File "<stdin>", line 1', TraceLocation("<stdin>", 1)),
        (
            "\tat org.a.lang.Foo$Bar.baz(Foo.java:123)",
            TraceLocation("org/a/lang/Foo.java", 123, "org.a.lang.Foo$Bar.baz"),
        ),
        (
            "\tat java.base/java.util.List.get(List.java)",
            TraceLocation("java/util/List.java", 0, "java.base/java.util.List.get"),
        ),
        (
            "    at Object.<anonymous> (/home/u/app/index.js:10:15)",
            TraceLocation("/home/u/app/index.js", 10, "Object.<anonymous>"),
        ),
        ("    at async file:///home/u/x.ts:1:2", TraceLocation("/home/u/x.ts", 1)),
        (
            "   at App.Io.Open(String path) in C:\\src\\File.cs:line 12",
            TraceLocation("C:\\src\\File.cs", 12, "App.Io.Open"),
        ),
        ("#1  0x0000 in foo_bar (a=1) at lib/file.c:12", TraceLocation("lib/file.c", 12, "foo_bar")),
        ("    #0 0x4f3 in ns::run /src/file.cc:12:3", TraceLocation("/src/file.cc", 12, "ns::run")),
        ("#0 /var/www/x.php(12): Foo->bar()", TraceLocation("/var/www/x.php", 12, "Foo->bar")),
        ("\tfrom lib/x.rb:12:in `foo'", TraceLocation("lib/x.rb", 12, "foo")),
        ("thread 'main' panicked at src/main.rs:2:5:", TraceLocation("src/main.rs", 2)),
        ("thread 'main' panicked at 'no', src/main.rs:2:5", TraceLocation("src/main.rs", 2)),
        ("  --> src/main.rs:2:5", TraceLocation("src/main.rs", 2)),
        ("src/a.ts(12,5): error TS2345: Argument", TraceLocation("src/a.ts", 12)),
        ("file.c:12:5: error: expected ';'", TraceLocation("file.c", 12)),
        ("\t/go/src/x/main.go:33 +0x1d", TraceLocation("/go/src/x/main.go", 33)),
        ("    (app 0.1.0) lib/app/x.ex:12: App.run/1", TraceLocation("lib/app/x.ex", 12)),
        ("meet at noon: 12 people", None),
        ("plain text", None),
    ],
)
def test_a_stack_frame_of_each_language_is_read(line: str, place: TraceLocation | None) -> None:
    assert frame_in(line) == place


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (
            "json.decoder.JSONDecodeError: Expecting value",
            PrintedError("json.decoder.JSONDecodeError", "Expecting value"),
        ),
        ("E   ValueError: no", PrintedError("ValueError", "no")),
        ("AssertionError", PrintedError("AssertionError", "")),
        (
            'Exception in thread "main" java.lang.NullPointerException: x',
            PrintedError("java.lang.NullPointerException", "x"),
        ),
        ("Caused by: a.b.BadException: y", PrintedError("a.b.BadException", "y")),
        ("Uncaught TypeError: z is undefined", PrintedError("TypeError", "z is undefined")),
        ("TypeError [ERR_X]: z", PrintedError("TypeError", "z")),
        ("error[E0308]: mismatched types", PrintedError("E0308", "mismatched types")),
        ("src/a.ts(12,5): error TS2345: Argument", PrintedError("TS2345", "Argument")),
        ("a.c:1:2: fatal error: x.h: No such file or directory", PrintedError("", "x.h: No such file or directory")),
        ("panic: runtime error: index out of range", PrintedError("panic", "runtime error: index out of range")),
        ("make[1]: *** [all] Error 2", PrintedError("make[1]: ***", "[all] Error 2")),
        ("bash: foo: command not found", PrintedError("", "bash: foo: command not found")),
        ("FAILED tests/x.py::t - AssertionError: assert 1 == 2", PrintedError("AssertionError", "assert 1 == 2")),
        ("Segmentation fault (core dumped)", PrintedError("Segmentation fault", "(core dumped)")),
        ("no errors were found", None),
        ("This fixes the ValueError we saw", None),
    ],
)
def test_an_error_line_of_each_language_is_read(line: str, error: PrintedError | None) -> None:
    assert error_in(line) == error


def test_frames_keep_their_order_and_errors_are_listed_once() -> None:
    text = "E   KeyError: a\nx.py:3: KeyError\nE   KeyError: a\ny.py:4: in f\n"
    assert errors_in(text) == [PrintedError("KeyError", "a")]
    assert frames_in(text) == [TraceLocation("x.py", 3), TraceLocation("y.py", 4)]
