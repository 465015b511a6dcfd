"""A program that restricts itself by Landlock and seccomp and then becomes the command.

Run as ``python -I -S landlock.py READ WRITE NETWORK COMMAND…``: paths joined by newlines, the last one of
WRITE is the folder for temporary files; NETWORK is ``yes`` or ``no``.
Constants are those of linux/landlock.h, linux/seccomp.h and linux/filter.h. Standard library only.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

OLDEST = 3
"""The first Landlock version that also forbids truncating files (Linux 6.2)."""
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE, IOCTL_DEV = (1 << bit for bit in (0, 1, 2, 3, 14, 15))
EVERYTHING = {3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
READING = EXECUTE | READ_FILE | READ_DIR
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
TCP_BIND, TCP_CONNECT = 1, 2
SCOPE_SOCKETS, SCOPE_SIGNALS = 1, 2
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER, DROP_BOUND, CAPABILITIES = 38, 22, 2, 24, 41
# architecture (linux/audit.h), then the numbers of socket, io_uring_setup, add_key, request_key, keyctl
CALLS = {"x86_64": (0xC000003E, 41, 425, 248, 249, 250), "aarch64": (0xC00000B7, 198, 425, 217, 218, 219)}
EACCES, ENOSYS = 13, 38
INET, INET6 = 2, 10


def version() -> int:
    """The kernel's Landlock version; 0 when it has none."""
    if sys.platform != "linux" or platform.machine() not in CALLS:
        return 0
    version_number: int = ctypes.CDLL(None, use_errno=True).syscall(
        CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(1)
    )
    return max(version_number, 0)


def main(words: list[str]) -> int:
    """Restrict this process and become the command. Returns 126, with a line on stderr, when restricting failed."""
    read, write, network, *command = words
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        # root's capabilities would get around some of it (CAP_PERFMON reads the environment of other processes)
        for capability in range(CAPABILITIES):
            libc.prctl(DROP_BOUND, capability, 0, 0, 0)
        _checked(libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
        _landlock(libc, read.split("\n"), write.split("\n"), network=network == "yes")
        _seccomp(libc, network=network == "yes")
    except OSError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 126
    temp = write.rpartition("\n")[2]
    os.environ.update(TMPDIR=temp, XDG_CACHE_HOME=f"{temp}/.cache", npm_config_cache=f"{temp}/.cache/npm")
    try:
        os.execvp(command[0], command)  # noqa: S606 (a shell is not wanted)
    except OSError as error:
        sys.stderr.write(f"sandbox: {command[0]}: {error.strerror}\n")
    return 127


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _landlock(libc: ctypes.CDLL, read: list[str], write: list[str], *, network: bool) -> None:
    level = version()
    if level < OLDEST:
        raise OSError(ENOSYS, "this kernel's Landlock is too old")
    everything = EVERYTHING[min(level, 5)]
    tcp = 0 if network or level < 4 else TCP_BIND | TCP_CONNECT
    scoped = SCOPE_SOCKETS | SCOPE_SIGNALS if level >= 6 else 0
    rules = struct.pack("=QQQ", everything, tcp, scoped)[: 24 if level >= 6 else 16 if level >= 4 else 8]
    handle = _checked(libc.syscall(CREATE_RULESET, rules, ctypes.c_size_t(len(rules)), ctypes.c_uint32(0)))
    _allow(libc, handle, "/", READ_DIR)
    for path in read:
        _allow(libc, handle, path, READING)
    for path in write:
        _allow(libc, handle, path, everything)
    for path in DEVICES:
        _allow(libc, handle, path, READ_FILE | WRITE_FILE | (IOCTL_DEV & everything))
    _checked(libc.syscall(RESTRICT_SELF, handle, ctypes.c_uint32(0)))
    os.close(handle)


def _allow(libc: ctypes.CDLL, handle: int, path: str, rights: int) -> None:
    """Allow rights below a path; a path that has gone needs no rule."""
    if sys.platform != "linux":
        return
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = rights if os.path.isdir(path) else rights & OF_FILES  # noqa: PTH112 (pathlib costs 10 ms at start)
        rule = struct.pack("=Qi", rights, place)
        _checked(libc.syscall(ADD_RULE, handle, 1, rule, ctypes.c_uint32(0)))
    finally:
        os.close(place)


def _seccomp(libc: ctypes.CDLL, *, network: bool) -> None:
    """Forbid what Landlock does not cover: other sockets (datagrams, local ones), io_uring and kernel keys."""
    architecture, socket, *others = CALLS[platform.machine()]
    load, jump_equal, jump_greater, return_value = 0x20, 0x15, 0x35, 0x06
    refuse, allow, kill = 0x00050000 | EACCES, 0x7FFF0000, 0x80000000
    families = [INET, INET6] if network else []
    program = [
        (load, 0, 0, 4),
        (jump_equal, 1, 0, architecture),
        (return_value, 0, 0, kill),
        (load, 0, 0, 0),
        # numbers from 2^30 on are the x32 variant of every call
        (jump_greater, 0, 1, 0x40000000),
        (return_value, 0, 0, refuse),
        *(step for number in others for step in ((jump_equal, 0, 1, number), (return_value, 0, 0, refuse))),
        (jump_equal, 1, 0, socket),
        (return_value, 0, 0, allow),
        (load, 0, 0, 16),
        *(step for family in families for step in ((jump_equal, 0, 1, family), (return_value, 0, 0, allow))),
        (return_value, 0, 0, refuse),
    ]
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(program), ctypes.addressof(buffer))
    _checked(libc.prctl(SET_SECCOMP, FILTER, header, 0, 0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
