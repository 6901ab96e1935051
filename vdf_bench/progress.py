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


#: Seconds before a step that is not on a terminal begins to say how far it is.
QUIET = 60.0


def duration(seconds: float) -> str:
    """Such as ``40 s``, ``12 min`` or ``3 h 20 min``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 48 else f"{hours / 24:.0f} days"


class ProgressWatcher:
    """Counts expected seconds rather than steps, so that the bar moves evenly."""

    def __init__(self, console: Console, seconds: dict[str, float], jobs: int) -> None:
        self.console = console
        self.seconds = seconds
        self.jobs = jobs
        self.cached = 0
        self._left = sum(seconds.values())
        self._running: dict[str, tuple[str, float]] = {}
        self._pace: dict[str, tuple[float, float, float]] = {}
        self._done: set[str] = set()
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

    def progressed(self, step: Step, share: float) -> None:
        """Correct what is left by how fast the step really goes; off a terminal, a line early and at every tenth."""
        label, begun = self._running[step.key]
        now = time.perf_counter()
        # A fit that goes on from a checkpoint begins with a share: its speed counts from there.
        first, since, told = self._pace.setdefault(step.key, (share, now, -1.0))
        if share > first:
            left = (1 - share) * (now - since) / (share - first)
            self._expect(step, now - begun + left)
            if now - begun > QUIET and int(10 * share) > int(10 * told) and not self.console.is_terminal:
                self._pace[step.key] = (first, since, share)
                self.console.print(
                    f"  {label}: {share:.0%}, about {duration(left)} left", highlight=False, markup=False
                )
        self._show()

    def _expect(self, step: Step, seconds: float) -> None:
        """Take ``seconds`` for the whole of ``step`` from now on."""
        self._left += seconds - self.seconds[step.key]
        self.seconds[step.key] = seconds
        done = self._bar.tasks[0].completed
        self._bar.update(self._task, total=max(done + self._left, 1e-9))

    def finished(self, step: Step, cached: bool) -> None:
        """Advance, once for each step; off a terminal, print one line."""
        if step.key in self._done:
            return
        self._done.add(step.key)
        label, begun = self._running.pop(step.key, (step.label, time.perf_counter()))
        self._pace.pop(step.key, None)
        self.cached += cached
        self._left -= self.seconds[step.key]
        self._bar.advance(self._task, self.seconds[step.key])
        if not cached and not self.console.is_terminal:
            self.console.print(f"  {label}: {time.perf_counter() - begun:.1f} s", highlight=False, markup=False)
        self._show()

    def say(self, text: str) -> None:
        """Show what is done outside steps; off a terminal, as a line."""
        self._bar.update(self._task, description=text, left="")
        if not self.console.is_terminal:
            self.console.print(f"  {text}", highlight=False, markup=False)

    def _show(self) -> None:
        labels = [label for label, _ in self._running.values()]
        now = time.perf_counter()
        going = sum(now - begun for key, (_, begun) in self._running.items() if key in self._pace)
        left = f"about {duration(max(self._left - going, 0) / self.jobs)} left" if self._running else ""
        self._bar.update(self._task, description=" | ".join(labels)[:56], left=left)


def print_plan(prepared: Run, console: Console, jobs: int) -> None:
    """Print every step of a run, what is cached, and how long the rest may take."""
    from rich.markup import escape
    from rich.table import Table

    from vdf_bench.costs import expected_seconds
    from vdf_bench.execute.local import needed, remaining_path

    seconds = expected_seconds(prepared)
    missing = {step.key for step in needed(prepared.plan, prepared.store)}
    table = Table("step", "state", "about", box=None, padding=(0, 2, 0, 0))
    for step in prepared.plan.steps.values():
        state = "to do" if step.key in missing else "cached"
        table.add_row(escape(step.label), state, duration(seconds[step.key]) if step.key in missing else "")
    console.print(table)
    todo = {key: value if key in missing else 0.0 for key, value in seconds.items()}
    longest = max(remaining_path(prepared.plan, todo).values(), default=0.0)
    estimate = max(sum(todo.values()) / jobs, longest)
    done = len(prepared.plan.steps) - len(missing)
    console.print(
        f"{len(prepared.plan.cells)} cells, {len(prepared.plan.steps)} steps, {done} cached; "
        f"about {duration(estimate)} with {jobs} jobs",
        highlight=False,
    )
    for lack in prepared.plan.left_out:
        console.print(f"left out: {lack['kind']} {lack['name']}: {lack['why']}", highlight=False, markup=False)
