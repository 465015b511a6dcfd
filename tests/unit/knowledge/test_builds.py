"""A command that passes has built what an earlier one could not."""

from __future__ import annotations

import pytest

from ctxe.knowledge.failures.builds import has_built


@pytest.mark.parametrize(
    ("passed", "failed", "built"),
    [
        ("cargo test --workspace", "cargo build", True),
        ("cargo test", "cargo check --all-targets", True),
        ("cargo build --release", "cargo check", True),
        ("cargo test --workspace", "cargo build -p report", True),
        ("go test ./...", "go vet ./cmd/x", True),
        ("./mvnw test", "./mvnw -o compile", True),
        ("cargo check", "cargo test", False),
        ("cargo test -p report", "cargo build", False),
        ("cargo test --workspace", "cargo build --features tls", False),
        ("cargo test", "cargo build -p report", False),
        ("cargo fmt", "cargo build", False),
        ("go test ./a", "go build ./b", False),
        ("npm test", "npm run build", False),
        ("", "cargo build", False),
        ("cargo test", "", False),
    ],
)
def test_a_wider_command_has_built_what_a_narrower_one_builds(passed: str, failed: str, built: bool) -> None:
    assert has_built(passed, failed) is built
