"""Runs steps on a Ray cluster. Ray finds each a node; there it is a process of its own, as on any machine.

So the same code runs in the same kind of process whatever the executor, which is why tables are the same: Ray only
places and carries the news. Ray retries nothing itself: the scheduler begins a step again whose node or worker died.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from vdf_bench.errors import UserError
from vdf_bench.execute.executor import Event, Need
from vdf_bench.execute.local import LocalExecutor

if TYPE_CHECKING:
    from vdf_bench.execute.executor import Means
    from vdf_bench.plan import Step
    from vdf_bench.store import Store

#: Seconds between looks at what the cluster has: nodes come and go.
_LOOK = 5.0
#: Share of a node's memory that a step may ask for at most; one that wants more is tried where there is most.
_MOST = 0.9


class RayExecutor:
    """Steps as Ray tasks.

    Args:
        store: where inputs are and artifacts go; every node must see it.
        means: the cluster's address, and how many steps at once where one is started here.
        sign: a blob of the store that every node must see.

    Raises:
        UserError: Ray is not installed, or there is no such cluster.
    """

    def __init__(self, store: Store, means: Means, sign: str) -> None:
        try:
            os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # a CPU step may still look for GPUs
            import ray
        except ImportError:
            raise UserError("--executor ray needs the Python package ray: pip install 'vdf-bench[ray]'") from None
        _reach(means.address)
        self._ray: Any = ray
        self._mine = not ray.is_initialized()
        if self._mine:
            started: dict[str, Any] = {"address": means.address} if means.address else {"num_cpus": means.jobs}
            try:
                ray.init(**started, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=None)
            except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
                where = means.address or "this machine"
                raise UserError(f"--ray-address {where}: {str(error).splitlines()[0]}") from None
        self._store, self._sign, self._means = store, sign, means
        self._task = ray.remote(num_cpus=1, max_retries=0)(carry_out)
        self._running: dict[Any, Step] = {}
        # What lies on this machine alone, such as a user's clip, is read here.
        self._here = LocalExecutor(store, 1, preload=means.preload)
        self._looked = -_LOOK
        self._slots = 1
        self._node_bytes = 0.0

    def has_room(self, need: Need) -> bool:
        del need
        if time.monotonic() - self._looked > _LOOK:
            self._look()
        # Ray holds a few more than run, so that no core waits for news to travel.
        return len(self._running) < self._slots + max(1, self._slots // 4)

    def submit(self, step: Step, need: Need) -> str:
        if step.where:
            return f"here, {self._here.submit(step, need)}" if self._here.has_room(need) else self._send(step, need)
        return self._send(step, need)

    def _send(self, step: Step, need: Need) -> str:
        asked: dict[str, Any] = {"memory": int(min(need.mib * 2**20, _MOST * self._node_bytes)) or None}
        if need.gpus:
            asked["num_gpus"] = need.gpus
        options = {"name": step.label, "scheduling_strategy": "SPREAD", **asked}
        arguments = (step, self._store, need, self._sign, stamp(), self._means.preload)
        self._running[self._task.options(**options).remote(*arguments)] = step
        return "cluster"

    def poll(self, seconds: float) -> list[Event]:
        events = self._here.poll(0.0)
        if events or not self._running:
            return events or self._here.poll(seconds)
        here = bool(self._here._running)
        over, _ = self._ray.wait(list(self._running), num_returns=1, timeout=min(seconds, 0.2) if here else seconds)
        for reference in over:
            events.append(self._ended(reference, self._running.pop(reference)))
        return events

    def _ended(self, reference: Any, step: Step) -> Event:
        errors = self._ray.exceptions
        try:
            event: Event = self._ray.get(reference)
        except errors.RayTaskError as error:
            return Event(step.key, "failed", str(error), "raised")
        except errors.RayError as error:
            return Event(step.key, "died", f"step '{step.label}': {str(error).strip().splitlines()[0]}")
        return event

    def close(self) -> None:
        self._here.close()
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._running.clear()
        if self._mine:
            self._ray.shutdown()

    def _look(self) -> None:
        self._looked = time.monotonic()
        nodes = [node for node in self._ray.nodes() if node["Alive"]]
        self._slots = max(1, int(sum(node["Resources"].get("CPU", 0.0) for node in nodes)))
        self._node_bytes = max((node["Resources"].get("memory", 0.0) for node in nodes), default=0.0)


def _reach(address: str) -> None:
    """See that somebody listens where the cluster is said to be: Ray itself would wait for minutes, and then exit.

    Raises:
        UserError: nobody does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not address or address == "auto":
        return
    if not (host and colon and port.isdigit()):
        raise UserError(f"--ray-address {address}: give HOST:PORT, as 'ray start' printed it, or auto")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"--ray-address {address}: {error}; is 'ray start --head' running there?") from None


def carry_out(step: Step, store: Store, need: Need, sign: str, version: str, preload: tuple[str, ...]) -> Event:
    """Run a step in a process of its own on this node, and say how it ended.

    Args:
        step: what to run.
        store: where its inputs are and its artifact goes.
        need: its limits.
        sign: a blob that the driver put into the store.
        version: the driver's :func:`stamp`.
        preload: modules that the process imports first.
    """
    node = socket.gethostname()
    if version != stamp():
        return Event(step.key, "fatal", f"node {node} has another vdf-bench than this machine: install the same there")
    if not store.place.exists(sign):
        told = f"node {node} does not see the store {store.root}: give --store a shared folder or a URL"
        return Event(step.key, "fatal", told)
    import ray

    gpus = ray.get_gpu_ids()
    executor = LocalExecutor(store, 1, gpus=[str(gpu) for gpu in gpus], preload=preload)
    try:
        executor.submit(step, need)
        while True:
            for event in executor.poll(60.0):
                if event.what != "progress":
                    return event
    finally:
        executor.close()


@cache
def stamp() -> str:
    """Digest of the code of the harness and of the components that ship with it."""
    from vdf_bench.sources import code_digest

    return code_digest("vdf_bench", *(f"vdf_bench.{room}" for room in ("defenses", "victims", "purifiers")))
