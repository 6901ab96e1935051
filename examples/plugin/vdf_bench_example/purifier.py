"""Levels stretched to the full range, frame by frame, as photo software does at one click."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.core.interfaces import Harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting


class AutoContrastParameters(Parameters):
    """What ``auto-contrast:0.5`` and ``--set auto-contrast.NAME=VALUE`` set."""

    strength: float = Field(1.0, ge=0, le=1, description="0 leaves frames as they are, 1 stretches all the way")


class AutoContrast(Component):
    """The darkest value of a frame becomes 0, the brightest 1."""

    card: ClassVar[Card] = Card(
        name="auto-contrast",
        title="contrast stretched to the full range",
        summary="Scales each frame so that its darkest value becomes 0 and its brightest 1.",
        short="strength",
    )
    parameters_model = AutoContrastParameters
    harmless: ClassVar[Harmless | None] = Harmless({"strength": 0.0})

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        """See :meth:`vdf_bench.core.interfaces.Purifier.purify`."""
        del setting
        for frame in frames:
            low, high = frame.min(), frame.max()
            stretched = (frame - low) / (high - low).clamp(min=1 / 255)
            yield frame.lerp(stretched, self.parameters.strength).clamp(0, 1)
