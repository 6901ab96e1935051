"""GRASP-style protection: defense and visual losses in one step, their conflicts projected away (arXiv 2510.01699).

No code of GRASP is public and the formulas of its paper were not at hand, only its abstract: a defense loss, a
structural similarity loss and a low-frequency loss; an analysis of the conflicts between their gradients; a
"cross-gradient projection scheme with Gaussian smoothing"; a PGD-like update. This is a reconstruction, called
GRASP-style everywhere, and where the abstract leaves room the choice is a parameter:

- projection: where two gradients point against each other, the part of the one along the other is removed (the rule of
  PCGrad, Yu et al. 2020). ``cross`` does so in both directions, ``defense-first`` leaves the defense loss whole and
  bends the visual ones, ``visual-first`` the reverse, ``none`` adds them as they are;
- low frequencies: the low band of a Haar wavelet, of an 8 x 8 block DCT, or a Gaussian blur;
- each gradient is brought to unit length before its weight, so that weights mean the same on any surrogate;
- the sum is smoothed by a Gaussian and descended by its sign, within the budget.

Its own ground are attribute editors, and the defense loss there is the squared difference of their edits
(:mod:`vdf_bench.defenses.common.editing`). Two things come from this project (``refine``): once a picture protects,
the steps that are left go to what is seen; and steps are proportional to the gradient, because signs spend as much on
a flat wall as on the hair that an editor repaints. ``turns``, the default there, lets the loss give way whose aim is
met: the visual ones until the picture protects, the defense loss while it does. (``cross`` takes from the defense
gradient all that would be seen, whatever the weights, and so stops short of success where the budget is tight.)

A talking head is attacked through its capture: there the defense loss is VDF's parsing objective, so that this is
GRASP's projection on VDF's objective, with sign steps and VDF's stopping rule.

``conflict_rate`` in the log is the share of a frame's (step, pair of losses) whose gradients opposed each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.defenses.common.record import Rows
from vdf_bench.defenses.grasp.parameters import GraspParameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting


class Grasp(Component):
    """GRASP-style gradient projection; the module's text says what is known of the original."""

    card = Card(
        name="grasp",
        title="GRASP-style gradient projection on the face parser or the attribute editor",
        summary="Parsing or editing, SSIM and low-frequency losses whose conflicting gradients are projected off each "
        "other, smoothed and descended. A reconstruction from the abstract: no official code is public.",
        source="Li et al., GRASP (reconstruction); projection rule of Yu et al., PCGrad",
        url="https://arxiv.org/abs/2510.01699",
        year=2025,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = GraspParameters
    surrogates = frozenset({"parser", "editor"})

    def __init__(self, parameters: GraspParameters | None = None) -> None:
        super().__init__(parameters)
        self._record = Rows()

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.defenses.common.aim import take_aim
        from vdf_bench.defenses.common.descent import descend
        from vdf_bench.defenses.common.editing import EditingObjective, EditingRecord
        from vdf_bench.defenses.grasp.direction import ProjectedGradient
        from vdf_bench.defenses.grasp.refine import refine

        parameters = self.parameters
        aim = take_aim(setting, parameters, self.card.name)
        self._record = aim.record
        direction = ProjectedGradient(parameters)
        if isinstance(aim.objective, EditingObjective) and isinstance(aim.record, EditingRecord):
            return refine(frames, setting, aim.objective, direction, parameters, aim.record, aim.start)
        return descend(frames, setting, aim.objective, direction, aim.stepping, aim.record, parameters.patience)

    def log(self) -> dict[str, list[float]]:
        return self._record.as_log()


class UnprojectedParameters(GraspParameters):
    """Gradients are added as they are."""

    projection: Literal["cross", "defense-first", "visual-first", "none"] = Field(
        "none", description="which of two opposed gradients gives way"
    )
    editor_projection: Literal["turns", "cross", "defense-first", "visual-first", "none"] = Field(
        "none", description="against an editor: which of two opposed gradients gives way"
    )


class GraspUnprojected(Grasp):
    """The ablation: all of GRASP-style but the projection."""

    card = Card(
        name="grasp-noprojection",
        title="GRASP-style without projection",
        summary="The same losses, weights, smoothing and steps as grasp; opposed gradients are added as they are.",
        source="ablation of this project's reconstruction of GRASP",
        url="https://arxiv.org/abs/2510.01699",
        year=2025,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = UnprojectedParameters
