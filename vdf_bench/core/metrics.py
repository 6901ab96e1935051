"""What a judge measures: the metrics that it declares, and the rows of evidence that it gives."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

from vdf_bench.core.errors import UserError
from vdf_bench.core.place import PLACE

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

Stage = Literal["protect", "capture", "field", "clone", "edit", "cost"]
#: In the order of the story.
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
#: Stages whose metrics are compared with the clean twin of the cell. The others describe a defense or a capture.
EFFECT_STAGES: Final = ("field", "clone", "edit")
#: What follows the name of such a metric, after a ``_``, in the columns of the summary.
EFFECT_PARTS: Final = ("clean", "delta", "low", "high", "wide", "sd")
#: Columns of the summary after which no metric may be called that it shows.
RESERVED: Final = frozenset({*PLACE, "access", "arm", "outcome", "cells", "void", "clips", "units", "seeds", "verdict"})
_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]*")
#: Bounds are compared within this much, for rounding.
_SLACK: Final = 1e-4


@dataclass(frozen=True)
class Measurement:
    """One row of evidence.

    Attributes:
        stage: which part of the story it judges.
        metric: name in the result table.
        unit: such as ``dB``; empty for plain ratios.
        better: ``up`` or ``down``, from the eye of someone who wants a faithful picture of that stage
            (``up`` for PSNR, ``down`` for pose error); ``dsr*`` is ``up`` for the defender.
        value: finite, always.
        n: frames behind it.
    """

    stage: Stage
    metric: str
    unit: str
    better: Literal["up", "down"]
    value: float
    n: int


@dataclass(frozen=True)
class Metric:
    """One column of the result table, as its judge declares it.

    Attributes:
        name: as in the table: lower-case letters, digits, ``_``, ``.`` and ``-``.
        stage: which part of the story it judges. Metrics of the stages field, clone and edit are compared with the
            clean twin; those of the others are shown as they are.
        unit: of the value; empty for plain ratios.
        better: direction, as of :class:`Measurement`.
        lower, upper: closed bounds of the value; may be infinite.
        aggregation: how single observations become the value.
        definition: one line, printed in reports.
        weights: entry of :mod:`vdf_bench.assets.third_party` without which the column is left out; empty where what
            ships suffices.
        shown: whether reports give it a column of its own accord. The shipped judges switch this off for metrics that
            the summary has a column for anyway, and for those that only explain others.

    Raises:
        UserError: it cannot be a column of the result table.
    """

    name: str
    stage: Stage
    unit: str
    better: Literal["up", "down"]
    lower: float
    upper: float
    aggregation: str
    definition: str
    weights: str = ""
    shown: bool = True

    def __post_init__(self) -> None:
        faults = {
            "its name is not lower-case letters, digits, _, . and -": _NAME.fullmatch(self.name) is None,
            "the summary has another column of that name": self.shown and self.name in RESERVED,
            f"its stage {self.stage!r} is none of {', '.join(STAGES)}": self.stage not in STAGES,
            f"better is {self.better!r}, not up or down": self.better not in ("up", "down"),
            f"its bounds {self.lower} and {self.upper} are out of order": not self.lower < self.upper,
            "its definition is not one line": len(self.definition.splitlines()) != 1,
        }
        for fault, found in faults.items():
            if found:
                raise UserError(f"metric {self.name!r}: {fault}")

    def holds(self, value: float) -> bool:
        """Whether ``value`` is finite and within the bounds, but for rounding."""
        return math.isfinite(value) and self.lower - _SLACK <= value <= self.upper + _SLACK

    def measurement(self, value: float | np.floating[Any], n: int, stage: Stage | None = None) -> Measurement:
        """A row of this metric.

        Args:
            value: finite, within the bounds but for rounding.
            n: frames behind it; 0 where the value follows from a definition alone.
            stage: of the few metrics that judge two stages; None takes the metric's own.

        Raises:
            ValueError: not finite or out of bounds, which is a bug of the judge.
        """
        number = float(value)
        if not self.holds(number):
            raise ValueError(f"{self.name} = {value} is outside [{self.lower}, {self.upper}]")
        bounded = min(max(number, float(self.lower)), float(self.upper))
        return Measurement(stage or self.stage, self.name, self.unit, self.better, bounded, int(n))


@dataclass(frozen=True)
class Definition(Metric):
    """A metric, and who measures it.

    Attributes:
        judge: name of the judge that declares it; empty where that is not known.
    """

    judge: str = ""

    def record(self) -> dict[str, Any]:
        """As ``run.json`` holds it: an infinite bound is null."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**found, **{side: found[side] if math.isfinite(found[side]) else None for side in ("lower", "upper")}}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """What :meth:`record` gave; keys that this version does not know are passed over.

        Raises:
            UserError: it is damaged.
        """
        known = {item.name: record[item.name] for item in fields(cls) if item.name in record}
        known |= {side: limit for side, limit in (("lower", -math.inf), ("upper", math.inf)) if known.get(side) is None}
        try:
            return cls(**known)
        except (TypeError, AttributeError) as error:
            raise UserError(f"the definition of a metric is damaged ({error}): {dict(record)}") from None
