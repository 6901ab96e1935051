"""Runs one command of an official system under watch: wall clock, progress, restarts, losses that are not numbers.

Nothing here knows any system: what counts as progress or as a restart is a regular expression.
"""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Reason = Literal["ended", "timeout", "no-progress", "restarts", "nan"]

#: Lines of output that are kept for telling why a command failed.
TAIL: Final = 200
#: A loss that is not a number in this many updates in a row stays one.
NAN_UPDATES: Final = 20
_NAN: Final = re.compile(r"loss\W{1,4}nan\b", re.IGNORECASE)
_GUARD: Final = Path(__file__).with_name("guard.py")


@dataclass(frozen=True)
class Limits:
    """What a command may do.

    Attributes:
        wall: seconds that it may run.
        stall: seconds that it may go without progress.
        restarts: how often it may start itself again.
        grace: seconds between being asked to end and being killed.
    """

    wall: float
    stall: float
    restarts: int = 2
    grace: float = 10.0


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        reason: ``ended`` by itself, or what it was stopped for.
        code: exit code; 128 and more for a signal.
        iteration: the last count that it printed.
        restarts: how often it had started itself again.
        tail: its last lines.
    """

    reason: Reason
    code: int
    iteration: int
    restarts: int
    tail: tuple[str, ...]


@dataclass
class Watch:
    """Reads output line by line.

    Attributes:
        count: finds the iteration in its first group; a line in which it is another one than before is progress.
            None takes every line that differs from the one before.
        restart: finds the lines with which a command starts itself again.
    """

    count: re.Pattern[str] | None = None
    restart: re.Pattern[str] | None = None
    iteration: int = 0
    restarts: int = 0
    nan_updates: int = 0
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))

    def read(self, line: str) -> bool:
        """Take in a line; whether it was progress."""
        if self.restart is not None and self.restart.search(line):
            self.restarts += 1
        found = self.count.search(line) if self.count is not None else None
        if found is None:
            moved = self.count is None and (not self.tail or line != self.tail[-1])
        else:
            now = int(found.group(1))
            moved, self.iteration = now != self.iteration, now
            if moved:
                self.nan_updates = self.nan_updates + 1 if _NAN.search(line) else 0
        # A bar that is drawn over and over is one line.
        if found is not None and self.tail and self.count is not None and self.count.search(self.tail[-1]):
            self.tail[-1] = line
        else:
            self.tail.append(line)
        return moved

    def verdict(self, limits: Limits) -> Reason | None:
        """Why the command must be stopped, as far as its words tell."""
        if self.restarts > limits.restarts:
            return "restarts"
        return "nan" if self.nan_updates >= NAN_UPDATES else None


def run_watched(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], limits: Limits, watch: Watch, log: IO[bytes]
) -> Ended:
    """Run ``command`` and return how it ended; none of its processes is left, even if this one is killed meanwhile.

    Args:
        command: program and arguments.
        cwd: where it runs.
        environment: all of its environment.
        limits: when it is stopped.
        watch: reads what it prints, on either stream.
        log: gets everything that it prints.
    """
    guarded = [sys.executable, "-I", "-S", str(_GUARD), str(limits.grace), *command]
    with subprocess.Popen(  # noqa: S603
        guarded,
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C is for the harness, which then ends the group
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            reason = _follow(process.stdout, limits, watch, log)
        finally:
            process.stdin.close()  # whatever happened, this asks the guard to end the group
            try:
                process.wait(limits.grace + 15)
            except subprocess.TimeoutExpired:  # the guard itself hangs: its death kills the child
                process.kill()
        code = process.wait()
    return Ended(reason, code, watch.iteration, watch.restarts, tuple(watch.tail))


def _follow(stream: IO[bytes], limits: Limits, watch: Watch, log: IO[bytes]) -> Reason:
    start = moved = time.monotonic()
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        try:
            while True:
                now = time.monotonic()
                if now - start >= limits.wall:
                    return "timeout"
                if now - moved >= limits.stall:
                    return "no-progress"
                until = min(start + limits.wall, moved + limits.stall) - now
                if not selector.select(min(until, 1.0)):
                    continue
                chunk = os.read(stream.fileno(), 1 << 16)
                if not chunk:
                    return "ended"
                log.write(chunk)
                # Progress bars return to the start of their line instead of ending it.
                *lines, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
                rest = rest[-(1 << 16) :]
                for line in lines:
                    if _read(watch, line):
                        moved = time.monotonic()
                    stop = watch.verdict(limits)
                    if stop is not None:
                        rest = b""  # what came after does not count
                        return stop
        finally:
            _read(watch, rest)


def _read(watch: Watch, line: bytes) -> bool:
    text = line.decode(errors="replace").strip()
    return bool(text) and watch.read(text)
