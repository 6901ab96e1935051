"""The sign-gradient family on each frame: what VDF's speed and fidelity are measured against.

On a face parser all of them follow VDF's objective, its five scales and its stopping rule, and differ in one thing
each: ``pgd`` starts every frame from nothing, ``warm-pgd`` from the perturbation before it, ``mifgsm`` adds momentum
and takes the published ten steps of a tenth of the budget.

On an attribute editor they follow the editing objective. ``pgd`` is then Disrupting Deepfakes (Ruiz et al. 2020): ten
steps of 0.01 on [-1, 1], all taken, one edit after another, within its published 0.05 at the budget 6.4/255 (in whole
levels 6/255).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.defenses.common.parameters import DescentParameters
from vdf_bench.defenses.common.record import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting


class PgdParameters(DescentParameters):
    """Parameters of PGD."""

    momentum: float = Field(0.0, ge=0, le=1, description="decay of the accumulated gradient (MI-FGSM: 1)")


class Pgd(Component):
    """Sign-gradient descent without momentum (Madry et al. 2018), every frame from zero.

    That is how image protections are applied to a video.
    """

    card = Card(
        name="pgd",
        title="PGD on the face parser or the attribute editor, frame by frame",
        summary="Sign-gradient descent with VDF's loss, five scales and stopping rule; each frame starts from zero. "
        "Against an editor: Disrupting Deepfakes' loss and steps.",
        source="Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks",
        url="https://arxiv.org/abs/1706.06083",
        year=2018,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = PgdParameters
    surrogates = frozenset({"parser", "editor"})

    def __init__(self, parameters: PgdParameters | None = None) -> None:
        super().__init__(parameters)
        self._record: Rows = Rows()

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.defenses.common.aim import take_aim
        from vdf_bench.defenses.common.descent import SignGradient, descend

        aim = take_aim(setting, self.parameters, self.card.name)
        self._record = aim.record
        direction = SignGradient(self.parameters.momentum)
        return descend(frames, setting, aim.objective, direction, aim.stepping, aim.record, start=aim.start)

    def log(self) -> dict[str, list[float]]:
        return self._record.as_log()


class WarmPgdParameters(PgdParameters):
    """PGD that inherits."""

    warm: bool = Field(True, description="start from the previous frame's perturbation instead of from zero")


class WarmPgd(Pgd):
    """PGD whose frames inherit: the one idea of VDF that has nothing to do with how it writes its perturbation.

    Without this control, a speed-up over cold PGD says little.
    """

    card = Card(
        name="warm-pgd",
        title="PGD that starts from the previous frame's perturbation",
        summary="PGD with VDF's inheritance and without its spectrum, mask and Adam: the control of its speed.",
        source="Madry et al. 2018, with the inheritance of Sun et al., VDF",
        url="https://arxiv.org/abs/1706.06083",
        year=2018,
        cost="seconds",
    )
    parameters_model: ClassVar[type[Parameters]] = WarmPgdParameters


class MiFgsmParameters(PgdParameters):
    """The published setting: ten steps of a tenth of the budget, momentum 1."""

    steps: int = Field(10, ge=0, description="largest number of steps per frame (official 10)")
    step_size: float = Field(
        0.0, ge=0, le=255, description="of a step, 8-bit levels; 0 takes budget / steps (official)"
    )
    editor_step_size: float = Field(
        0.0, ge=0, le=255, description="against an editor: of a step, 8-bit levels; 0 takes budget / steps (official)"
    )
    momentum: float = Field(1.0, ge=0, le=1, description="decay of the accumulated gradient (official 1)")


class MiFgsm(Pgd):
    """Momentum iterative FGSM (Dong et al. 2018), every frame from zero."""

    card = Card(
        name="mifgsm",
        title="MI-FGSM on the face parser or the attribute editor, frame by frame",
        summary="Sign steps along an accumulated gradient, each normalised by its mean size; ten steps, as published.",
        source="Dong et al., Boosting Adversarial Attacks with Momentum",
        url="https://arxiv.org/abs/1710.06081",
        year=2018,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = MiFgsmParameters
