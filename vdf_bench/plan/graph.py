"""The DAG of keyed steps, and the cells of the result table over it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from vdf_bench.core.artifact import digest
from vdf_bench.core.place import Place
from vdf_bench.stages import THREADS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdf_bench.core.registry import Kind

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
class Cell(Place):
    """One row group of the result table, and the keys of its steps.

    ``steps`` maps ``clip, protected, frames, capture``; where the attacker needs them ``view`` (a purified copy that is
    only looked at) and ``taught`` (weights of its parser); and, where a victim runs, ``head, rendering`` and the judges
    ``judge.protect, judge.capture, judge.clone`` to keys; a stage that is not judged is absent.
    """

    arm: Arm
    steps: dict[str, str]


@dataclass
class Plan:
    """The DAG in an order in which inputs come first, the cells over it, and what could not be planned.

    Attributes:
        steps, cells, left_out: these.
        inputs: digests of the user's files, by clip.
        components: kind and name of all that takes part.
    """

    steps: dict[str, Step] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    components: list[tuple[Kind, str]] = field(default_factory=list)

    def add(self, step: Step) -> str:
        """Add ``step`` unless an equal one is there; its key."""
        self.steps.setdefault(step.key, step)
        return step.key

    def merge(self, other: Plan) -> None:
        """Add the steps and cells of ``other`` that are not here yet."""
        self.steps |= other.steps  # shared steps keep their place before what uses them
        self.cells += [cell for cell in other.cells if cell not in self.cells]
        self.inputs |= other.inputs
        self.left_out += [one for one in other.left_out if one not in self.left_out]
        self.components += [one for one in other.components if one not in self.components]

    def restricted(self, cells: Iterable[Cell]) -> Plan:
        """The part of this plan that ``cells`` need."""
        kept = list(cells)
        wanted: set[str] = set()
        todo = [key for cell in kept for key in cell.steps.values()]
        while todo:
            key = todo.pop()
            if key not in wanted:
                wanted.add(key)
                todo += self.steps[key].inputs.values()
        return replace(self, steps={key: step for key, step in self.steps.items() if key in wanted}, cells=kept)

    @property
    def judges(self) -> list[str]:
        """Names of the judges that its steps call, sorted."""
        return sorted({name for step in self.steps.values() for name, _ in step.params.get("judges", ())})

    def dependents(self, keys: Iterable[str]) -> dict[str, str]:
        """Every key that cannot be made without one of ``keys``, with the first of these that it needs."""
        found = {key: key for key in keys if key in self.steps}
        for key, step in self.steps.items():  # inputs come first
            if key not in found:
                cause = next((found[upstream] for upstream in step.inputs.values() if upstream in found), None)
                if cause is not None:
                    found[key] = cause
        return found
