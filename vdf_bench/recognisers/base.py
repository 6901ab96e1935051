"""What recognisers share: a column, a threshold, and what is said of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from vdf_bench.core.cards import Component

if TYPE_CHECKING:
    from vdf_bench.core.interfaces import RecogniserModel


class BaseRecogniser(Component, ABC):
    """A recogniser with a card and parameters; see :class:`vdf_bench.core.interfaces.Recogniser`.

    Attributes:
        metric: column of its cosines; ``identity_NAME`` unless the class says another. Cosines of two recognisers never
            share one.
    """

    metric: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "metric" not in cls.__dict__ and "card" in cls.__dict__:
            cls.metric = f"identity_{cls.card.name.replace('-', '_')}"

    @abstractmethod
    def load(self) -> RecogniserModel:
        """See :meth:`vdf_bench.core.interfaces.Recogniser.load`."""

    @abstractmethod
    def threshold(self) -> tuple[float, str]:
        """Cosine of acceptance, and where it comes from; nothing is loaded."""

    def record(self) -> dict[str, Any]:
        """As ``run.json`` holds it."""
        value, basis = self.threshold()
        return {"name": self.card.name, "metric": self.metric, "threshold": value, "basis": basis}

    def note(self, real: bool) -> str | None:
        """What a reader of figures should know of it; None where nothing is to be said.

        Args:
            real: whether the clip shows a real person.
        """
        del real
        value, basis = self.threshold()
        return f"{self.metric} and dsr_identity are judged by {self.card.name}, threshold {value:.3g}: {basis}"
