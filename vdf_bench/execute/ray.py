"""Runs steps on a Ray cluster. There each is a process of its own, as on any machine.

So the same code runs in the same kind of process whatever the executor, which is why tables are the same: Ray only
finds it a node, long work the one that ``placement`` chose, and carries the news. Ray retries nothing itself: the
scheduler begins a step again whose node or worker died.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from vdf_bench.core.errors import UserError
from vdf_bench.execute.executor import Event
from vdf_bench.execute.local import LocalExecutor
from vdf_bench.execute.placement import Need, Node, choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vdf_bench.execute.executor import Resources
    from vdf_bench.plan import Step
    from vdf_bench.store import Store

#: Seconds between looks at what the cluster has: nodes come and go.
_LOOK = 5.0
#: Share of a node's memory that a step may ask for at most; one that wants more is tried where there is most.
_MOST = 0.9
#: Memory is asked for in so many MiB at a time: to Ray every other amount is another kind of task.
_MIB = 64
#: Seconds between news of a step's progress: thousands of steps have one driver to tell.
_NEWS = 5.0
#: Seconds for which whoever listens at the cluster's address may be silent.
_SILENCE = 20.0
#: What a client of HTTP/2 says first: that it is one, and that it has no settings of its own (RFC 9113, 3.4).
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))


@dataclass
class _Sent:
    """A step that Ray has, and the node that it is on, or is meant for; None while Ray may choose."""

    step: Step
    need: Need
    node: str | None


class RayExecutor:
    """Steps as Ray tasks.

    Args:
        store: where inputs are and artifacts go; every node must see it.
        resources: the cluster's address, and how many steps at once where one is started here.
        sign: a blob of the store that every node must see.

    Raises:
        UserError: Ray is not installed, or there is no such cluster.
    """

    def __init__(self, store: Store, resources: Resources, sign: str) -> None:
        heeded = signal.getsignal(signal.SIGTERM)
        try:
            os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # a CPU step may still look for GPUs
            import ray
        except ImportError:
            raise UserError("--executor ray needs the Python package ray: pip install 'vdf-bench[ray]'") from None
        _reach(resources.address)
        self._ray: Any = ray
        self._mine = not ray.is_initialized()
        if self._mine:
            own = {"address": "local", "num_cpus": resources.jobs}  # also where another Ray runs on this machine
            started: dict[str, Any] = {"address": resources.address} if resources.address else own
            try:
                ray.init(**started, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=None)
            except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
                where = resources.address or "this machine"
                raise UserError(f"--ray-address {where}: {str(error).splitlines()[0]}") from None
            finally:  # Ray puts its own in place, which dumps its stack and ends at once
                if callable(heeded) and threading.current_thread() is threading.main_thread():
                    signal.signal(signal.SIGTERM, heeded)
        self._store, self._sign, self._resources = store, sign, resources
        # A task is a stream of news: nothing stands between node and driver that could be lost on its own.
        self._task = ray.remote(max_retries=0, num_returns="streaming")(carry_out)
        self._running: dict[Any, _Sent] = {}
        # What lies on this machine alone, such as a user's clip, is read here.
        self._here = LocalExecutor(store, 1, preload=resources.preload)
        self._queue: list[tuple[Step, Need]] = []
        self._looked = -_LOOK
        self._nodes: dict[str, Node] = {}
        self._cores = self._gpus = 0.0  # of all nodes
        self._on_cores = 0  # steps that Ray has
        self._on_gpus = 0.0

    def has_room(self, need: Need) -> bool:
        if time.monotonic() - self._looked > _LOOK:
            self._look()
        # Ray holds a few more than run, so that nothing waits for news to travel.
        if need.gpus:
            return self._on_gpus < self._gpus + max(0.5, self._gpus / 4)
        return self._on_cores < self._cores + max(1, self._cores // 4)

    def submit(self, step: Step, need: Need) -> str:
        if step.where:
            self._queue.append((step, need))
            return ""
        able = [node for node in self._nodes.values() if node.gpus or not need.gpus]
        if need.gpus and not able:
            raise UserError("--device cuda: no node of the Ray cluster has a GPU: start one, or use --device cpu")
        most = _MOST * max((node.mib for node in able), default=0.0)
        need = replace(need, mib=min(_MIB * -(-need.mib // _MIB), most))
        node = choose(need, able)
        sent = _Sent(step, need, node.id if node else None)
        options = {"name": step.label, "scheduling_strategy": self._strategy(sent.node), **_resources(need)}
        arguments = (step, self._store, need, self._sign, stamp(), self._resources.preload)
        self._running[self._task.options(**options).remote(*arguments)] = sent
        self._count(sent.need)
        self._hold(sent)
        return ""

    def _strategy(self, node: str | None) -> Any:
        """Ray's word for where a step goes: ``DEFAULT`` packs, and keeps what needs no GPU away from GPUs."""
        if node is None:
            return "DEFAULT"
        # Soft: Ray finds it another where this node is gone. Another driver's steps there are waited for, no longer
        # than it takes one of them to end, for each driver sends a node no more than its cores.
        return self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node, soft=True)

    def poll(self, seconds: float) -> list[Event]:
        events = self._read_here(0.0)
        if events or not self._running:
            return events or self._read_here(seconds)
        streams = list(self._running)
        reads = not self._here.has_room(Need())
        ready, _ = self._ray.wait(streams, num_returns=1, timeout=min(seconds, 0.2) if reads else seconds)
        if ready:
            ready, _ = self._ray.wait(streams, num_returns=len(streams), timeout=0)
        return [self._hear(stream) for stream in ready]

    def _read_here(self, seconds: float) -> list[Event]:
        """News of what this machine reads, one after the other."""
        begun = []
        if self._queue and self._here.has_room(Need()):
            step, need = self._queue.pop(0)
            begun = [Event(step.key, "began", f"here, {self._here.submit(step, need)}")]
        return begun or self._here.poll(seconds)

    def _hear(self, stream: Any) -> Event:
        """The next news of a stream that has some."""
        sent = self._running[stream]
        event = self._next(stream, sent.step)
        if event.what == "progress":
            return event
        self._hold(sent, -1)
        if event.what == "began":
            sent.node = event.text
            self._hold(sent)
            if sent.node not in self._nodes:  # it came since
                self._look()
            known = self._nodes.get(sent.node)
            return replace(event, text=known.name if known else f"node {sent.node[:8]}")
        self._count(sent.need, -1)
        del self._running[stream]
        return event

    def _next(self, stream: Any, step: Step) -> Event:
        errors = self._ray.exceptions
        try:
            event: Event = self._ray.get(next(stream))
        except errors.RayTaskError as error:
            return Event(step.key, "failed", str(error), "raised")
        except errors.RayError as error:
            return Event(step.key, "died", f"step '{step.label}': {str(error).strip().splitlines()[0]}")
        except StopIteration:
            return Event(step.key, "died", f"step '{step.label}': its task ended without a word")
        return event

    def _count(self, need: Need, times: int = 1) -> None:
        self._on_gpus += times * need.gpus
        self._on_cores += times * (not need.gpus)

    def _hold(self, sent: _Sent, times: int = 1) -> None:
        if sent.node is not None and sent.node in self._nodes:
            self._nodes[sent.node].hold(sent.need, times)

    def close(self) -> None:
        self._here.close()
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._running.clear()
        if self._mine:
            self._ray.shutdown()

    def _look(self) -> None:
        """See what nodes there are, and count anew what is held on them."""
        self._looked = time.monotonic()
        self._nodes = {node.id: node for node in nodes_of(self._ray.nodes())}
        self._cores = sum(node.cpus for node in self._nodes.values())
        self._gpus = sum(node.gpus for node in self._nodes.values())
        for sent in self._running.values():
            self._hold(sent)


def nodes_of(records: Iterable[Mapping[str, Any]]) -> list[Node]:
    """Nodes that live, from what ``ray.nodes()`` tells; those of one machine are numbered."""
    living = sorted((record for record in records if record["Alive"]), key=lambda record: str(record["NodeID"]))
    shared = Counter(record["NodeManagerHostname"] for record in living)
    seen: Counter[str] = Counter()
    found = []
    for record in living:
        host, has = record["NodeManagerHostname"], record["Resources"]
        seen[host] += 1
        name = f"{host} #{seen[host]}" if shared[host] > 1 else host
        resources = (has.get("CPU", 0.0), has.get("GPU", 0.0), has.get("memory", 0.0) / 2**20)
        found.append(Node(record["NodeID"], name, *resources))
    return found


def _resources(need: Need) -> dict[str, Any]:
    """What Ray sets aside for a step. One that trains on a GPU asks for no core, so that no GPU waits for one."""
    cores = {"num_cpus": 0, "num_gpus": need.gpus} if need.gpus else {"num_cpus": 1}
    return {**cores, "memory": int(need.mib * 2**20) or None}


def _reach(address: str) -> None:
    """See that a cluster may listen where it is said to be: Ray itself would wait for minutes, or without end.

    Raises:
        UserError: nobody listens there, or somebody who does not speak as Ray does.
    """
    if not address or address == "auto":
        return
    if address.startswith("ray://"):  # Ray's client for machines outside carries no streams
        raise UserError(
            f"--ray-address {address}: join the cluster with 'ray start --num-cpus=0 --address=…' and give its "
            "HOST:PORT"
        )
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit()):
        raise UserError(f"--ray-address {address}: give HOST:PORT as printed by 'ray start', or auto")
    try:
        with socket.create_connection((host, int(port)), timeout=10) as line:
            heard = os.environ.get("RAY_USE_TLS", "0") != "0" or _speaks(line)
    except (OSError, OverflowError, UnicodeError) as error:  # the last: of a host that can be none
        raise UserError(f"--ray-address {address}: {error}; is 'ray start --head' running there?") from None
    if not heard:
        raise UserError(
            f"--ray-address {address}: no Ray cluster answers at this address: give the HOST:PORT printed by "
            "'ray start --head'"
        )


def _speaks(line: socket.socket) -> bool:
    """Whether who listens at the other end speaks gRPC: it answers a greeting of HTTP/2 with its settings."""
    line.settimeout(_SILENCE)
    settings = 4
    try:
        line.sendall(_HELLO)
        heard = b""
        while len(heard) < 4 and (more := line.recv(4 - len(heard))):
            heard += more
    except OSError:  # silent, or gone
        return False
    return len(heard) == 4 and heard[3] == settings


def carry_out(
    step: Step, store: Store, need: Need, sign: str, version: str, preload: tuple[str, ...]
) -> Iterator[Event]:
    """Run a step in a process of its own on this node: which node, how far it is now and then, and how it ended.

    Args:
        step: what to run.
        store: where its inputs are and its artifact goes.
        need: its limits.
        sign: a blob that the driver put into the store.
        version: the driver's :func:`stamp`.
        preload: modules that the process imports first.
    """
    import ray

    yield Event(step.key, "began", ray.get_runtime_context().get_node_id())
    node = socket.gethostname()
    if version != stamp():
        yield Event(step.key, "fatal", f"node {node} has another vdf-bench than this machine: install the same there")
        return
    if not store.place.exists(sign):
        ready = f"node {node} cannot access the store {store.root}: pass a shared folder or a URL to --store"
        yield Event(step.key, "fatal", ready)
        return
    executor = LocalExecutor(store, 1, gpus=[str(gpu) for gpu in ray.get_gpu_ids()], preload=preload)
    try:
        executor.submit(step, need)
        yield from _news(executor)
    finally:
        executor.close()


def _news(executor: LocalExecutor) -> Iterator[Event]:
    """What the one step of ``executor`` tells, its progress now and then, until it has ended."""
    ready = -_NEWS
    while True:
        for event in executor.poll(60.0):
            if event.what != "progress":
                yield event
                return
            if time.monotonic() - ready >= _NEWS:
                ready = time.monotonic()
                yield event


@cache
def stamp() -> str:
    """Digest of the code of steps and of every component that is registered here."""
    from vdf_bench import stages
    from vdf_bench.core import registry
    from vdf_bench.plan.keys import code_digest

    every = (registry.load(kind, name).__module__ for kind in registry.KINDS for name in registry.names(kind))
    return code_digest("vdf_bench.execute.worker", *stages.modules(), *every)
