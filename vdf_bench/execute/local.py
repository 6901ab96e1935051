"""Runs steps on this machine: one process a step, as many at once as there are jobs and as memory allows."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from vdf_bench.execute.child import Child, news

if TYPE_CHECKING:
    from vdf_bench.execute.executor import Event
    from vdf_bench.execute.placement import Need
    from vdf_bench.plan import Step
    from vdf_bench.store import Store


class LocalExecutor:
    """Processes of this machine.

    Args:
        store: where inputs are and artifacts go.
        jobs: steps at once, beside one on every GPU.
        memory_mib: memory for all of them; None takes what the machine has to spare now.
        gpus: devices to share out, one step that trains on a GPU each; None finds the visible ones when first asked.
        preload: modules that workers import first.
    """

    def __init__(
        self,
        store: Store,
        jobs: int,
        memory_mib: float | None = None,
        gpus: list[str] | None = None,
        preload: tuple[str, ...] = (),
    ) -> None:
        from vdf_bench.execute.machine import spare_mib

        self._store = store
        self._jobs = jobs
        self._mib = memory_mib if memory_mib is not None else spare_mib()
        self._gpus = gpus
        self._preload = preload
        self._running: dict[str, tuple[Child, Need, int | None, str | None]] = {}

    def has_room(self, need: Need) -> bool:
        on_gpu = self._on_gpu(need)
        if on_gpu and self._free_gpu() is None:
            return False
        if not on_gpu and len(self._taken()) >= self._jobs:
            return False
        # What does not fit beside nothing is tried all the same: what is expected may be wrong.
        taken = sum(other.mib for _, other, _, _ in self._running.values())
        return not self._running or taken + need.mib <= self._mib

    def submit(self, step: Step, need: Need) -> str:
        gpu = self._free_gpu() if self._on_gpu(need) else None
        place = min(set(range(self._jobs)) - self._taken()) if gpu is None else None
        self._running[step.key] = (Child(step, self._store, need, gpu, self._preload), need, place, gpu)
        return f"job {place + 1}" if place is not None else f"gpu {gpu}"

    def poll(self, seconds: float) -> list[Event]:
        news([child for child, *_ in self._running.values()], seconds)
        events = []
        for key, (child, *_) in list(self._running.items()):
            event = child.event()
            if event is not None:
                events.append(event)
                if event.what != "progress":
                    del self._running[key]
        return events

    def close(self) -> None:
        for child, *_ in self._running.values():
            child.end()
        self._running.clear()

    def _taken(self) -> set[int]:
        """Jobs that are at work. Steps on a GPU are none of them: no GPU shall wait for a core."""
        return {place for _, _, place, _ in self._running.values() if place is not None}

    def _on_gpu(self, need: Need) -> bool:
        """Whether a step goes to a GPU; one that asks for a GPU where there is none is a step like any other."""
        if need.gpus and self._gpus is None:
            from vdf_bench.execute.machine import visible_gpus

            self._gpus = visible_gpus()
        return bool(need.gpus and self._gpus)

    def _free_gpu(self) -> str | None:
        """A GPU that no step uses; None where there is none."""
        used = {gpu for *_, gpu in self._running.values()}
        return next((gpu for gpu in self._gpus or () if gpu not in used), None)


class InlineExecutor:
    """Runs steps in this process, one after the other: for stores in memory, and for a debugger.

    Args:
        store: where inputs are and artifacts go.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._events: list[Event] = []

    def has_room(self, need: Need) -> bool:
        del need
        return not self._events

    def submit(self, step: Step, need: Need) -> str:
        from vdf_bench.execute.worker import outcome

        del need
        self._events.append(outcome(step, self._store, lambda share: None))
        return f"process {os.getpid()}"

    def poll(self, seconds: float) -> list[Event]:
        if not self._events:
            time.sleep(seconds)
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        self._events.clear()
