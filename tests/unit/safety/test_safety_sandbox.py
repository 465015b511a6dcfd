"""Real commands in the real sandboxes of this machine: they work inside and get nothing outside."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ctxe.safety.protected import protection
from ctxe.safety.running.process import Finished, complete, run
from ctxe.safety.running.sandbox import Confinement, Sandbox, detect, wrap, writes_git
from tests.processes import running

FOUND = [found for kind in ("bubblewrap", "landlock") if (found := detect(Path("/nowhere"), kinds=(kind,))).active]
BOXES = [found for found in FOUND if found.kind == "bubblewrap"]
ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Place:
    room: Confinement
    base: Path

    def sh(self, box: Sandbox, words: str, seconds: float = 20.0) -> Finished:
        argv = wrap(box, ["/bin/sh", "-c", words], self.room)
        env = ENV | {"HOME": str(self.room.home), "TMPDIR": str(self.base / "kept")}
        return complete(argv, self.room.root, env, seconds)


@pytest.fixture
def place() -> Iterator[Place]:
    """A git repository, a home with keys, and a folder outside; not below /tmp, which a sandbox replaces."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="ctxe-test-") as made:
        base = Path(os.path.realpath(made))
        for folder in ("repo/src", "home/.ssh", "home/.config/gh", "home/notes", "outside", "temp", "kept", "ours"):
            (base / folder).mkdir(parents=True)
        subprocess.run(["git", "init", "-q", str(base / "repo")], check=True)
        for name in (
            "home/.ssh/id_rsa",
            "home/.netrc",
            "home/.config/gh/hosts.yml",
            "ours/key",
            "home/notes/a",
            "outside/a",
        ):
            (base / name).write_text("CANARY\n")
        (base / "repo/src/a.py").write_text("one\n")
        (base / "repo/AGENTS.md").write_text("rules\n")
        room = Confinement(base / "repo", base / "temp", base / "home", hidden=(base / "ours",))
        yield Place(room, base)


def tree(folder: Path) -> dict[str, bytes | str]:
    """Everything below a folder: content of files, targets of links."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found[name] = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else "folder"
    return found


def test_detection_reports_the_sandboxes_that_really_work() -> None:
    found = detect(Path("/nowhere"))
    assert found.active == bool(FOUND)
    assert found in FOUND or found.kind == "none"
    assert "\n" not in found.says


def test_without_a_sandbox_one_line_says_why() -> None:
    assert detect(Path("/nowhere"), [], ("bubblewrap",)) == Sandbox(
        "none", "commands run without a sandbox (bubblewrap is not installed)"
    )
    none = detect(Path("/nowhere"), kinds=())
    assert wrap(none, ["a", "b"], Confinement(Path("/"), Path("/"), Path("/"))) == ["a", "b"]


def test_a_bubblewrap_that_fails_or_does_not_isolate_is_not_used(tmp_path: Path) -> None:
    for script, why in (
        ("exit 1", "exit 1"),
        ("echo no permission >&2; exit 1", "no permission"),
        ("echo held", "are lost"),
    ):
        fake = tmp_path / "bwrap"
        fake.write_text(f"#!/bin/sh\n{script}\n")
        fake.chmod(0o755)
        found = detect(Path("/nowhere"), [str(tmp_path)], ("bubblewrap",))
        assert found.kind == "none"
        assert why in found.says


@pytest.mark.parametrize("box", FOUND, ids=lambda box: box.kind)
def test_ordinary_commands_work_inside_the_sandbox(box: Sandbox, place: Place) -> None:
    end = place.sh(
        box,
        "echo two > src/b.py && mkdir -p src/d/e && mv src/b.py src/d/e/c.py && sed -i s/one/1/ src/a.py && "
        'echo t > "$TMPDIR/t" && cat src/a.py AGENTS.md ' + str(place.base / "outside/a") + " && ls / >/dev/null && "
        "git status --porcelain && : > /dev/null && exit 3",
    )
    assert (end.exit_code, end.output) == (3, "1\nrules\nCANARY\n?? AGENTS.md\n?? src/\n")
    assert tree(place.base / "repo/src") == {"a.py": b"1\n", "d": "folder", "d/e": "folder", "d/e/c.py": b"two\n"}


@pytest.mark.parametrize("box", FOUND, ids=lambda box: box.kind)
def test_compilers_and_interpreters_run_inside_the_sandbox(box: Sandbox, place: Place) -> None:
    script = (
        "import multiprocessing as m, subprocess, socket; p = m.Pipe(); socket.socketpair();"
        "print(subprocess.run(['echo', 'x']).returncode)"
    )
    argv = wrap(box, [sys.executable, "-c", script], place.room)
    assert complete(argv, place.room.root, ENV).output == "x\n0\n"


@pytest.mark.parametrize("box", FOUND, ids=lambda box: box.kind)
def test_the_sandbox_writes_nothing_outside_the_project(box: Sandbox, place: Place) -> None:
    outside, before = place.base / "outside", tree(place.base / "outside")
    home = tree(place.base / "home")
    (place.base / "repo/src/link").symlink_to(outside)
    (place.base / "repo/src/file").symlink_to(outside / "a")
    away = [
        f"echo x > {outside}/HOSTILE",
        f"echo x >> {outside}/a",
        "echo x > ../outside/HOSTILE",
        "echo x > src/link/HOSTILE",
        "echo x > src/file",
        f"cp src/a.py {outside}/HOSTILE",
        f"mv src/a.py {outside}/HOSTILE",
        f"ln src/a.py {outside}/HOSTILE",
        f"ln -s src/a.py {outside}/HOSTILE",
        f"mkdir {outside}/HOSTILE",
        f"rm -f {outside}/a",
        f"mv {outside}/a {outside}/b",
        f"truncate -s 0 {outside}/a",
        f"mkfifo {outside}/HOSTILE",
        f"dd if=/dev/zero of={outside}/a count=1",
        "echo x > $HOME/HOSTILE",
        "echo x > ~/.ssh/HOSTILE",
        "echo x > /var/tmp/HOSTILE-ctxe",
        "echo x > /dev/shm/HOSTILE-ctxe; true",
        f"cd {outside} && echo x > HOSTILE",
        f"ln {outside}/a src/hard && echo x > src/hard",
    ]
    place.sh(box, "\n".join(f"({words}) 2>/dev/null" for words in away))
    assert tree(outside) == before
    assert tree(place.base / "home") == home
    assert not Path("/var/tmp/HOSTILE-ctxe").exists()
    assert not Path("/dev/shm/HOSTILE-ctxe").exists()


@pytest.mark.parametrize("box", FOUND, ids=lambda box: box.kind)
def test_keys_cannot_be_read_inside_the_sandbox(box: Sandbox, place: Place) -> None:
    (place.base / "repo/src/link").symlink_to(place.base / "home/.ssh")
    home, ours = place.base / "home", place.base / "ours"
    end = place.sh(
        box,
        f"cat {home}/.ssh/id_rsa {home}/.netrc {home}/.config/gh/hosts.yml {ours}/key src/link/id_rsa /etc/shadow;"
        f"cp -r {home}/.ssh src/copy; ln {home}/.netrc src/hard; cat src/copy/* src/hard;"
        f"cat {home}/notes/a | tr A-Z a-z",
    )
    assert "CANARY" not in end.output
    assert "root:" not in end.output
    assert end.output.endswith("canary\n"), "what holds no keys is readable"


@pytest.mark.parametrize("box", FOUND, ids=lambda box: box.kind)
def test_memory_and_environment_of_other_processes_cannot_be_read(box: Sandbox, place: Place) -> None:
    with subprocess.Popen(["sleep", "30"], env=ENV | {"SECRET": "CANARY"}) as other:
        try:
            end = place.sh(
                box, f"cat /proc/{other.pid}/environ /proc/{os.getpid()}/environ; kill -9 {other.pid}; echo done"
            )
            assert "CANARY" not in end.output
            assert end.output.endswith("done\n")
            assert other.poll() is None
        finally:
            other.kill()


TRY = """
import socket, sys
def attempt(name, do):
    try:
        do()
        print("HOSTILE", name)
    except OSError:
        pass
def tcp(): socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)
def udp(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", int(sys.argv[1])))
def local():
    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[2])
def abstract():
    s = socket.socket(socket.AF_UNIX); s.connect("\\0ctxe-test-" + sys.argv[1])
def names(): socket.getaddrinfo("trap.test", 80)
attempt("tcp", tcp)
attempt("abstract", abstract)
attempt("names", names)
if sys.argv[3] == "landlock":
    attempt("udp", udp)
    attempt("local", local)
print("tried")
"""


@pytest.mark.parametrize("box", FOUND, ids=lambda box: box.kind)
def test_the_network_is_unreachable_unless_allowed(box: Sandbox, place: Place) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = str(server.getsockname()[1])
        hidden = stack.enter_context(socket.socket(socket.AF_UNIX))
        hidden.bind(f"\0ctxe-test-{port}")
        hidden.listen()
        path = str(place.base / "s")
        named = stack.enter_context(socket.socket(socket.AF_UNIX))
        named.bind(path)
        named.listen()
        argv = [sys.executable, "-c", TRY, port, path, box.kind]
        assert complete(wrap(box, argv, place.room), place.room.root, ENV).output == "tried\n"
        reach = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5); print('reached')"
        allowed = wrap(box, [sys.executable, "-c", reach, port], replace(place.room, network=True))
        assert complete(allowed, place.room.root, ENV).output == "reached\n"


STEERING = {
    "hook": "mkdir -p .git/hooks; echo x > .git/hooks/pre-commit",
    "config": "git config core.fsmonitor ./x || echo x >> .git/config",
    "git moved away": "mv .git .old && mkdir .git && echo x > .git/config",
    "git copied": "cp -r .git .new && rm -rf .git && mv .new .git && echo x >> .git/config",
    "config replaced": "echo x > src/c && mv -f src/c .git/config",
    "config linked": "rm -f .git/config; ln -s ../src/a.py .git/config",
    "hooks linked": "rm -rf .git/hooks; ln -s ../src .git/hooks",
    "another git folder": "mkdir src/evil; echo ../src/evil > .git/commondir",
    "worktree config": "echo x > .git/config.worktree",
    "policy": "echo x > .ctxe.toml",
    "policy moved in": "echo x > src/p && mv src/p .ctxe.toml",
    "policy linked": "ln -s src/a.py .ctxe.toml",
    "memory": "mkdir -p .ctxe/skills && echo x > .ctxe/MEMORY.md",
    "memory linked": "ln -s src .ctxe",
    "memory in capitals": "mkdir .CTXE && echo x > .CTXE/x",
    "instructions": "echo x >> AGENTS.md",
    "instructions replaced": "rm -f AGENTS.md; echo x > AGENTS.md",
    "instructions moved": "mv AGENTS.md src/ && echo x > AGENTS.md",
    "new instructions": "echo x > CLAUDE.md",
    "new instructions in capitals": "echo x > claude.MD",
    "linked instructions": "rm -f GEMINI.md; echo x > GEMINI.md",
    "assistant's settings": "mkdir .claude && echo '{}' > .claude/settings.json",
    "programs": "echo '{}' > .mcp.json",
    "workflow": "echo x >> .github/workflows/ci.yml",
    "new workflow": "echo x > .github/workflows/new.yml; mkdir -p .github/workflows/x",
    "workflows replaced": "mv .github .new && mkdir -p .github/workflows && echo x > .github/workflows/ci.yml",
    "editor": "mkdir .vscode && echo '{}' > .vscode/tasks.json",
}


@pytest.mark.parametrize(
    ("box", "git"),
    [(box, git) for box in FOUND for git in (False, True) if box in BOXES or not git],
    ids=lambda value: getattr(value, "kind", f"git writes: {value}"),
)
def test_files_that_steer_tools_cannot_be_changed_or_created(box: Sandbox, place: Place, git: bool) -> None:
    root = place.room.root
    (root / "GEMINI.md").symlink_to("AGENTS.md")
    for path in (".github/workflows/ci.yml", ".github/actions/a/action.yml", ".github/FUNDING.yml"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("as it was\n")
    before = steering(root, git)
    inside = Place(replace(place.room, git=git), place.base)
    for name, words in STEERING.items():
        inside.sh(box, f"({words}) 2>/dev/null")
        assert steering(root, git) == before, name
    assert inside.sh(box, "echo mine > .github/FUNDING.yml").exit_code == 0
    assert (root / ".github/FUNDING.yml").read_text() == "mine\n"


NEW = {
    f"{host}/{inner}": f"mkdir -p {host}/{inner}; echo x > {host}/{inner}/ci.yml"
    for host in (".github", ".gitea", ".forgejo", ".GitHub")
    for inner in ("workflows", "actions", "Workflows")
} | {
    "moved in": "mkdir -p src/w/workflows; echo x > src/w/workflows/ci.yml; mv src/w .github || mv src/w/* .github/",
    "linked": "mkdir -p src/w; echo x > src/w/ci.yml; ln -s ../src/w .github/workflows || ln -s src .github",
    "a file first": "echo x > .github; rm -f .github; mkdir -p .github; echo x > .github/workflows",
    "hooks of others": "mkdir -p .husky .githooks; echo x > .husky/pre-commit; echo x > .githooks/pre-commit",
    "environment": "echo x > .envrc",
    "editor": "mkdir -p .vscode .VSCode; echo {} > .vscode/tasks.json; echo {} > .VSCode/tasks.json",
    "pipelines": "echo x > .gitlab-ci.yml; echo x > Jenkinsfile; mkdir .circleci; echo x > .circleci/config.yml",
    "in the background": "(mkdir -p .github/workflows; echo x > .github/workflows/ci.yml) & wait",
}


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "other files"])
@pytest.mark.parametrize("box", FOUND, ids=lambda box: box.kind)
def test_hooks_and_startup_files_cannot_be_created(box: Sandbox, place: Place, there: str) -> None:
    root = place.room.root
    if there != "nothing":
        (root / ".github").mkdir()
    if there == "other files":
        (root / ".github/ISSUE_TEMPLATE").mkdir()
        (root / ".github/ISSUE_TEMPLATE/bug.md").write_text("as it was\n")
    before = {path for path in tree(root) if not path.startswith("src")}
    for name, words in NEW.items():
        place.sh(box, f"({words}) 2>/dev/null")
        made = {path for path in tree(root) if not path.startswith("src")} - before
        assert {path for path in made if protection(path)} == set(), name
    if there == "other files":
        assert place.sh(box, "echo mine > .github/ISSUE_TEMPLATE/bug.md").exit_code == 0
        assert (root / ".github/ISSUE_TEMPLATE/bug.md").read_text() == "mine\n"


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.kind)
def test_replaced_protected_files_do_not_lead_elsewhere(box: Sandbox, place: Place) -> None:
    outside = place.base / "outside"
    before = tree(outside)
    for words in (f"ln -s {outside} /tmp/refused", f"rm -rf /tmp/refused; ln -sfn {outside} /tmp/refused"):
        place.sh(box, f"{words}; mkdir -p .claude; echo hostile > .claude/settings.json; echo hostile > CLAUDE.md")
        assert tree(outside) == before
    assert not (place.room.root / "CLAUDE.md").exists()
    assert not (place.room.root / ".claude").exists()


def steering(root: Path, git: bool) -> dict[str, bytes | str]:
    """The tree without what a command may change: with git at work, of its folder only what names programs counts."""
    names = ("config", "hooks", "commondir", "info", "modules")
    return {
        path: content
        for path, content in tree(root).items()
        if not path.startswith(("src", ".old", ".new"))
        and (not git or not path.startswith(".git/") or path.startswith(tuple(f".git/{name}" for name in names)))
    }


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.kind)
def test_a_forbidden_file_made_by_a_command_is_reported_and_kept_aside(box: Sandbox, place: Place) -> None:
    end = place.sh(box, "echo words > CLAUDE.md")
    assert "[sandbox: 'CLAUDE.md' may only be made by a person; it was moved to" in end.output
    kept = Path(end.output.rpartition(" to '")[2].partition("'")[0])
    assert (kept.read_text(), kept.name, kept.parent.parent) == ("words\n", "CLAUDE.md", place.base / "kept")
    assert kept.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.kind)
def test_a_file_that_cannot_move_to_another_disk_is_kept_aside_in_place(box: Sandbox, place: Place) -> None:
    words = "mkdir .claude && echo x > .claude/settings.json && mkfifo .claude/pipe"
    argv = wrap(box, ["/bin/sh", "-c", words], place.room)
    env = ENV | {"HOME": str(place.room.home), "TMPDIR": "/dev/shm"}
    end = complete(argv, place.room.root, env)
    kept = Path(end.output.rpartition(" to '")[2].partition("'")[0])
    try:
        assert not (place.room.root / ".claude").exists()
        assert (kept / "settings.json").read_text() == "x\n"
    finally:
        for left in (kept.parent, *Path("/dev/shm").glob("ctxe-refused-*")):
            shutil.rmtree(left, ignore_errors=True)


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.kind)
def test_git_works_inside_the_sandbox(box: Sandbox, place: Place) -> None:
    words = "git add -A && git -c user.name=a -c user.email=a@b.test commit -qm first && git log --format=%s"
    assert writes_git(words)
    inside = Place(replace(place.room, git=True), place.base)
    assert (inside.sh(box, words).exit_code, inside.sh(box, "git log --format=%s").output) == (0, "first\n")
    assert place.sh(box, "rm -rf .git; git log --format=%s").output.endswith("first\n"), "history outlives a script"


def test_commands_that_write_the_git_folder_are_recognised() -> None:
    said = {
        line: writes_git(line) for line in ("git status", "pytest", "make && git commit -m x", "bash -c 'git stash'")
    }
    assert list(said.values()) == [False, False, True, True]


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.kind)
def test_a_folder_without_git_gets_no_git_folder(box: Sandbox, place: Place) -> None:
    room = replace(place.room, root=place.base / "outside")
    Place(room, place.base).sh(box, "git init -q . ; mkdir -p .git/hooks; echo x > .git/config; mkdir .ctxe")
    assert tree(place.base / "outside") == {"a": b"CANARY\n"}


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.kind)
def test_two_sandboxes_at_once_keep_each_others_protections(box: Sandbox, place: Place) -> None:
    script = "sleep 0.7; echo x > .ctxe.toml; mkdir .ctxe; true"
    threads = [threading.Thread(target=place.sh, args=(box, script.replace("0.7", pause))) for pause in ("0.1", "0.9")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not (place.room.root / ".ctxe.toml").exists()
    assert not (place.room.root / ".ctxe").exists()


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.kind)
def test_a_command_cannot_remove_the_sandbox_restrictions(box: Sandbox, place: Place) -> None:
    end = place.sh(
        box,
        "umount .git/config; mount -o remount,rw /; mount -t tmpfs x /mnt; unshare -Urm true; chroot / true; "
        "mknod /tmp/d b 8 0; echo x > /proc/sys/kernel/core_pattern; cat /proc/self/status | grep CapEff",
    )
    assert end.output.endswith("CapEff:\t0000000000000000\n")
    assert not (place.base / "temp/d").exists()


@pytest.mark.parametrize("box", FOUND, ids=lambda box: box.kind)
def test_no_process_of_the_sandbox_survives_its_end(box: Sandbox, place: Place) -> None:
    pieces = run(
        wrap(box, ["/bin/sh", "-c", "echo begun; setsid sleep 987 & sleep 987"], place.room), place.room.root, ENV
    )
    with contextlib.closing(pieces):
        assert next(pieces) == "begun\n"
    time.sleep(0.1)
    assert running("\0987\0") == []
    assert not (place.room.root / ".ctxe.toml").exists()


@pytest.mark.parametrize("box", FOUND, ids=lambda box: box.kind)
def test_exit_codes_pass_through_the_sandbox(box: Sandbox, place: Place) -> None:
    assert place.sh(box, "exit 7").exit_code == 7
    assert place.sh(box, "kill -9 $$").exit_code in (-9, 137)
    assert complete(wrap(box, ["/nowhere/x"], place.room), place.room.root, ENV).exit_code in (1, 127)


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.kind)
def test_a_read_only_tree_can_be_read_inside_the_sandbox(box: Sandbox, place: Place) -> None:
    room = replace(place.room, root=Path("/usr/share"))
    assert Place(room, place.base).sh(box, "echo fine").output == "fine\n"
