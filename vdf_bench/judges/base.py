"""What the shipped judges share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from vdf_bench.core.cards import Component

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vdf_bench.core.interfaces import Evidence, Measurement

JudgeStage = Literal["protect", "capture", "clone", "edit"]


class BaseJudge(Component, ABC):
    """A judge with a card and parameters; see :class:`vdf_bench.core.interfaces.Judge`."""

    stage: ClassVar[JudgeStage]

    @abstractmethod
    def measure(self, evidence: Evidence) -> Iterable[Measurement]:
        """See :meth:`vdf_bench.core.interfaces.Judge.measure`."""

    def missing(self) -> str | None:
        """Which columns are left out here and what they lack; None where all can be measured."""
        return None
