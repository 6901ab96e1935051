"""What a run shows: its plan before; while it works a bar with the time left, or plain lines off a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from vdf_bench.plan import Step
    from vdf_bench.run import Run


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


def print_plan(prepared: Run, console: Console, jobs: int) -> None:
    """Print every step of a run, what is cached, and how long the rest may take."""
    from rich.markup import escape
    from rich.table import Table

    from vdf_bench.execute.local import needed, remaining_path
    from vdf_bench.run import expected_seconds

    seconds = expected_seconds(prepared)
    missing = {step.key for step in needed(prepared.plan, prepared.store)}
    table = Table("step", "state", "about", box=None, padding=(0, 2, 0, 0))
    for step in prepared.plan.steps.values():
        state = "to do" if step.key in missing else "cached"
        table.add_row(escape(step.label), state, f"{seconds[step.key]:.0f} s" if step.key in missing else "")
    console.print(table)
    todo = {key: value if key in missing else 0.0 for key, value in seconds.items()}
    longest = max(remaining_path(prepared.plan, todo).values(), default=0.0)
    estimate = max(sum(todo.values()) / jobs, longest)
    done = len(prepared.plan.steps) - len(missing)
    console.print(
        f"{len(prepared.plan.cells)} cells, {len(prepared.plan.steps)} steps, {done} cached; "
        f"about {estimate:.0f} s with {jobs} jobs",
        highlight=False,
    )
    for lack in prepared.plan.left_out:
        console.print(f"left out: {lack['kind']} {lack['name']}: {lack['why']}", highlight=False, markup=False)
