"""The DAG of keyed steps, and the cells of the result table over it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from vdf_bench.stages import THREADS
from vdf_bench.store import digest

Arm = Literal["defended", "clean", "control"]


@dataclass(frozen=True)
class Step:
    """One node of the DAG.

    Attributes:
        name: the module in :mod:`vdf_bench.stages`.
        label: what a person reads.
        params: what the result depends on.
        inputs: role -> key of another step.
        code: digest of the code, weights and versions of libraries that it depends on (:mod:`vdf_bench.plan.keys`).
        where: parameters that say where to read something whose content is already in ``code``; not in the key.
    """

    name: str
    label: str
    params: dict[str, Any]
    inputs: dict[str, str]
    code: str
    where: dict[str, str] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """Content key."""
        return digest([self.name, self.params, self.inputs, self.code, THREADS])


@dataclass(frozen=True)
class Cell:
    """One row group of the result table, and the keys of its steps. ``target`` and ``victim`` are empty without one.

    ``steps`` maps ``clip, protected, frames, capture``; where the attacker needs them ``view`` (a purified copy that is
    only looked at) and ``taught`` (weights of its parser); and, where a victim runs, ``head, rendering`` and the judges
    ``judge.protect, judge.capture, judge.clone`` to keys; a stage that is not judged is absent.
    """

    clip: str
    defense: str
    linf: float
    purifier: str
    capture: str
    target: str
    victim: str
    seed: int
    arm: Arm
    steps: dict[str, str]
    floor: float = 0.0

    @property
    def attacker(self) -> tuple[str, str, str, str, str, int]:
        """What this cell shares with its clean twin."""
        return (self.clip, self.purifier, self.capture, self.target, self.victim, self.seed)


@dataclass
class Plan:
    """The DAG in an order in which inputs come first, the cells over it, and what could not be planned."""

    steps: dict[str, Step] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)

    def add(self, step: Step) -> str:
        """Add ``step`` unless an equal one is there; its key."""
        self.steps.setdefault(step.key, step)
        return step.key
