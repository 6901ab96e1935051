"""Runs one command in a process group of its own and leaves nothing of it behind: ``guard.py GRACE COMMAND...``.

A program of its own, by the standard library alone. It stands between the harness and an official system because a
harness that is killed cannot clean up: when its end of this program's standard input closes, for whatever reason,
the group is ended, first asked, then killed. Children that left the group are found as this program's orphans.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
#: Seconds between looks at the child; the pipe is looked at all the time.
TICK = 0.05


def main() -> int:
    """Run the command; its exit code, or 128 and the signal that ended it."""
    grace, command = float(sys.argv[1]), sys.argv[2:]
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda got, _: asked.append(got))  # a handler, so that the command starts with none
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    # GaussianTalker's loaders open more files than most shells allow.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else soft, hard))
    try:
        child = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
        )
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)  # noqa: T201
        return 127
    status: int | None = None
    while status is None and not asked and not _closed(TICK):
        status = _reap(child.pid)
    if status is None:
        _signal_group(child.pid, signal.SIGTERM)
        end = time.monotonic() + grace
        while time.monotonic() < end and (status is None or _group_lives(child.pid)):
            time.sleep(TICK)
            status = _reap(child.pid) if status is None else status
    _signal_group(child.pid, signal.SIGKILL)
    for _ in range(1000):  # each round may orphan others
        orphans = _children()
        found = _reap(child.pid)
        status = found if status is None else status
        if not orphans:
            break
        for pid in orphans:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(TICK / 5)
    return 128 + signal.SIGKILL if status is None else status


def _closed(seconds: float) -> bool:
    """Whether standard input closed within ``seconds``."""
    try:
        ready, _, _ = select([0], [], [], seconds)
        return bool(ready) and not os.read(0, 64)
    except OSError:
        return True


def _reap(wanted: int) -> int | None:
    """Take in every child that ended; the exit code of ``wanted`` if it is among them."""
    code = None
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            if pid == wanted:
                ended = os.waitstatus_to_exitcode(status)
                code = 128 - ended if ended < 0 else ended
    return code


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _children() -> list[int]:
    """Processes whose parent this one is, dead ones that await :func:`_reap` left out."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            # The name, in parentheses, may hold anything: fields are counted from its end.
            state, parent = entry.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                found.append(int(entry.parent.name))
    return found


def _prctl(option: int, value: Any) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, int(value))


if __name__ == "__main__":
    sys.exit(main())
