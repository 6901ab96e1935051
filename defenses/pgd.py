"""Projected gradient descent on each frame: the plain attack that VDF's speed is measured against."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from vdf_bench.cards import Card, Component, Parameters
from vdf_bench.defenses.common.parameters import ParsingParameters
from vdf_bench.defenses.common.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.defenses.common.parsing import ParsingObjective, Verdict
    from vdf_bench.interfaces import Setting


class PgdParameters(ParsingParameters):
    """Parameters of PGD."""

    steps: int = Field(100, ge=0, description="largest number of steps per frame (PhotoGuard, AdvDM, Mist: 100)")
    step_size: float = Field(1.0, gt=0, le=255, description="of a sign step, in 8-bit levels (same sources: 1)")
    warm: bool = Field(False, description="start from the previous frame's perturbation instead of from zero")


class Pgd(Component):
    """Sign-gradient descent without momentum (Madry et al. 2018) under VDF's objective, scales and stopping rule.

    Cold by default: every frame starts from zero, as image protections applied to a video do. ``warm`` lets a frame
    inherit, the one idea of VDF that has nothing to do with its parameterisation: without this control, a speed-up
    over cold PGD says little.
    """

    card = Card(
        name="pgd",
        title="PGD on the face parser, frame by frame",
        summary="Sign-gradient descent with VDF's loss, five scales and stopping rule; each frame starts from zero, "
        "or with warm=true from its predecessor's perturbation.",
        source="Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks",
        url="https://arxiv.org/abs/1706.06083",
        year=2018,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = PgdParameters

    def __init__(self, parameters: PgdParameters | None = None) -> None:
        super().__init__(parameters)
        self._record = Record()

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        self._record = Record()
        return self._stream(frames, setting, self._record)

    def log(self) -> dict[str, list[float]]:
        return self._record.as_log()

    def _stream(self, frames: Iterator[Tensor], setting: Setting, record: Record) -> Iterator[Tensor]:
        import torch

        from vdf_bench.defenses.common.parsing import ParsingObjective, require_surrogate
        from vdf_bench.defenses.common.pixels import publish, whole_levels

        objective = ParsingObjective(require_surrogate(setting, self.card.name), self.parameters)
        bound = whole_levels(setting.budget) / 255
        delta: Tensor | None = None
        for frame in frames:
            clean = frame.to(setting.device)
            if delta is None or not self.parameters.warm:
                delta = torch.zeros_like(clean)
            delta, verdict, steps = self._descend(clean, delta, bound, objective)
            record.add(steps, verdict.success, verdict.share)
            yield publish(clean, delta).to(frame.device)

    def _descend(
        self, clean: Tensor, delta: Tensor, bound: float, objective: ParsingObjective
    ) -> tuple[Tensor, Verdict, int]:
        """Descend until success, judged before each step, or the last step; returns delta, its verdict, and steps."""
        import torch

        from vdf_bench.defenses.common.pixels import publish

        limit = self.parameters.steps if bound else 0
        sights = objective.sights(clean)
        for step in range(limit + 1):
            delta = delta.detach().requires_grad_()
            verdict = objective.judge(publish(clean, delta), sights)
            if verdict.success or step == limit:
                break
            (gradient,) = torch.autograd.grad(verdict.loss, delta)
            delta = delta - self.parameters.step_size / 255 * gradient.sign()
            # Project onto the budget and onto pictures, so that no step is lost beyond black or white.
            delta = (clean + delta.clamp(-bound, bound)).clamp(0, 1) - clean
        return delta.detach(), verdict, step
