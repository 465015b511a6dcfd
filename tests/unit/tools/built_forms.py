"""Expected readings of the outputs of Ruby, Java, C++ and Rust: error, place, numbers of passed and failed tests."""

from __future__ import annotations

Tests = tuple[int, int, list[str]] | None
BUILT: dict[str, tuple[str, str, Tests]] = {
    "rspec-three": (
        "ExpectationNotMetError: expected: [34, 33, 33] got: [33, 33, 33]",
        "spec/money/allocation_spec.rb:18",
        (
            408,
            3,
            [
                "Money::Allocation.generate rounds to the nearest cent",
                "Money::Allocation#allocate raises for no parts",
                "Money::Allocation#allocate behaves like an allocation sums to the whole",
            ],
        ),
    ),
    "rspec-unloaded": (
        "NameError: uninitialized constant Money::Bank::Base",
        "lib/money/bank/variable_exchange.rb:12",
        (0, 1, ["spec/money/bank_spec.rb"]),
    ),
    "rspec-diff": (
        'ExpectationNotMetError: expected #<User @name="y"> to have attributes {:age => 3, :name => "x"}',
        "spec/models/user_spec.rb:5",
        (0, 1, ["User is valid"]),
    ),
    "minitest-spec": (
        'AssertionError: Expected: "a+b" Actual: "a%20b"',
        "test/spec_utils.rb:41",
        (5, 2, ["TestRack::Utils#test_0003_escapes", "Rack::Utils::parse#test_0001_parses nested"]),
    ),
    "rails": (
        'AssertionError: "User.count" didn\'t change by 1. Expected: 3 Actual: 2',
        "test/controllers/users_controller_test.rb:22",
        (10, 2, ["UsersControllerTest#test_should_create_user", "UserTest#test_name_is_required"]),
    ),
    "rubocop": ("Layout/LineLength: Line is too long. [97/80]", "lib/money/bank.rb:12", None),
    "ruby-syntax": (
        "SyntaxError: unexpected end-of-input; expected an `end` to close the `def` clause",
        "lib/x.rb:3",
        None,
    ),
    "ruby-raised": ("NoMethodError: undefined method 'sum' for nil", "lib/cart.rb:7", None),
    "ruby-load": ("LoadError: cannot load such file -- nokogiri", "x.rb:1", None),
    "rake": (
        "rake: Don't know how to build task 'spec' (See the list of available tasks with `rake --tasks`)",
        "",
        None,
    ),
    "rake-cause": (
        "ActiveRecord::StatementInvalid: SQLite3::SQLException: duplicate column name: nick",
        "db/migrate/20240101_add_nick.rb:3",
        None,
    ),
    "catch2": (
        "AssertionError: REQUIRE( r.at(0) == 3 ) 1 == 3",
        "tests/ring_test.cpp:27",
        (12, 2, ["Ring wraps around", "Parser throws"]),
    ),
    "doctest": (
        "AssertionError: CHECK( r.at(0) == 3 ) is NOT correct! values: CHECK( 1 == 3 )",
        "tests/ring_test.cpp:16",
        (4, 1, ["ring wraps"]),
    ),
    "boost": ("AssertionError: check r.at(0) == 3 has failed [1 != 3]", "tests/ring_test.cpp:21", None),
    "gtest-thrown": (
        'AssertionError: C++ exception with description "index 9 past end" thrown in the test body.',
        "",
        (0, 1, ["Ring.Throws"]),
    ),
    "gradle-build": (
        "error: Could not find method implementatio() for arguments [com.google.guava:guava:31.1-jre].",
        "build.gradle:14",
        None,
    ),
    "gradle-missing": ("error: Could not find com.google.guava:guava:99.0.", "", None),
    "javac-gradle": ("error: cannot find symbol: variable itmes", "src/main/java/com/acme/Cart.java:14", None),
    "java-uncaught": ("IllegalStateException: cart is locked", "Cart.java:12", None),
    "assertj": (
        'AssertionError: Expecting actual: ["a", "b"] to contain exactly (and in same order): ["a", "c"]',
        "CartTest.java:20",
        (0, 1, ["com.acme.CartTest.list"]),
    ),
    "mockito": (
        "AssertionError: Wanted but not invoked: disk.write(<any>);",
        "CartTest.java:20",
        (0, 1, ["com.acme.CartTest.calls"]),
    ),
    "valgrind": ("Memcheck: Invalid read of size 4", "asan.cpp:2", None),
    "terminate": ("out_of_range: index 9 past end", "", None),
    "ctest-assert": (
        'Assertion: r.at(0) == 2 && "first pushed" failed',
        "tests/ring_test.cpp:5",
        (1, 2, ["ring.push", "ring.crash"]),
    ),
    "asan": ("AddressSanitizer: heap-buffer-overflow", "asan.cpp:2", None),
    "cmake-missing": ("CMake Error: Cannot find source file: nofile.cpp", "CMakeLists.txt:12", None),
    "maven-junit5": (
        'NullPointerException: Cannot invoke "String.length()" because "this.s" is null',
        "Cart.java:8",
        (
            3,
            5,
            [
                "com.acme.CartTest.npe",
                "com.acme.CartTest.label",
                "com.acme.CartTest.param",
                "com.acme.CartTest.total",
                "com.acme.CartTest$WhenEmpty.none",
            ],
        ),
    ),
    "cargo-quiet": (
        "panic: other",
        "src/lib.rs:24",
        (1, 4, ["tests::panics", "tests::report", "tests::result", "tests::stems"]),
    ),
    "cargo-short": ("E0423: expected value, found struct `String`", "src/stem.rs:6", None),
    "cargo-documented": (
        'panic: assertion `left == right` failed left: "cats" right: "catz"',
        "src/stem.rs:2",
        (0, 1, ["src/stem.rs - stem::stem (line 2)"]),
    ),
    "cargo-format": ("rustfmt: would reformat", "src/lib.rs:4", None),
}
