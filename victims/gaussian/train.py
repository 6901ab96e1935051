"""Training: a static warm-up, then both sets with their motion, apart at first and then fused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from vdf_bench.victims.common.code import Code
from vdf_bench.victims.common.head import View
from vdf_bench.victims.common.scene import Scene, find_scene
from vdf_bench.victims.common.targets import make_targets
from vdf_bench.victims.common.training import Trainer
from vdf_bench.victims.gaussian.curriculum import Curriculum
from vdf_bench.victims.gaussian.densify import densify
from vdf_bench.victims.gaussian.field import GaussianField
from vdf_bench.victims.gaussian.initial import closeness, embeddings, face_splats
from vdf_bench.victims.gaussian.losses import frame_loss
from vdf_bench.victims.gaussian.motion import FaceMotion, MouthMotion, PlaneFeatures
from vdf_bench.victims.gaussian.mouth import box, interiors, mouth_splats
from vdf_bench.victims.gaussian.sizes import Sizes, sizes

if TYPE_CHECKING:
    from vdf_bench.core.capture import Capture
    from vdf_bench.core.interfaces import FitSetting
    from vdf_bench.victims.gaussian.parameters import GaussianParameters
    from vdf_bench.victims.gaussian.splats import Splats


class GaussianTrainer(Trainer):
    """A fit of ``gaussian``; see :class:`vdf_bench.core.interfaces.Victim`."""

    final_rate = 0.05
    field: GaussianField

    def __init__(self, capture: Capture, setting: FitSetting, parameters: GaussianParameters) -> None:
        super().__init__(setting)
        self.mixed = False  # its networks are small, and splatting computes in float32 whatever it is given
        self.parameters = parameters
        self.targets = targets = make_targets(capture, setting.target)
        frames = targets.frames
        self.scene = find_scene(capture, frames)
        self.code = Code.fit(capture.mouth[frames], capture.eyes[frames])
        codes = self.code(capture.mouth[frames], capture.eyes[frames])
        self.codes = torch.from_numpy(codes).to(self.device)
        self.rotation = torch.from_numpy(capture.pose.rotation[frames]).to(self.device)
        self.translation = torch.from_numpy(capture.pose.translation[frames]).to(self.device)
        self.focal, self.size = capture.pose.focal, capture.size
        self.sizes = sizes(capture.size, len(frames), setting.scale)
        if parameters.count:
            self.sizes = self.sizes.resized(parameters.count)
        self.iterations = setting.iterations or self.sizes.iterations
        self.warm_up, self.fuse, self.curriculum_end = (
            int(share * self.iterations) for share in (self.sizes.warm_up, self.sizes.fuse, parameters.curriculum)
        )
        self.passes = [int(share * self.iterations) for share in self.sizes.densify]
        self.inside = interiors(capture, targets)
        if parameters.mouth_set and not self.inside.any():
            self.notes.append("mouth: no training frame shows the inside of the mouth; the face stands for it alone")
        random, generator = self.random, self.generator
        face = face_splats(capture, self.scene, targets, self.sizes.count, random, generator)
        count = self.sizes.mouth if parameters.mouth_set else 0
        mouth = mouth_splats(capture, self.scene, targets, self.inside, count, random, generator)
        self.field = moving_field(face, mouth, self.scene, self.sizes, parameters, random, generator)
        self.curriculum = Curriculum(capture.mouth[frames, 0], capture.eyes[frames])
        self.stress = torch.zeros(len(face), device=self.device)
        self.epoch = np.repeat(np.arange(len(frames)), self.code.repeats(codes))
        self.order: list[int] = []
        self._centres: Tensor | None = None

    def make_optimiser(self) -> torch.optim.Optimizer:
        """Adam with one rate per kind of parameter."""
        rates = {
            "position": 3e-3 * self.scene.unit,
            "scale": 1e-2,
            "rotation": 1e-2,
            "opacity": 3e-2,
            "colour": 3e-2,
            "shading": 1e-2,
            "attention": 3e-2,
            "blend": 2e-2,
        }
        groups = [
            {"params": [value], "lr": rates.get(name.rpartition(".")[2], self.parameters.motion_rate)}
            for name, value in self.field.named_parameters()
        ]
        return torch.optim.Adam(groups, eps=1e-10, fused=True)

    def loss(self, iteration: int) -> Tensor:
        i = self._next(iteration)
        view = View(self.rotation[i], self.translation[i], self.focal, self.size, self.codes[i])
        layers = self.field(view, still=iteration < self.warm_up)
        self._centres = layers.face.centres
        return frame_loss(layers, self.targets, self.inside, i, iteration >= self.fuse, self.parameters)

    def _next(self, iteration: int) -> int:
        """The frame to look at: any while all stands still, then by the curriculum, then all by turns."""
        if self.warm_up <= iteration < self.curriculum_end:
            share = (iteration - self.warm_up) / (self.curriculum_end - self.warm_up)
            return self.curriculum.draw(share, self.random)
        if not self.order:
            self.order = self.random.permutation(self.epoch).tolist()
        return self.order.pop()

    def after(self, iteration: int) -> None:
        if iteration > self.passes[-1]:
            return
        if self._centres is not None and self._centres.grad is not None:
            self.stress += self._centres.grad.norm(dim=1)
        if iteration in self.passes:
            done = (self.passes.index(iteration) + 1) / len(self.passes)
            target = round(self.sizes.count * (self.sizes.limit / self.sizes.count) ** done)
            field = self.field
            densify(field.face, field.face_motion, self.optimiser, self.stress, target, self.generator)
            self.stress = torch.zeros(len(field.face), device=self.device)

    def finish(self) -> None:
        self.notes += self.curriculum.notes()

    def memory(self) -> dict[str, Any]:
        return {"order": self.order, "stress": self.stress, "curriculum": self.curriculum.state()}

    def recall(self, memory: dict[str, Any], field: dict[str, Tensor]) -> None:
        for name, value in self.field.named_parameters():
            value.data = torch.empty_like(field[name])  # densification may have changed the count
        super().recall(memory, field)
        self.order, self.stress = memory["order"], memory["stress"]
        self.curriculum.restore(memory["curriculum"])


def moving_field(
    face: Splats,
    mouth: Splats,
    scene: Scene,
    sizes: Sizes,
    parameters: GaussianParameters,
    random: np.random.Generator,
    generator: torch.Generator,
) -> GaussianField:
    """Both sets with motion that is yet to be learnt."""
    low, high = torch.from_numpy(scene.low), torch.from_numpy(scene.high)
    levels = () if parameters.motion == "embedding" else sizes.levels
    embedding = embeddings(face.position, scene, random)
    if parameters.motion == "planes":
        embedding = embedding[:, :0]
    face_motion = FaceMotion(
        PlaneFeatures(low, high, levels, sizes.channels, generator),
        embedding,
        closeness(face.position, scene),
        scene.unit,
        generator,
        sizes.hidden,
        parameters.appearance,
    )
    planes = PlaneFeatures(*box(mouth, low, high), sizes.mouth_levels, sizes.channels, generator)
    return GaussianField(
        face, face_motion, mouth, MouthMotion(planes, scene.unit, generator, appearance=parameters.appearance)
    )
