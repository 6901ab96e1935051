"""What judges share: how they declare their metrics, and how they give rows of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from vdf_bench.core.cards import Component
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from vdf_bench.core.interfaces import Evidence, Judge
    from vdf_bench.core.metrics import Measurement, Metric, Stage

JudgeStage = Literal["protect", "capture", "clone", "edit"]
#: Aggregations of several judges.
HELD: Final = "mean over held-out frames"
SHARE: Final = "share of held-out frames"


class BaseJudge(Component, ABC):
    """A judge with a card, parameters and declared metrics; see :class:`vdf_bench.core.interfaces.Judge`.

    Attributes:
        metrics: what it may measure; one whose metrics depend on what is installed overrides :meth:`declared`.
    """

    stage: ClassVar[JudgeStage]
    metrics: ClassVar[tuple[Metric, ...]] = ()

    @classmethod
    def declared(cls) -> tuple[Metric, ...]:
        """See :meth:`vdf_bench.core.interfaces.Judge.declared`."""
        return cls.metrics

    @abstractmethod
    def measure(self, evidence: Evidence) -> Iterable[Measurement]:
        """See :meth:`vdf_bench.core.interfaces.Judge.measure`."""

    def measurement(
        self, name: str, value: float | np.floating[Any], n: int, stage: Stage | None = None
    ) -> Measurement:
        """A row of the declared metric ``name``; see :meth:`vdf_bench.core.metrics.Metric.measurement`.

        Raises:
            UserError: it is not declared.
            ValueError: not finite or out of bounds.
        """
        return metric_of(self, name).measurement(value, n, stage)

    def missing(self) -> str | None:
        """Which columns are left out here and what is missing for them; None where all can be measured."""
        return None


def metric_of(judge: Judge, name: str) -> Metric:
    """The metric ``name`` that a judge declares.

    Raises:
        UserError: it declares none of this name.
    """
    found = next((metric for metric in judge.declared() if metric.name == name), None)
    if found is None:
        who = judge.card.name
        raise UserError(f"judge {who!r} measured {name!r}, which it does not declare: add it to the judge's metrics")
    return found
