"""One step against a face parser: the fast gradient sign method on every frame by itself.

Source: Goodfellow et al., Explaining and Harnessing Adversarial Examples, arXiv 1412.6572, section 4. There the loss is
that of a classifier; here it is the mean margin by which pixels are taken for a head rather than for background.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.core.labels import BACKGROUND, HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting


class OneStepParameters(Parameters):
    """What ``--set one-step.NAME=VALUE`` sets."""

    strength: float = Field(1.0, ge=0, le=1, description="share of the budget that the step takes")


class OneStep(Component):
    """Fast gradient sign method on the head's margin."""

    card: ClassVar[Card] = Card(
        name="one-step",
        title="fast gradient sign method against the parser",
        summary="One step of the whole budget along the gradient's sign, on every frame by itself.",
        source="Goodfellow et al., Explaining and Harnessing Adversarial Examples",
        url="https://arxiv.org/abs/1412.6572",
        year=2015,
    )
    surrogates = frozenset({"parser"})
    parameters_model = OneStepParameters

    def __init__(self, parameters: OneStepParameters | None = None) -> None:
        super().__init__(parameters)
        self._log: dict[str, list[float]] = {}

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        """See :meth:`vdf_bench.core.interfaces.Defense.protect`."""
        import torch

        parser = setting.surrogate
        if parser is None:
            raise ValueError("one-step needs a surrogate")  # the harness lends one, as `surrogates` says
        self._log = {"margin": []}
        levels = int(self.parameters.strength * setting.budget.whole_levels)  # whole 8-bit levels
        for frame in frames:
            picture = frame.to(setting.device)[None].requires_grad_(True)
            logits = parser(picture)
            margin = (logits[:, HEAD].logsumexp(1) - logits[:, BACKGROUND].logsumexp(1)).mean()
            (gradient,) = torch.autograd.grad(margin, picture)
            self._log["margin"].append(float(margin.detach()))
            step = levels / 255 * gradient[0].sign()
            yield ((frame - step.to(frame)) * 255).round().clamp(0, 255) / 255

    def log(self) -> dict[str, list[float]]:
        """See :meth:`vdf_bench.core.interfaces.Defense.log`."""
        return self._log
