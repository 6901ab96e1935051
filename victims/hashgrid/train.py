"""Training: rays of random frames, region penalties on attention, and the lips at the end.

Weights are not averaged (RAD-NeRF's EMA of 0.95): at falling learning rates it changed nothing. Not built are
RAD-NeRF's two-dimensional audio coordinate, SyncTalk's refined poses, LPIPS and ER-NeRF's uncertainty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vdf_bench.victims.common.code import Code
from vdf_bench.victims.common.rays import RaySource, opacity_entropy, scatter
from vdf_bench.victims.common.scene import find_scene
from vdf_bench.victims.common.targets import boxes, make_targets
from vdf_bench.victims.common.training import Trainer
from vdf_bench.victims.common.volume import Occupancy, integrate
from vdf_bench.victims.hashgrid.field import HashgridField
from vdf_bench.victims.hashgrid.sizes import sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.interfaces import FitSetting
    from vdf_bench.victims.common.rays import Rays
    from vdf_bench.victims.hashgrid.parameters import HashgridParameters

#: Share of all iterations that is spent on the lips: 25 k of 125 k in ER-NeRF's schedule.
LIPS = 0.2
#: The cached density is refreshed this often.
REFRESH = 50
#: Shares of the rays through the mouth, the eyes and the head; the rest goes anywhere in the scene box.
SHARES = (0.22, 0.1, 0.53)
#: The same while the lips are tuned.
LIP_SHARES = (0.5, 0.1, 0.3)
#: Learning rate of planes; that of networks goes with the scale.
PLANE_RATE = 1e-2


class HashgridTrainer(Trainer):
    """A fit of ``hashgrid``; see :class:`vdf_bench.core.interfaces.Victim`."""

    field: HashgridField

    def __init__(self, capture: Capture, setting: FitSetting, parameters: HashgridParameters) -> None:
        super().__init__(setting)
        self.parameters = parameters
        targets = make_targets(capture, setting.target)
        frames = targets.frames
        scene = find_scene(capture, frames)
        self.code = Code.fit(capture.mouth[frames], capture.eyes[frames])
        codes = self.code(capture.mouth[frames], capture.eyes[frames])
        self.codes = torch.from_numpy(codes).to(self.device)
        self.rays = RaySource(capture, scene, targets, SHARES, self.device)
        self.lip_rays = RaySource(capture, scene, targets, LIP_SHARES, self.device)
        self.places = torch.from_numpy(attention_boxes(capture.landmarks[frames], capture.size)).to(self.device)
        self.sizes = parameters.over(sizes(capture.size, len(frames), setting.scale))
        self.iterations = setting.iterations or self.sizes.iterations
        self.epoch = np.repeat(np.arange(len(frames)), self.code.repeats(codes))
        low, high, centre, radii = map(torch.from_numpy, (scene.low, scene.high, scene.centre, scene.radii))
        self.field = HashgridField(
            Occupancy(low, high, scene.unit), centre, radii, self.sizes.resolutions, self.sizes.channels,
            self.sizes.hidden, len(frames), self.generator,
        )  # fmt: skip

    def make_optimiser(self) -> torch.optim.Optimizer:
        """Adam: planes learn faster than the networks."""
        planes = list(self.field.planes.parameters())
        networks = [each for name, each in self.field.named_parameters() if not name.startswith("planes.")]
        groups = [{"params": planes, "lr": PLANE_RATE}, {"params": networks, "lr": self.sizes.rate}]
        return torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-15, fused=True)

    def loss(self, iteration: int) -> Tensor:
        field, parameters, sizes = self.field, self.parameters, self.sizes
        if iteration % REFRESH == 0:
            some = self.random.choice(len(self.codes), min(2, len(self.codes)), replace=False)
            field.refresh(self.codes[some], self.generator)
        chosen = self.random.choice(self.epoch, sizes.frames)
        source = self.lip_rays if iteration >= (1 - LIPS) * self.iterations else self.rays
        rays = source.draw(chosen, max(1, sizes.rays // sizes.frames), self.random)
        which = torch.from_numpy(chosen).to(self.device)
        rgb, attention, opacity = self.draw(rays, which)
        error = rgb - rays.target
        loss = error.abs().mean() if parameters.loss == "l1" else error.square().mean()
        loss = loss + parameters.entropy_weight * opacity_entropy(opacity)
        astray = attention * outside(rays.pixels, self.places[which])
        loss = loss + parameters.attention_weight * astray.mean()
        if rays.head is not None:
            loss = loss + parameters.mask_weight * (opacity - rays.head).square().mean()
        return loss

    def draw(self, rays: Rays, which: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """RGB over the backdrop (N, 3), attention to mouth and eyes (N, 2) and opacity (N,) of rays of frames (F,)."""
        field = self.field
        with self.mixed_precision():
            condition = field.condition_of(self.codes[which], which)
            placed = scatter(field.occupancy, rays, self.sizes.samples, self.generator)
            density, colour, attention = field.attend(placed.points, rays.view, condition, placed.owner)
        shape, density = placed.depth.shape, density.float().view(placed.depth.shape)
        rgb, opacity, _ = integrate(density, colour.float().view(*shape, 3), placed.depth, placed.width)
        # Attention as seen along the ray; its penalty is not to be met by thinning out the head.
        seen, _, _ = integrate(density.detach(), attention.float().view(*shape, 2), placed.depth, placed.width)
        return rgb + (1 - opacity)[:, None] * rays.backdrop, seen, opacity

    def finish(self) -> None:
        self.field.refresh(self.codes[:: max(1, len(self.codes) // 8)], self.generator)


def attention_boxes(landmarks: NDArray[np.float32], size: int) -> NDArray[np.int64]:
    """(A, 2, 4) pixel boxes that may heed the mouth (jaw and lips, from the nose down) and the eyes."""
    jaw = np.concatenate([landmarks[:, 3:14], landmarks[:, 31:36], landmarks[:, 48:68]], 1)
    return np.stack([boxes(jaw, size, 0.05), boxes(landmarks[:, 36:48], size, 0.15)], 1)


def outside(pixels: Tensor, places: Tensor) -> Tensor:
    """(F * B, K) 1 where pixels (F, B, 2) lie outside the boxes (F, K, 4) of their frame."""
    at, low, high = pixels[:, :, None], places[:, None, :, :2], places[:, None, :, 2:]
    return (~((at >= low) & (at < high)).all(-1)).flatten(0, 1).float()
