"""Frames done and time left: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from vdf_bench.core.console import shows_live
from vdf_bench.core.text import duration

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

#: Seconds between two lines off a terminal.
PAUSE = 30.0


class Meter:
    """Shows one phase after another; call it with a phase, frames done and frames in all."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._drawn = shows_live(console)
        self._phase = ""
        self._first = self._told = 0.0
        self._before = 0
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not self._drawn,
            transient=True,
        )
        self._task = self._bar.add_task("opening", total=None, left="")

    def __enter__(self) -> Meter:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, phase: str, done: int, total: int) -> None:
        """Frame ``done`` of ``total`` is through ``phase``."""
        now = time.perf_counter()
        begins = phase != self._phase
        if begins:
            # A run that goes on begins in the middle: its speed counts from there.
            self._phase, self._first, self._told, self._before = phase, now, now, done
        left = ""
        if done > self._before:
            left = f"about {duration((total - done) * (now - self._first) / (done - self._before))} left"
        self._bar.update(self._task, description=phase, completed=done, total=total, left=left)
        if not self._drawn and (begins or now - self._told > PAUSE):
            self._told = now
            said = f"  {phase}: {done} of {total} frames" + (f", {left}" if left else "")
            self._console.print(said, highlight=False, markup=False)
