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

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.capture import Capture
    from vdf_bench.interfaces import FitSetting
    from vdf_bench.victims.triplane import TriplaneParameters

#: Share of all iterations spent on the first frame alone.
FIRST_FRAME = 0.06
#: Frames in a step; their rays share residual planes.
FRAMES = 4
#: The cached density is refreshed this often.
REFRESH = 50
#: Shares of the rays through the mouth, the eyes and the head; the rest goes anywhere in the scene box.
SHARES = (0.22, 0.1, 0.53)


def default_iterations(size: int, frames: int) -> int:
    """Optimisation steps, growing slowly with frame size and number of frames."""
    return int(np.clip(10 * frames, 500, 1000) * np.clip(size / 128, 0.5, 4))


def default_resolution(size: int) -> int:
    """Edge of the fine planes: about one texel a pixel of head."""
    return int(np.clip(0.75 * size, 24, 256))


class TriplaneTrainer(Trainer):
    """A fit of ``triplane``; see :class:`vdf_bench.interfaces.Victim`."""

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
        self.iterations = setting.iterations or default_iterations(capture.size, len(frames))
        self.epoch = np.repeat(np.arange(len(frames)), self.code.repeats(codes))
        geometry = (scene.low, scene.high, scene.centre, scene.radii, motion_places(scene))
        low, high, centre, radii, places = map(torch.from_numpy, geometry)
        self.field = TriplaneField(
            Occupancy(low, high, scene.unit), centre, radii, places,
            parameters.resolution or default_resolution(capture.size), parameters.channels, self.generator,
        )  # fmt: skip

    def make_optimiser(self) -> torch.optim.Optimizer:
        """Adam: planes learn faster than the networks."""
        rates = {"coarse": 1e-2, "fine": 1e-2, "mouth": 1e-2, "eyes": 1e-2}
        groups = [{"params": [value], "lr": rates.get(name, 3e-3)} for name, value in self.field.named_parameters()]
        return torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-12, fused=True)

    def loss(self, iteration: int) -> Tensor:
        field, parameters = self.field, self.parameters
        static = iteration < FIRST_FRAME * self.iterations
        if iteration % REFRESH == 0:
            some = self.random.choice(len(self.codes), min(2, len(self.codes)), replace=False)
            field.refresh(self.codes[some], self.generator)
        chosen = np.zeros(1, np.int64) if static else self.random.choice(self.epoch, FRAMES)
        share = parameters.rays // len(chosen)
        rays = self.rays.draw(chosen, share, self.random)
        with self.mixed_precision():
            condition = None if static else field.condition(self.codes[chosen])
            rgb, opacity = march(field, rays, parameters.samples, condition, self.generator)
        weight = torch.ones(len(chosen), share, device=self.device)
        weight[:, : self.rays.mouth_share(share)] = parameters.mouth_weight
        loss = ((rgb - rays.target).abs().mean(1) * weight.view(-1)).mean()
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
