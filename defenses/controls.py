"""Controls: what doing nothing, shaking every pixel, and covering the face amount to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.core.labels import FACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting


class _Control(Component):
    """A defense without a per-frame record."""

    def log(self) -> dict[str, list[float]]:
        return {}


class Nothing(_Control):
    """The identity: what every effect is measured against."""

    card = Card(
        name="none",
        title="No protection",
        summary="Publishes the frames as they are: the clean arm.",
        tags=("control",),
    )

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        yield from frames


class Noise(_Control):
    """Every channel of every pixel moves by the whole bound, up or down by a fair coin, anew in each frame.

    The largest L2 norm that an L∞ budget allows, without looking at any model (Carlini et al. 2019): a defense that
    does no better than this has found nothing.
    """

    card = Card(
        name="noise",
        title="Random signs at the full bound",
        summary="Adds or subtracts the whole budget at random, per channel, pixel and frame: equal norm, no model.",
        source="Carlini et al., On Evaluating Adversarial Robustness",
        url="https://arxiv.org/abs/1902.06705",
        year=2019,
        tags=("control",),
    )

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        import numpy as np
        import torch

        from vdf_bench.defenses.common.pixels import publish, whole_levels

        bound = whole_levels(setting.budget)
        for index, frame in enumerate(frames):
            signs = np.random.default_rng([setting.seed, index]).integers(0, 2, tuple(frame.shape)) * 2 - 1
            yield publish(frame, torch.from_numpy(signs).to(frame) * (bound / 255))


class OccludeParameters(Parameters):
    """How the face is covered."""

    margin: float = Field(0.1, ge=0, le=1, description="by how much of its edges the box grows on every side")
    grey: int = Field(128, ge=0, le=255, description="8-bit level of the cover")


class Occlude(_Control):
    """Covers the box around the face with flat grey, whatever the budget: a positive control.

    A victim that still clones this, or a judge that still finds the owner in the clone, is broken. The box is that of
    the surrogate's face labels; a frame in which it finds none keeps the last box, and is covered whole if there was
    none yet.
    """

    card = Card(
        name="occlude",
        title="Face covered by a grey box",
        summary="Positive control: covers the face that the surrogate parser finds, and ignores the budget.",
        version=1,
        tags=("control", "ignores-budget"),
    )
    surrogates = frozenset({"parser"})
    parameters_model: ClassVar[type[Parameters]] = OccludeParameters

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        import torch

        from vdf_bench.defenses.common.parsing import require_surrogate

        surrogate = require_surrogate(setting, self.card.name)
        face = torch.tensor(FACE)
        top, bottom, left, right = 0, setting.size, 0, setting.size
        for frame in frames:
            with torch.no_grad():
                labels = surrogate(frame[None].to(setting.device))[0].argmax(0).cpu()
            rows, columns = torch.isin(labels, face).nonzero(as_tuple=True)
            if len(rows):
                top, bottom = self._widen(int(rows.min()), int(rows.max()) + 1)
                left, right = self._widen(int(columns.min()), int(columns.max()) + 1)
            covered = frame.clone()
            covered[:, top:bottom, left:right] = self.parameters.grey / 255
            yield covered

    def _widen(self, start: int, end: int) -> tuple[int, int]:
        margin = round(self.parameters.margin * (end - start))
        return max(start - margin, 0), end + margin
