"""What the scheduler asks of an executor, what executors report, and how a user chooses one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

from vdf_bench.execute.placement import PATIENT_FACTOR, PATIENT_SECONDS, ROUGH_MIB, Need, cost_class, gpu_share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdf_bench.plan import Step

#: How an execution may be carried out.
EXECUTORS: Final = ("local", "ray", "inline")

#: What became of a step: a worker took it up, a share of it is done, all of it, an input of it must be made anew, it
#: failed, its worker died, or no step can go on.
What = Literal["began", "progress", "done", "input", "failed", "died", "fatal"]
#: Why a step failed: its input cannot serve, it raised, it wanted too much memory or time, its workers kept dying.
Cause = Literal["unusable", "raised", "memory", "time", "lost"]


@dataclass(frozen=True)
class Event:
    """News of a step.

    Attributes:
        key, what: which step, and what became of it.
        text: the worker's name, the share that is done, the CPU seconds of its process, the key of a lost input, or why
            it failed.
        cause: of a failure.
    """

    key: str
    what: What
    text: str = ""
    cause: Cause = "raised"


@dataclass(frozen=True)
class Failure:
    """A step that could not be computed: no finding, so its cells are left out rather than scored.

    Attributes:
        key, step, label: which.
        cause: in one word.
        text: in full; of a bug the traceback.
        worker: where it ran last.
        attempts: how often it was begun.
    """

    key: str
    step: str
    label: str
    cause: Cause
    text: str
    worker: str
    attempts: int

    @property
    def line(self) -> str:
        """In one line."""
        return self.text.strip().rpartition("\n")[2] if self.cause == "raised" else self.text


class Executor(Protocol):
    """Runs steps somewhere. Used by one thread."""

    def has_room(self, need: Need) -> bool:
        """Whether a step would be begun now."""

    def submit(self, step: Step, need: Need) -> str:
        """Begin a step; the worker's name, or nothing while it waits for one, which ``began`` will tell."""

    def poll(self, seconds: float) -> list[Event]:
        """News since the last time, waited for so long at most.

        A step's last event is any but ``began`` and ``progress``.
        """

    def close(self) -> None:
        """End what still runs."""


@dataclass(frozen=True)
class Resources:
    """With what an execution is carried out.

    Attributes:
        jobs: steps at once on this machine.
        executor: one of :data:`EXECUTORS`.
        address: of a Ray cluster; empty starts one on this machine.
        step_timeout: wall seconds of any step; None allows a generous multiple of what is expected.
        until: reading of the monotonic clock after which no step is begun; None never.
        keep_going: whether a failed step leaves the others to be computed; else it is raised.
        mib: expected memory of steps, by key.
        recorded: keys whose cost an earlier run recorded; of all others it is a guess.
        preload: modules that a worker imports before its step, such as one that registers it.
        memory_mib: memory for all steps at once; None takes what this machine has to spare.
    """

    jobs: int = 1
    executor: str = "local"
    address: str = ""
    step_timeout: float | None = None
    until: float | None = None
    keep_going: bool = False
    mib: Mapping[str, float] = field(default_factory=dict)
    recorded: frozenset[str] = frozenset()
    memory_mib: float | None = None
    preload: tuple[str, ...] = ()

    def need(self, step: Step, seconds: float) -> Need:
        """What ``step`` takes.

        Args:
            step: the step.
            seconds: CPU seconds that it is expected to take.
        """
        # A fit gives itself up after its own time-out, which is a finding; the limit here is for what hangs.
        own = 1.5 * float(step.params.get("timeout") or 0.0)
        limit = self.step_timeout or max(PATIENT_SECONDS, PATIENT_FACTOR * seconds) + own
        cost = cost_class(step, seconds, step.key in self.recorded)
        return Need(self.mib.get(step.key, ROUGH_MIB), gpu_share(step), limit, cost)
