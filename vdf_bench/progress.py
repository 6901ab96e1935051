"""What a run shows while it works: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from vdf_bench.plan import Step


class ProgressWatcher:
    """Counts expected seconds rather than steps, so that the bar moves evenly."""

    def __init__(self, console: Console, seconds: dict[str, float], jobs: int) -> None:
        self.console = console
        self.seconds = seconds
        self.jobs = jobs
        self.cached = 0
        self._left = sum(seconds.values())
        self._running: dict[str, tuple[str, float]] = {}
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[left]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("planning", total=max(self._left, 1e-9), left="")

    def __enter__(self) -> ProgressWatcher:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def started(self, step: Step) -> None:
        """Show the step."""
        self._running[step.key] = (step.label, time.perf_counter())
        self._show()

    def finished(self, step: Step, cached: bool) -> None:
        """Advance; off a terminal, print one line."""
        label, begun = self._running.pop(step.key, (step.label, time.perf_counter()))
        self.cached += cached
        self._left -= self.seconds[step.key]
        self._bar.advance(self._task, self.seconds[step.key])
        if not cached and not self.console.is_terminal:
            self.console.print(f"  {label}: {time.perf_counter() - begun:.1f} s", highlight=False, markup=False)
        self._show()

    def say(self, text: str) -> None:
        """Show what is done outside steps."""
        self._bar.update(self._task, description=text, left="")

    def _show(self) -> None:
        labels = [label for label, _ in self._running.values()]
        left = f"about {max(self._left, 0) / self.jobs:.0f} s left" if self._running else ""
        self._bar.update(self._task, description=" | ".join(labels)[:56], left=left)
