"""What an attacker does along time: averaging over neighbours, other frame rates, lost frames, clean footage."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.core.errors import UserError
from vdf_bench.core.interfaces import Harmless

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.interfaces import Setting


class TemporalMedianParameters(Parameters):
    """Parameters of the temporal median."""

    radius: int = Field(2, ge=0, le=12, description="neighbours at either side")
    align: Literal["flow", "none"] = Field("flow", description="warp neighbours onto the frame along optical flow")


class TemporalMedian(Component):
    """Median over neighbouring frames."""

    card = Card(
        name="temporal-median",
        title="temporal median along optical flow",
        summary="Each value becomes the median over 5 frames by default, the neighbours warped onto the middle one "
        "along dense flow; fewer at the ends. What is drawn anew for every frame goes, what moves with the face stays.",
        source="motion-compensated temporal filtering; flow by iterative Lucas-Kanade",
        short="radius",
    )
    parameters_model = TemporalMedianParameters
    harmless: ClassVar[Harmless | None] = Harmless({"radius": 0})

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        import numpy as np

        from vdf_bench.purifiers.common import from_planes

        del setting
        for stack in _neighbourhoods(frames, self.parameters.radius, self.parameters.align == "flow"):
            yield from_planes(np.median(stack, 0).transpose(2, 0, 1))


class FrameAverageParameters(Parameters):
    """Parameters of the temporal mean."""

    radius: int = Field(1, ge=0, le=12, description="neighbours at either side")
    align: Literal["flow", "none"] = Field("flow", description="warp neighbours onto the frame along optical flow")


class FrameAverage(Component):
    """Mean over neighbouring frames."""

    card = Card(
        name="frame-average",
        title="temporal mean along optical flow",
        summary="Each frame becomes the mean of itself and its neighbours, 3 in all by default, warped onto it along "
        "dense flow; align=none averages them as they are, which blurs motion.",
        source="motion-compensated temporal filtering; flow by iterative Lucas-Kanade",
        short="radius",
    )
    parameters_model = FrameAverageParameters
    harmless: ClassVar[Harmless | None] = Harmless({"radius": 0})

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.purifiers.common import from_planes

        del setting
        for stack in _neighbourhoods(frames, self.parameters.radius, self.parameters.align == "flow"):
            yield from_planes(stack.mean(0).transpose(2, 0, 1))


class FpsParameters(Parameters):
    """Parameters of the change of frame rate."""

    rate: float = Field(24, ge=1, le=240, description="frames per second in between")
    method: Literal["nearest", "blend"] = Field(
        "nearest", description="take the frame nearest in time, or blend the two around it linearly"
    )


class Fps(Component):
    """Another frame rate and back."""

    card = Card(
        name="fps",
        title="another frame rate and back",
        summary="Resampled in time to 24 fps by default and back to the rate of the clip, by the nearest frame (as "
        "FFmpeg does) or by linear blending. Length, number of frames and their times stay, and so the sound fits.",
        source="conversion between film and video rates",
        short="rate",
    )
    parameters_model = FpsParameters
    harmless: ClassVar[Harmless | None] = Harmless({"rate": 25})

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        import torch

        from vdf_bench.purifiers.common import Window

        ratio = Fraction(self.parameters.rate).limit_denominator(1001) / setting.fps
        blend = self.parameters.method == "blend"
        window = Window(frames)
        index = 0
        while window.reaches(index):
            # Where frame ``index`` lies among the frames in between, and where those lie among the old ones.
            weights = [
                (old, share * part)
                for between, share in _around(index * ratio, blend)
                for old, part in _around(between / ratio, blend)
            ]
            window.forget(min(old for old, _ in weights))
            if len(weights) == 1:
                yield window[weights[0][0]].clone()
            else:
                parts = torch.stack([float(weight) * window[old] for old, weight in weights])
                yield parts.sum(0).clamp(0, 1)
            index += 1


class FrameDropParameters(Parameters):
    """Parameters of dropped frames."""

    every: int = Field(2, ge=0, description="one frame in this many is lost; 0 loses none")
    fill: Literal["repeat", "blend"] = Field(
        "repeat", description="repeat the frame before, or blend the two around the gap"
    )

    @field_validator("every")
    @classmethod
    def _leaves_some(cls, value: int) -> int:
        if value == 1:
            raise ValueError("1 would lose every frame; give 2 or more, or 0 for none")
        return value


class FrameDrop(Component):
    """Lost frames."""

    card = Card(
        name="frame-drop",
        title="lost frames",
        summary="Every second frame by default is lost, and the one before it is shown again (or its two neighbours "
        "are blended), so that the number of frames stays.",
        source="what players and transcoders do when they cannot keep up",
        short="every",
    )
    parameters_model = FrameDropParameters
    harmless: ClassVar[Harmless | None] = Harmless({"every": 0})

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.purifiers.common import Window

        del setting
        every, blend = self.parameters.every, self.parameters.fill == "blend"
        window = Window(frames)
        index = 0
        while window.reaches(index):
            window.forget(index - 1)
            lost = every > 0 and (index + 1) % every == 0
            if not lost:
                yield window[index].clone()
            elif blend and window.reaches(index + 1):
                yield (window[index - 1] + window[index + 1]) / 2
            else:
                yield window[index - 1].clone()
            index += 1


class MixCleanParameters(Parameters):
    """Parameters of mixed-in clean footage."""

    seconds: float = Field(1, ge=0, le=86400, description="unprotected footage that the attacker has, seconds")


class MixClean(Component):
    """Footage from before the protection, mixed in."""

    card = Card(
        name="mix-clean",
        title="clean footage mixed in",
        summary="The attacker also has a second, by default, of the same person unprotected: the last seconds of what "
        "clones train on come from the clean clip. Frames held out for judging stay as they were published.",
        source="partial exposure: protection starts later than the first upload (Radiya-Dixit et al. 2022)",
        url="https://arxiv.org/abs/2106.14851",
        year=2022,
        short="seconds",
    )
    parameters_model = MixCleanParameters
    harmless: ClassVar[Harmless | None] = Harmless({"seconds": 0})

    def purify(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.core.clip import split_frames

        if setting.clean is None:
            raise UserError("mix-clean needs the unprotected clip, which is not at hand here: use it in a run")
        train = split_frames(sum(1 for _ in setting.clean())).train
        count = min(round(self.parameters.seconds * setting.fps), len(train))
        known = set(train[len(train) - count :].tolist())
        for index, (frame, clean) in enumerate(zip(frames, setting.clean(), strict=True)):
            yield clean if index in known else frame


def _around(position: Fraction, blend: bool) -> list[tuple[int, Fraction]]:
    """Indices of the frames that make up the one at ``position``, with their shares."""
    if not blend:
        return [((position + Fraction(1, 2)).__floor__(), Fraction(1))]
    before = position.__floor__()
    share = position - before
    return [(before, 1 - share), (before + 1, share)] if share else [(before, Fraction(1))]


def _neighbourhoods(frames: Iterator[Tensor], radius: int, align: bool) -> Iterator[NDArray[np.float32]]:
    """For every frame, (N, H, W, 3) float32: it and its neighbours up to ``radius``, laid onto it along the flow."""
    import numpy as np

    from vdf_bench.purifiers.common import Window, to_planes
    from vdf_bench.video.flow import dense_flow, warp

    window = Window(np.ascontiguousarray(to_planes(frame).transpose(1, 2, 0)) for frame in frames)
    index = 0
    while window.reaches(index):
        window.forget(index - radius)
        middle = window[index]
        others = [k for k in range(max(0, index - radius), index + radius + 1) if k != index and window.reaches(k)]
        moved = [warp(window[k], dense_flow(middle, window[k])) if align else window[k] for k in others]
        yield np.stack([middle, *moved])
        index += 1
