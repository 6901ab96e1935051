"""Decides what runs next: of the steps whose inputs are there, the one with the longest chain of work behind it.

Whatever executor runs the steps, this is where a plan is worked off: steps that another driver of the same store has
claimed are waited for, steps whose worker died are begun again, and steps behind a failed one are left out.
"""

from __future__ import annotations

import heapq
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from vdf_bench.core.errors import UserError
from vdf_bench.execute.executor import EXECUTORS, Failure, Resources
from vdf_bench.execute.placement import gpu_share
from vdf_bench.store.leases import Leases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from vdf_bench.execute.executor import Event, Executor
    from vdf_bench.execute.placement import Need
    from vdf_bench.plan import Plan, Step
    from vdf_bench.store import Store

#: A step whose worker died is begun so many times more; what raises or wants too much is not.
RETRIES = 2
#: Seconds before the first of these times; each next one waits twice as long.
BACK_OFF = 1.0
#: Seconds between looks at steps that another driver computes.
LOOK = 2.0
#: Of the steps of a lane that could begin so many are tried for one that fits the memory that is left.
_TRIED = 32


class Watcher(Protocol):
    """Told what happens, for progress display."""

    def started(self, step: Step, worker: str) -> None:
        """A step begins on a worker; where it has none yet, it waits for one, and this is called again."""

    def progressed(self, step: Step, share: float) -> None:
        """A running step says what share of it is done."""

    def finished(self, step: Step, cached: bool) -> None:
        """A step is in the store."""

    def failed(self, step: Step, failure: Failure) -> None:
        """A step will not be in the store."""


class StepFailedError(RuntimeError):
    """A step raised: a bug, with its traceback."""


@dataclass
class Tally:
    """What an execution did.

    Attributes:
        computed: keys computed now.
        cached: keys that were in the store already, or that another driver put there meanwhile.
        failures: steps that could not be computed.
        unreached: keys that were not begun when time was up.
        worker_cpu: CPU seconds of the processes of computed steps, beginning to end.
        driver_cpu: CPU seconds of this process meanwhile.
    """

    computed: list[str] = field(default_factory=list)
    cached: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)
    worker_cpu: float = 0.0
    driver_cpu: float = 0.0

    def add(self, other: Tally) -> None:
        """Count what another execution of the same run did."""
        known = {*self.computed, *(failure.key for failure in self.failures), *self.unreached}
        self.computed += [key for key in other.computed if key not in known]
        self.failures += [failure for failure in other.failures if failure.key not in known]
        self.unreached += [key for key in other.unreached if key not in known]
        self.worker_cpu += other.worker_cpu
        self.driver_cpu += other.driver_cpu


def needed(plan: Plan, store: Store) -> list[Step]:
    """Steps to compute: every step of the plan that are missing from the store, inputs first."""
    missing = store.missing(plan.steps)
    return [step for key, step in plan.steps.items() if key in missing]


def remaining_path(plan: Plan, seconds: Mapping[str, float]) -> dict[str, float]:
    """For each key, seconds along the longest chain of steps that waits for it, itself included."""
    path = {key: seconds[key] for key in plan.steps}
    for key in reversed(list(plan.steps)):  # a plan lists inputs before what uses them
        for upstream in plan.steps[key].inputs.values():
            path[upstream] = max(path[upstream], seconds[upstream] + path[key])
    return path


class Ready:
    """Which steps may begin, most urgent first.

    Args:
        todo: steps to compute, by key.
        urgency: of each key; higher comes first.
        lane: of a step: steps of one lane compete for the same resources, so that where many wait for a GPU, those that
            need none are still found.
    """

    def __init__(
        self, todo: dict[str, Step], urgency: Mapping[str, float], lane: Callable[[Step], bool] = lambda step: False
    ) -> None:
        self.todo = dict(todo)
        self._urgency = urgency
        self._missing_inputs: dict[str, set[str]] = {}
        self._waiting: dict[str, list[str]] = {}
        self._lane = lane
        self._heaps: dict[bool, list[tuple[float, int, str]]] = {}
        self._count = 0
        for step in todo.values():
            self._place(step, {key for key in step.inputs.values() if key in todo})

    def take(self, fits: Callable[[Step], bool]) -> Step | None:
        """The most urgent step that fits, if it is among the first of its lane; it is not in the queue any more."""
        for heap in sorted((heap for heap in self._heaps.values() if heap), key=lambda heap: heap[0]):
            if (step := self._take(heap, fits)) is not None:
                return step
        return None

    def _take(self, heap: list[tuple[float, int, str]], fits: Callable[[Step], bool]) -> Step | None:
        passed: list[tuple[float, int, str]] = []
        found = None
        while heap and len(passed) < _TRIED:
            entry = heapq.heappop(heap)
            step = self.todo.get(entry[2])
            if step is None:  # dropped since
                continue
            if fits(step):
                found = self.todo.pop(step.key)
                break
            passed.append(entry)
        for entry in passed:
            heapq.heappush(heap, entry)
        return found

    def back(self, step: Step, missing_inputs: Iterable[str] = ()) -> None:
        """Put a step back, which first needs these keys to be made."""
        self.todo[step.key] = step
        self._place(step, set(missing_inputs))

    def done(self, key: str) -> None:
        """A key is in the store: what waited only for it may begin."""
        for waiting in self._waiting.pop(key, ()):
            missing_inputs = self._missing_inputs.get(waiting)
            if missing_inputs and key in missing_inputs:
                missing_inputs.discard(key)
                if not missing_inputs and waiting in self.todo:
                    self._push(waiting)

    def drop_behind(self, key: str) -> None:
        """Take out whatever waits for a key that will not come."""
        stack = [key]
        while stack:
            for waiting in self._waiting.pop(stack.pop(), ()):
                stack += [waiting] if self.todo.pop(waiting, None) is not None else []

    def _place(self, step: Step, missing_inputs: set[str]) -> None:
        self._missing_inputs[step.key] = missing_inputs
        for key in missing_inputs:
            self._waiting.setdefault(key, []).append(step.key)
        if not missing_inputs:
            self._push(step.key)

    def _push(self, key: str) -> None:
        self._count += 1
        heap = self._heaps.setdefault(self._lane(self.todo[key]), [])
        heapq.heappush(heap, (-self._urgency[key], self._count, key))


def open_executor(store: Store, resources: Resources, sign: str = "") -> Executor:
    """The executor that is asked for.

    Args:
        store: where inputs are and artifacts go.
        resources: with what to carry out.
        sign: a blob by which a worker elsewhere knows that it sees the same store.

    Raises:
        UserError: there is none of this name, or it cannot serve this store.
    """
    from vdf_bench.execute.local import InlineExecutor, LocalExecutor

    if store.private and resources.executor != "inline":
        raise UserError(
            f"--store {store.root} exists only in the memory of one process: use --executor inline, or a folder "
            "or URL as --store"
        )
    if resources.executor == "inline":
        return InlineExecutor(store)
    if resources.executor == "ray":
        from vdf_bench.execute.ray import RayExecutor

        return RayExecutor(store, resources, sign)
    if resources.executor != "local":
        raise UserError(f"unknown executor {resources.executor!r}: choose one of {', '.join(EXECUTORS)}")
    return LocalExecutor(store, resources.jobs, resources.memory_mib, preload=resources.preload)


def execute(
    plan: Plan, store: Store, resources: Resources | int, seconds: Mapping[str, float], watcher: Watcher
) -> Tally:
    """Compute what is missing, the longest remaining chain first.

    Args:
        plan: the DAG.
        store: where artifacts are looked for and put.
        resources: with what; a number is so many steps at once on this machine.
        seconds: expected seconds by key; decides the order, and when a step counts as hanging.
        watcher: called for every step.

    Raises:
        UserError: a step's input is unusable, it took too much memory or time, or the store fails.
        StepFailedError: a step raised.
        KeyboardInterrupt: interrupted; finished steps stay in the store.
    """
    resources = Resources(resources) if isinstance(resources, int) else resources
    todo = {step.key: step for step in needed(plan, store)}
    cached = [key for key in plan.steps if key not in todo]
    for key in cached:
        watcher.finished(plan.steps[key], cached=True)
    if not todo:
        return Tally(cached=cached)
    with Leases(store.place) as leases:
        executor = open_executor(store, resources, f"drivers/{leases.me}")
        try:
            run = _Execution(plan, store, resources, seconds, watcher, executor, leases, todo)
            run.tally.cached = cached
            return run.carry_out()
        finally:
            executor.close()


class _Execution:
    """One plan being worked off."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        resources: Resources,
        seconds: Mapping[str, float],
        watcher: Watcher,
        executor: Executor,
        leases: Leases,
        todo: dict[str, Step],
    ) -> None:
        self.plan, self.store, self.resources, self.seconds = plan, store, resources, seconds
        self.watcher, self.executor, self.leases = watcher, executor, leases
        self.ready = Ready(todo, remaining_path(plan, seconds), lambda step: gpu_share(step) > 0)
        self.tally = Tally()
        self.running: dict[str, tuple[Step, str]] = {}
        self.attempts: Counter[str] = Counter()
        self.elsewhere: dict[str, Step] = {}
        self.later: list[tuple[float, str]] = []
        self.looked = time.monotonic()
        self.begun = time.process_time()

    def carry_out(self) -> Tally:
        while True:
            self._wake()
            over = self.resources.until is not None and time.monotonic() >= self.resources.until
            if not over:
                self._begin()
            if not self.running and (over or not (self.elsewhere or self.later)):
                break
            for event in self.executor.poll(self._patience()):
                self._hear(event)
        self.tally.driver_cpu = time.process_time() - self.begun
        self.tally.unreached = [*self.ready.todo, *self.elsewhere, *(key for _, key in self.later)]
        return self.tally

    def _begin(self) -> None:
        """Begin what fits."""
        while (step := self.ready.take(lambda step: self.executor.has_room(self._need(step)))) is not None:
            if not self.leases.claim(step.key):
                self.elsewhere[step.key] = step
            elif self.store.has(step.key):  # by another driver, since the plan was compared with the store
                self._arrived(step)
            else:
                self.attempts[step.key] += 1
                worker = self.executor.submit(step, self._need(step))
                self.running[step.key] = (step, worker)
                self.watcher.started(step, worker)

    def _need(self, step: Step) -> Need:
        need = self.resources.need(step, self.seconds[step.key])
        # Whoever was killed is given more room, most likely it wanted more than was expected.
        return replace(need, mib=need.mib * 2 ** self.attempts[step.key])

    def _patience(self) -> float:
        """Seconds to wait for news."""
        moments = [moment for moment, _ in self.later]
        moments += [self.looked + LOOK] if self.elsewhere else []
        moments += [self.resources.until] if self.resources.until is not None else []
        return max(0.01, min([LOOK, *(moment - time.monotonic() for moment in moments)]))

    def _wake(self) -> None:
        """Look after steps that wait: for their next attempt, or for another driver."""
        now = time.monotonic()
        for moment, key in [entry for entry in self.later if entry[0] <= now]:
            self.later.remove((moment, key))
            self.ready.back(self.plan.steps[key])
        if self.elsewhere and now - self.looked >= LOOK:
            self.looked = now
            missing = self.store.missing(self.elsewhere)
            for key, step in list(self.elsewhere.items()):
                if key not in missing:
                    del self.elsewhere[key]
                    self._arrived(step)
                elif self.leases.claim(key):  # its driver died
                    del self.elsewhere[key]
                    self.ready.back(step)

    def _arrived(self, step: Step) -> None:
        self.leases.release(step.key)
        self.tally.cached.append(step.key)
        self.watcher.finished(step, cached=True)
        self.ready.done(step.key)

    def _hear(self, event: Event) -> None:
        step, worker = self.running[event.key]
        if event.what == "progress":
            self.watcher.progressed(step, float(event.text))
            return
        if event.what == "began":
            self.running[step.key] = (step, event.text)
            self.watcher.started(step, event.text)
            return
        del self.running[event.key]
        if event.what == "done":
            self.leases.release(step.key)
            self.tally.computed.append(step.key)
            self.tally.worker_cpu += float(event.text)
            self.watcher.finished(step, cached=False)
            self.ready.done(step.key)
        elif event.what == "input":  # it was damaged and set aside: make it again, then this step
            self.attempts[step.key] -= 1
            lost = self.plan.steps[event.text]
            known = lost.key in self.ready.todo or lost.key in self.running or lost.key in self.elsewhere
            waits = known or not self.store.has(lost.key)
            self.ready.back(step, [lost.key] if waits else [])
            if waits and not known:
                self.ready.back(lost)
        elif event.what == "fatal":
            raise UserError(event.text)
        elif event.what == "died" and self.attempts[step.key] <= RETRIES:
            pause = BACK_OFF * 2.0 ** (self.attempts[step.key] - 1)
            self.later.append((time.monotonic() + pause, step.key))
        else:
            self._give_up(step, event, worker)

    def _give_up(self, step: Step, event: Event, worker: str) -> None:
        cause = "lost" if event.what == "died" else event.cause
        attempts = self.attempts[step.key]
        failure = Failure(step.key, step.name, step.label, cause, event.text, worker, attempts)
        self.leases.release(step.key)
        if not self.resources.keep_going:
            raise_failure(failure)
        self.tally.failures.append(failure)
        self.watcher.failed(step, failure)
        self.ready.drop_behind(step.key)


def raise_failure(failure: Failure) -> None:
    """Say what failed: a bug with its traceback, all else in a line.

    Raises:
        StepFailedError: the step raised.
        UserError: anything else.
    """
    if failure.cause == "raised":
        raise StepFailedError(f"step '{failure.label}' failed: {failure.text}")
    raise UserError(failure.text)
