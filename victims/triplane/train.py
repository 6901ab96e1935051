"""Training: the static field on the first frame, then all frames with motion planes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vdf_bench.victims.common.code import Code
from vdf_bench.victims.common.rays import RaySource, march, opacity_entropy
from vdf_bench.victims.common.scene import Scene, find_scene
from vdf_bench.victims.common.targets import make_targets
from vdf_bench.victims.common.training import Trainer
from vdf_bench.victims.common.volume import Occupancy
from vdf_bench.victims.triplane.field import TriplaneField
from vdf_bench.victims.triplane.sizes import sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.capture import Capture
    from vdf_bench.core.interfaces import FitSetting
    from vdf_bench.victims.triplane.parameters import TriplaneParameters

#: Share of all iterations spent on the first frame alone.
FIRST_FRAME = 0.06
#: The cached density is refreshed this often.
REFRESH = 50
#: Shares of the rays through the mouth, the eyes and the head; the rest goes anywhere in the scene box.
SHARES = (0.22, 0.1, 0.53)
#: Learning rates of planes and networks.
PLANE_RATE, NETWORK_RATE = 2e-2, 5e-3


class TriplaneTrainer(Trainer):
    """A fit of ``triplane``; see :class:`vdf_bench.core.interfaces.Victim`."""

    field: TriplaneField
    final_rate = 0.2

    def __init__(self, capture: Capture, setting: FitSetting, parameters: TriplaneParameters) -> None:
        super().__init__(setting)
        self.parameters = parameters
        targets = make_targets(capture, setting.target)
        frames = targets.frames
        scene = find_scene(capture, frames)
        self.code = Code.fit(capture.mouth[frames], capture.eyes[frames])
        codes = self.code(capture.mouth[frames], capture.eyes[frames])
        self.codes = torch.from_numpy(codes).to(self.device)
        self.rays = RaySource(capture, scene, targets, SHARES, self.device)
        self.sizes = parameters.over(sizes(capture.size, len(frames), setting.scale))
        self.iterations = setting.iterations or self.sizes.iterations
        self.epoch = np.repeat(np.arange(len(frames)), self.code.repeats(codes))
        geometry = (scene.low, scene.high, scene.centre, scene.radii, motion_places(scene))
        low, high, centre, radii, places = map(torch.from_numpy, geometry)
        self.field = TriplaneField(
            Occupancy(low, high, scene.unit), centre, radii, places,
            self.sizes.resolution, self.sizes.channels, self.sizes.hidden, self.generator,
        )  # fmt: skip

    def make_optimiser(self) -> torch.optim.Optimizer:
        """Adam: planes learn faster than the networks."""
        planes = {"coarse", "fine", "mouth", "eyes"}
        groups = [
            {"params": [value], "lr": PLANE_RATE if name in planes else NETWORK_RATE}
            for name, value in self.field.named_parameters()
        ]
        return torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-12, fused=True)

    def loss(self, iteration: int) -> Tensor:
        field, parameters, sizes = self.field, self.parameters, self.sizes
        static = iteration < FIRST_FRAME * self.iterations
        if iteration % REFRESH == 0:
            some = int(self.random.integers(len(self.codes)))
            field.refresh(self.codes[some : some + 1], self.generator)
        chosen = np.zeros(1, np.int64) if static else self.random.choice(self.epoch, sizes.frames)
        share = sizes.rays // len(chosen)
        rays = self.rays.draw(chosen, share, self.random)
        with self.mixed_precision():
            condition = None if static else field.condition(self.codes[chosen])
            rgb, opacity = march(field, rays, sizes.samples, condition, self.generator)
        weight = torch.ones(len(chosen), share, device=self.device)
        weight[:, : self.rays.mouth_share(share)] = parameters.mouth_weight
        error = rgb - rays.target
        # MimicTalk's absolute error, and a squared one for the few pixels that are far off.
        colour = error.abs().mean(1) + parameters.squared_weight * error.square().mean(1)
        loss = (colour * weight.view(-1)).mean()
        loss = loss + parameters.entropy_weight * opacity_entropy(opacity)
        if rays.head is not None:
            loss = loss + parameters.mask_weight * ((opacity - rays.head) ** 2).mean()
        if not static:
            loss = loss + parameters.residual_weight * (field.mouth.abs().mean() + field.eyes.abs().mean())
        return loss

    def finish(self) -> None:
        self.field.refresh(self.codes[:: max(1, len(self.codes) // 8)], self.generator)


def motion_places(scene: Scene) -> NDArray[np.float32]:
    """(2, 2, 3) boxes in head space that mouth and eyes may change: lips to chin with the jaw, and the lids."""
    front = scene.centre[2] + np.array([0.1, 1.5]) * scene.radii[2]
    mouth, eyes = scene.landmarks[48:68].mean(0), scene.landmarks[36:48].mean(0)
    reach = 0.75 * scene.unit
    bottom, nose = scene.landmarks[8, 1] - 0.35 * scene.unit, scene.landmarks[33, 1] + 0.1 * scene.unit
    lids = 0.22 * scene.unit
    boxes = [
        [[mouth[0] - reach, bottom, front[0]], [mouth[0] + reach, nose, front[1]]],
        [[eyes[0] - reach, eyes[1] - lids, front[0]], [eyes[0] + reach, eyes[1] + lids, front[1]]],
    ]
    return np.array(boxes, np.float32)
