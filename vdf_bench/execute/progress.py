"""What a run shows: its plan before; while it works a live view on a terminal, or plain lines off it."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from vdf_bench.core.console import shows_live
from vdf_bench.core.text import duration

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from vdf_bench.execute.executor import Failure
    from vdf_bench.plan import Plan, Step


#: Seconds before a step that is not on a terminal begins to say how far it is.
QUIET = 60.0
#: Workers that the live view names: those whose step has run longest; more are counted.
WORKERS = 12


class ProgressWatcher:
    """Counts expected seconds rather than steps, so that the bar moves evenly.

    Args:
        console: where it is shown.
        seconds: expected of each step, by key.
        jobs: steps at once; where more run, as on a cluster, it grows.
        plan: whose cells are counted; None counts none.
    """

    def __init__(self, console: Console, seconds: dict[str, float], jobs: int, plan: Plan | None = None) -> None:
        self.console = console
        self.seconds = seconds
        self.jobs = jobs
        self.cached = 0
        self.cells = CellCount(plan) if plan is not None else None
        self.failures = 0
        self._left = sum(seconds.values())
        self._running: dict[str, tuple[str, float]] = {}
        self._waiting: set[str] = set()
        self._workers: dict[str, str] = {}
        self._busy: dict[str, float] = {}
        self._most: Counter[str] = Counter()
        self._shares: dict[str, float] = {}
        self._pace: dict[str, tuple[float, float, float]] = {}
        self._done: set[str] = set()
        self._begun = time.perf_counter()
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[left]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bar.add_task("planning", total=max(self._left, 1e-9), left="")
        self._drawn = shows_live(console)
        self._live = Live(get_renderable=self.view, console=console, transient=True, refresh_per_second=4)

    def __enter__(self) -> ProgressWatcher:
        if self._drawn:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._live.stop()

    def started(self, step: Step, worker: str) -> None:
        """Show the step, as one that waits where no worker is named yet."""
        self._drop(step.key)
        if worker:
            self._running[step.key] = (step.label, time.perf_counter())
            self._workers[step.key] = worker
            there = sum(other == worker for other in self._workers.values())
            self._most[worker] = max(self._most[worker], there)
            self.jobs = max(self.jobs, len(self._running))
        else:
            self._waiting.add(step.key)
        self._show()

    def progressed(self, step: Step, share: float) -> None:
        """Correct what is left by how fast the step really goes; off a terminal, a line early and at every tenth."""
        label, begun = self._running[step.key]
        self._shares[step.key] = share
        now = time.perf_counter()
        # A fit that goes on from a checkpoint begins with a share: its speed counts from there.
        first, since, told = self._pace.setdefault(step.key, (share, now, -1.0))
        if share > first:
            left = (1 - share) * (now - since) / (share - first)
            self._expect(step, now - begun + left)
            if now - begun > QUIET and int(10 * share) > int(10 * told) and not self._drawn:
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
        label, begun = self._end(step)
        self.cached += cached
        if self.cells is not None:
            self.cells.finished(step.key)
        self._left -= self.seconds[step.key]
        self._bar.advance(self._task, self.seconds[step.key])
        if not cached and not self._drawn:
            self.console.print(f"  {label}: {time.perf_counter() - begun:.1f} s", highlight=False, markup=False)
        self._show()

    def failed(self, step: Step, failure: Failure) -> None:
        """Say so at once: what follows may take hours."""
        label, _ = self._end(step)
        self.failures += 1
        if self.cells is not None:
            self.cells.failed(step.key)
        self.console.print(f"  failed ({failure.cause}): {label}: {failure.line}", highlight=False, markup=False)
        self._show()

    def _end(self, step: Step) -> tuple[str, float]:
        now = time.perf_counter()
        label, begun = self._running.get(step.key, (step.label, now))
        worker = self._workers.get(step.key)
        if worker is not None:
            self._busy[worker] = self._busy.get(worker, 0.0) + now - begun
        self._drop(step.key)
        return label, begun

    def _drop(self, key: str) -> None:
        """Show a step no more."""
        for shown in (self._running, self._workers, self._pace, self._shares):
            shown.pop(key, None)
        self._waiting.discard(key)

    def say(self, text: str) -> None:
        """Show what is done outside steps; off a terminal, as a line."""
        self._bar.update(self._task, description=text, left="")
        if not self._drawn:
            self.console.print(f"  {text}", highlight=False, markup=False)

    def view(self) -> Group:
        """Bar, counts, and what every worker, a process or a node, does and how busy it was."""
        counts = [f"{len(self._done)} of {len(self.seconds)} steps"]
        if self.cells is not None:
            counts = [f"{self.cells.done} of {self.cells.total} cells", f"{self.cells.lost} failed", *counts]
        counts += [f"{len(self._running)} running"]
        counts += [f"{len(self._waiting)} waiting"] if self._waiting else []
        counts += [f"{self.cached} cached"]
        counts += [f"{self.failures} steps failed"] if self.failures else []
        return Group(self._bar, Text("  " + " · ".join(counts)), self._table())

    def _table(self) -> Table:
        """A row for each worker: how busy it was, and of what runs there the oldest step with its share and time.

        Busy is the share of the time that steps ran, of as many at once as ever ran there.
        """
        now = time.perf_counter()
        at: dict[str, list[str]] = {}
        for key in self._running:  # in the order in which they began
            at.setdefault(self._workers[key], []).append(key)
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
        for worker in sorted(list(at)[:WORKERS], key=lambda name: (len(name), name)):  # each keeps its line
            keys = at[worker]
            spent = self._busy.get(worker, 0.0) + sum(now - self._running[key][1] for key in keys)
            load = spent / max(self._most[worker] * (now - self._begun), 1e-9)
            label, begun = self._running[keys[0]]
            share = f"{self._shares[keys[0]]:4.0%}" if keys[0] in self._shares else ""
            name = f"{worker}, {len(keys)} steps" if len(keys) > 1 else worker
            what = Text(label, overflow="ellipsis", no_wrap=True)
            table.add_row(Text(name), f"{min(load, 1):4.0%} busy", what, share, duration(now - begun))
        if len(at) > WORKERS:
            table.add_row(f"and {len(at) - WORKERS} more", "", "", "", "")
        return table

    def _show(self) -> None:
        labels = [label for label, _ in self._running.values()]
        now = time.perf_counter()
        going = sum(now - begun for key, (_, begun) in self._running.items() if key in self._pace)
        left = f"about {duration(max(self._left - going, 0) / self.jobs)} left" if self._running else ""
        self._bar.update(self._task, description=labels[0][:40] if labels else "", left=left)


class CellCount:
    """How many cells of a plan are whole, and how many cannot become so any more."""

    def __init__(self, plan: Plan) -> None:
        self.total = len(plan.cells)
        self.done = 0
        self.lost = 0
        self._plan = plan
        self._of: dict[str, list[int]] = {}
        self._lacks: list[int] = []
        for place, cell in enumerate(plan.cells):
            keys = set(cell.steps.values())
            self._lacks.append(len(keys))
            for key in keys:
                self._of.setdefault(key, []).append(place)

    def finished(self, key: str) -> None:
        """A step is there."""
        for place in self._of.pop(key, ()):
            self._lacks[place] -= 1
            self.done += self._lacks[place] == 0

    def failed(self, key: str) -> None:
        """A step will not be there, nor what depends on it."""
        for lost in self._plan.dependents([key]):
            for place in self._of.pop(lost, ()):
                self.lost += self._lacks[place] > 0
                self._lacks[place] = 0
