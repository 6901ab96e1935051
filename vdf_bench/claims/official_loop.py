"""What VDF's official loop computes for a frame, as a yardstick of time (``fft_ifftmask.py``).

Per iteration it runs VGG16 twice (the clean picture's features anew each time), looks at five scales to see whether
it has succeeded and five times more for the loss, and goes back through a network whose weights ask for gradients.
This module repeats that arithmetic, in that order, with random weights of the full-size networks: for timing, which
does not depend on what the weights say. It protects nothing and is no defense.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import torch
import torch.nn.functional as F

from vdf_bench.models.vgg import Vgg16Features
from vdf_bench.parsers.network import new_parser

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

SCALES: Final = (1.0, 1.5, 2.0, 0.75, 0.5)
WEIGHTS: Final = (1.0, 0.8, 0.6, 0.6, 0.6)
LAYER_WEIGHTS: Final = (1.0, 0.75, 0.5, 0.25)
EPSILON: Final = 0.05


@dataclass(frozen=True)
class OfficialSeconds:
    """CPU seconds of the parts of the official loop at one frame size.

    Attributes:
        masks: source masks of a clean frame at five scales; once a frame.
        paint: from variables to picture; every iteration.
        visual: VGG16 on picture and clean frame; every iteration.
        check: success at five scales; every iteration.
        update: the losses at five scales, the way back through all, and Adam; every iteration that does not end.
    """

    masks: float
    paint: float
    visual: float
    check: float
    update: float

    def frame(self, updates: float, *, succeeds: bool = True) -> float:
        """A later frame with so many updates; one that succeeds looks once more than it updates."""
        looks = updates + succeeds
        return self.masks + looks * (self.paint + self.visual + self.check) + updates * self.update


class OfficialLoop:
    """The arithmetic on one random picture.

    Args:
        size: edge of the square picture, pixels.
    """

    def __init__(self, size: int) -> None:
        torch.manual_seed(0)
        # As there: evaluating, batch norms apart, and every weight asking for its gradient.
        self._parser = new_parser("bisenet").eval()
        self._vgg = Vgg16Features().eval().requires_grad_(False)
        self._clean = torch.rand(1, 3, size, size)
        self._noise = torch.randn(1, 2, size, size, requires_grad=True)
        self._mask = torch.randn(1, 1, size, size, requires_grad=True)
        self._adam = torch.optim.Adam([self._noise, self._mask], lr=1e-2)
        self._normal = self._parser.normalise(self._clean)
        # An upright rectangle, a quarter of the picture: what counts as face in random logits matters to no time.
        self._source = torch.zeros(size, size, dtype=torch.bool)
        self._source[size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = True

    def _sight(self, picture: Tensor, scale: float) -> tuple[Tensor, Tensor]:
        edge = int(picture.shape[-1] * scale)
        seen = F.interpolate(picture, (edge, edge), mode="bilinear", align_corners=False)
        source = F.interpolate(self._source[None, None].float(), (edge, edge))[0, 0] > 0
        return self._parser.network(seen), source

    @torch.no_grad()
    def masks(self) -> list[Tensor]:
        return [self._sight(self._normal, scale)[0].argmax(1) for scale in SCALES]

    def paint(self) -> Tensor:
        spectrum = torch.fft.fft2(self._normal)
        amplitude = spectrum.abs() * (1 + torch.tanh(self._noise[:, :1]))
        phase = spectrum.angle() + 1 + torch.tanh(self._noise[:, 1:])
        shifted = torch.fft.ifft2(torch.polar(amplitude, phase)).real
        std = self._parser.get_buffer("std")
        delta = EPSILON * torch.tanh(10 * std * (shifted - self._normal))
        picture = self._clean + torch.sigmoid(self._mask) * delta
        rounded = picture + (torch.round(picture.detach() * 255) / 255 - picture.detach())
        return self._parser.normalise(rounded)

    def visual(self, picture: Tensor) -> Tensor:
        pairs = zip(LAYER_WEIGHTS, self._vgg(picture), self._vgg(self._normal), strict=True)
        return 0.5 * torch.stack([weight * F.mse_loss(one, other) for weight, one, other in pairs]).sum()

    @torch.no_grad()
    def check(self, picture: Tensor) -> bool:
        shares = []
        for scale in SCALES:
            logits, source = self._sight(picture, scale)
            shares.append((logits.argmax(1)[0][source] == 0).float().mean())
        return bool(torch.stack(shares).min() > 0.8)

    def update(self, picture: Tensor, visual: Tensor) -> None:
        loss = visual
        for scale, weight in zip(SCALES, WEIGHTS, strict=True):
            logits, source = self._sight(picture, scale)
            p = F.softmax(logits[0][:, source], 0)[0]
            loss = loss + weight * torch.log(1 - p + 1e-4).mean()
        # The official optimiser knows noise and mask alone, so weight gradients are computed and pile up unused.
        self._adam.zero_grad()
        torch.autograd.backward(loss)
        self._adam.step()


def time_official(size: int, repeats: int = 1, clock: Callable[[], float] = time.process_time) -> OfficialSeconds:
    """Time the official loop's parts at ``size`` px; the fastest of ``repeats`` iterations after a warm-up."""
    warm = OfficialLoop(64)
    warm.update(picture := warm.paint(), warm.visual(picture))
    loop = OfficialLoop(size)
    rows = []
    for _ in range(repeats):
        ticks = [clock()]
        loop.masks()
        ticks.append(clock())
        picture = loop.paint()
        ticks.append(clock())
        visual = loop.visual(picture)
        ticks.append(clock())
        loop.check(picture)
        ticks.append(clock())
        loop.update(picture, visual)
        ticks.append(clock())
        rows.append([after - before for before, after in pairwise(ticks)])
    return OfficialSeconds(*(min(column) for column in zip(*rows, strict=True)))
