"""Protection that is optimised through compression, after DF-RAP (Qu et al. 2024), against attribute editors.

What follows the idea: the editor of every step sees the picture through JPEG, at a quality drawn anew, so that what
survives a social network's compression is what is learnt. What does not: DF-RAP learns a network, ComGAN, from pictures
that went through such networks; here libjpeg's own arithmetic stands for it, with a gradient through its rounding
(:mod:`vdf_bench.defenses.common.jpeg`). Loss, steps and budget are those of ``pgd`` against editors, so that the two
differ in the compression alone.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.defenses.common.parameters import EditingParameters
from vdf_bench.defenses.common.record import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import Tensor

    from vdf_bench.core.interfaces import Setting


class DfRapParameters(EditingParameters):
    """Parameters of protection through compression."""

    quality: tuple[int, int] = Field((30, 95), description="smallest and largest JPEG quality that a step may draw")


class DfRap(Component):
    """DF-RAP-style: Disrupting Deepfakes with JPEG in the loop."""

    card = Card(
        name="df-rap",
        title="DF-RAP-style: PGD on the attribute editor through JPEG",
        summary="Every step sees the picture through differentiable JPEG at a random quality. A re-implementation of "
        "the idea: the original's learnt model of social networks (ComGAN) is not reproduced.",
        source="Qu et al., DF-RAP: A Robust Adversarial Perturbation for Defending against Deepfakes",
        url="https://github.com/ZOMIN28/DF_RAP",
        year=2024,
        cost="seconds",
    )
    parameters_model: ClassVar[type[Parameters]] = DfRapParameters
    surrogates = frozenset({"editor"})

    def __init__(self, parameters: DfRapParameters | None = None) -> None:
        super().__init__(parameters)
        self._record = Rows()

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        import torch

        from vdf_bench.defenses.common.descent import SignGradient, Stepping, descend
        from vdf_bench.defenses.common.editing import EditingObjective, EditingRecord, random_start, require_editor

        parameters = self.parameters
        self._record = record = EditingRecord()
        chance = torch.Generator().manual_seed(setting.seed)
        view = partial(compress, quality=parameters.quality, generator=chance)
        objective = EditingObjective(require_editor(setting, self.card.name), parameters, view)
        stepping = Stepping(parameters.editor_steps, parameters.editor_step_size)
        start = partial(random_start, generator=chance)
        return descend(frames, setting, objective, SignGradient(), stepping, record, start=start)

    def log(self) -> dict[str, list[float]]:
        return self._record.as_log()


def compress(picture: Tensor, quality: tuple[int, int], generator: torch.Generator) -> Tensor:
    """``picture`` (3, H, W) through JPEG at a quality drawn between two; differentiable."""
    from vdf_bench.defenses.common.jpeg import jpeg
    from vdf_bench.defenses.common.views import uniform

    return jpeg(picture, round(uniform(*quality, generator)))
