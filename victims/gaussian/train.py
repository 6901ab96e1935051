"""Training: a static warm-up, then motion, with one densify-and-prune pass in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from vdf_bench.victims.common.code import Code
from vdf_bench.victims.common.scene import Scene, find_scene
from vdf_bench.victims.common.ssim import dissimilarity
from vdf_bench.victims.common.targets import Targets, make_targets
from vdf_bench.victims.common.training import Trainer
from vdf_bench.victims.gaussian.field import EMBEDDING, GaussianField

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.capture import Capture
    from vdf_bench.interfaces import FitSetting
    from vdf_bench.victims.gaussian import GaussianParameters

#: Shares of all iterations: the static warm-up ends, Gaussians are split and pruned.
WARM_UP, DENSIFY = 0.1, 0.35


def default_iterations(size: int, frames: int) -> int:
    """Optimisation steps: enough passes over the frames, more detail at larger sizes."""
    return int(np.clip(6 * frames, 500, 1200) * np.clip(size / 128, 0.4, 4))


def default_count(size: int) -> int:
    """Gaussians: with the square root of the pixels, 3500 at 128 px."""
    return int(np.clip(3500 * size / 128, 800, 30_000))


class GaussianTrainer(Trainer):
    """A fit of ``gaussian``; see :class:`vdf_bench.interfaces.Victim`."""

    final_rate = 0.05

    def __init__(self, capture: Capture, setting: FitSetting, parameters: GaussianParameters) -> None:
        super().__init__(setting)
        self.parameters = parameters
        self.targets = targets = make_targets(capture, setting.target)
        frames = targets.frames
        self.scene = scene = find_scene(capture, frames)
        self.code = Code.fit(capture.mouth[frames], capture.eyes[frames])
        codes = self.code(capture.mouth[frames], capture.eyes[frames])
        self.codes = torch.from_numpy(codes).to(self.device)
        self.rotation = torch.from_numpy(capture.pose.rotation[frames]).to(self.device)
        self.translation = torch.from_numpy(capture.pose.translation[frames]).to(self.device)
        self.focal, self.size = capture.pose.focal, capture.size
        count = parameters.count or default_count(capture.size)
        self.field = initial_field(capture, scene, targets, count, self.random, self.generator)
        self.iterations = setting.iterations or default_iterations(capture.size, len(frames))
        self.warm_up, self.densify = int(WARM_UP * self.iterations), int(DENSIFY * self.iterations)
        self.stress = torch.zeros(count, device=self.device)
        self.epoch = np.repeat(np.arange(len(frames)), self.code.repeats(codes))
        self.order: list[int] = []
        self._centres: Tensor | None = None

    def make_optimiser(self) -> torch.optim.Optimizer:
        """Adam with one rate per kind of parameter."""
        unit = self.scene.unit
        rates = {
            "position": 3e-3 * unit,
            "scale": 1e-2,
            "rotation": 1e-2,
            "opacity": 3e-2,
            "colour": 3e-2,
            "shading": 1e-2,
            "attention": 3e-2,
            "blend": 2e-2,
        }
        groups = [
            {"params": [value], "lr": rates.get(name, self.parameters.motion_rate), "name": name}
            for name, value in self.field.named_parameters()
        ]
        return torch.optim.Adam(groups, eps=1e-10, fused=True)

    def loss(self, iteration: int) -> Tensor:
        if not self.order:
            self.order = self.random.permutation(self.epoch).tolist()
        i = self.order.pop()
        code = self.codes[i] if iteration >= self.warm_up else None
        image, transmittance, self._centres = self.field(
            self.rotation[i], self.translation[i], self.focal, self.size, code
        )
        return frame_loss(image, transmittance, self.targets, i, self.parameters)

    def after(self, iteration: int) -> None:
        if iteration < self.densify and self._centres is not None and self._centres.grad is not None:
            self.stress += self._centres.grad.norm(dim=1)
        if iteration == self.densify:
            _densify(self.field, self.optimiser, self.stress, self.generator)

    def memory(self) -> dict[str, Any]:
        return {"order": self.order, "stress": self.stress}

    def recall(self, memory: dict[str, Any], field: dict[str, Tensor]) -> None:
        for name, value in self.field.named_parameters():
            value.data = torch.empty_like(field[name])  # densification may have changed the count
        super().recall(memory, field)
        self.order, self.stress = memory["order"], memory["stress"]


def frame_loss(
    image: Tensor, transmittance: Tensor, targets: Targets, i: int, parameters: GaussianParameters
) -> Tensor:
    """Weighted L1 and D-SSIM against the target frame, opacity against the head mask where there is one."""
    backdrop = torch.from_numpy(targets.backdrop[i]).to(image.device).float() / 255
    target = torch.from_numpy(targets.rgb[i]).to(image.device).float() / 255
    rgb = image[..., :3] + transmittance[..., None] * backdrop
    weight = torch.ones_like(transmittance)
    for left, top, right, bottom in targets.eyes[i]:
        weight[top:bottom, left:right] = parameters.eyes_weight
    left, top, right, bottom = targets.mouth[i]
    weight[top:bottom, left:right] = parameters.mouth_weight
    loss = ((rgb - target).abs() * weight[..., None]).mean()
    if parameters.ssim_weight:
        loss = (1 - parameters.ssim_weight) * loss + parameters.ssim_weight * dissimilarity(rgb, target)
    if targets.head is not None:
        head = torch.from_numpy(targets.head[i]).to(image.device).float()
        loss = loss + parameters.mask_weight * ((1 - transmittance - head) ** 2).mean()
    return loss


def initial_field(
    capture: Capture,
    scene: Scene,
    targets: Targets,
    count: int,
    random: np.random.Generator,
    generator: torch.Generator,
) -> GaussianField:
    """Gaussians on the head's ellipsoid, denser in front and around eyes and mouth, coloured from the frames."""
    normal = random.normal(size=(8 * count, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    # Uniform directions crowd the ellipsoid's ends; the front is what the camera sees.
    area = np.linalg.norm(normal / scene.radii, axis=1) * np.prod(scene.radii)
    # Sides that no frame shows stay empty: Gaussians there would only glimmer through cracks of the face.
    outward = normal / scene.radii
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    shown = (outward @ _directions(capture, targets).T).max(1)
    chance = area * ((shown > -0.2) + 1.5 * (shown > 0.4))
    picked = random.choice(len(normal), count, replace=False, p=chance / chance.sum())
    surface = scene.centre + scene.radii * normal[picked]
    close = random.random(count) < 0.2
    anchors = scene.landmarks[random.integers(36, 68, int(close.sum()))]
    near = anchors + random.normal(size=anchors.shape) * 0.06 * scene.unit
    surface[close] = scene.centre + _shell(near - scene.centre, scene.radii)
    density = count / (2.5 * float(np.prod(scene.radii) ** (2 / 3)) * np.pi)
    spacing = np.where(close, 0.5, 0.8) / np.sqrt(density)
    embedding = np.concatenate(
        [(surface - scene.centre) / scene.radii, 0.1 * random.normal(size=(count, EMBEDDING - 3))], 1
    )
    colour = _seen_colours(capture, targets, surface, (surface - scene.centre) / scene.radii**2)
    attention = np.stack([_near(surface, scene, slice(48, 68), 0.45), _near(surface, scene, slice(36, 48), 0.2)], 1)
    arrays = (surface, spacing, colour, embedding, attention)
    position, scale, rgb, own, heed = (torch.from_numpy(array.astype(np.float32)) for array in arrays)
    return GaussianField(position, scale, rgb, own, heed, scene.unit, generator)


def _directions(capture: Capture, targets: Targets) -> NDArray[np.float32]:
    """(A, 3) unit directions from the head to the camera, in head space."""
    rotation, translation = capture.pose.rotation[targets.frames], capture.pose.translation[targets.frames]
    direction = -np.einsum("aij,ai->aj", rotation, translation)
    return np.asarray(direction / np.linalg.norm(direction, axis=1, keepdims=True), np.float32)


def _near(points: NDArray[np.float64], scene: Scene, marks: slice, reach: float) -> NDArray[np.float64]:
    """(N,) closeness in (0, 1] of points to the nearest of some landmarks; falls over ``reach`` of a standard head."""
    distance, _ = cKDTree(scene.landmarks[marks]).query(points)
    return np.asarray(np.exp(-0.5 * (distance / (reach * scene.unit)) ** 2))


def _shell(offset: NDArray[np.float64], radii: NDArray[np.float32]) -> NDArray[np.float64]:
    """Pull points (N, 3), relative to the centre, radially onto the ellipsoid."""
    return np.asarray(offset / np.linalg.norm(offset / radii, axis=1, keepdims=True))


def _seen_colours(
    capture: Capture, targets: Targets, points: NDArray[np.float64], normals: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(N, 3) mean target colours in [0, 1] where points face the camera; mid grey where none does."""
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    total, weight = np.full((len(points), 3), 0.05), np.full((len(points), 1), 0.1)
    for i in np.linspace(0, len(targets) - 1, min(12, len(targets))).astype(int):
        frame = targets.frames[i]
        camera = points @ capture.pose.rotation[frame].T + capture.pose.translation[frame]
        pixel = capture.size / 2 + capture.pose.focal * camera[:, :2] / camera[:, 2:]
        column, row = np.clip(pixel.astype(int), 0, capture.size - 1).T
        facing = -(normals @ capture.pose.rotation[frame].T)[:, 2]
        share = np.maximum(facing, 0)[:, None] ** 2
        total += share * targets.rgb[i][row, column] / 255
        weight += share
    return np.asarray(total / weight)


def _densify(
    field: GaussianField, optimiser: torch.optim.Optimizer, stress: Tensor, generator: torch.Generator
) -> None:
    """Split the Gaussians that are pulled hardest on screen; drop the transparent ones (Kerbl et al., section 5.2).

    Half of a split's offspring moves along the longest axis, both shrink; the optimiser's memory follows.
    """
    count = len(stress)
    keep = (torch.sigmoid(field.opacity.detach()) > 0.03).nonzero()[:, 0]
    room = count - len(keep) + count // 8
    split = keep[stress[keep].argsort(descending=True, stable=True)[:room]]
    index = torch.cat([keep, split])
    twins = torch.zeros(len(index), dtype=torch.bool)
    twins[torch.isin(keep, split).nonzero()[:, 0]] = True
    twins[len(keep) :] = True
    per_gaussian = {"position", "scale", "rotation", "opacity", "colour", "shading", "embedding", "attention", "blend"}
    for group in optimiser.param_groups:
        if group["name"] not in per_gaussian:
            continue
        old = group["params"][0]
        new = torch.nn.Parameter(old.detach()[index].clone())
        memory = optimiser.state.pop(old)
        for key in ("exp_avg", "exp_avg_sq"):
            memory[key] = memory[key][index].clone()
        optimiser.state[new] = memory
        group["params"] = [new]
        setattr(field, group["name"], new)
    with torch.no_grad():
        deviation = field.scale[twins].exp()
        jitter = torch.randn(deviation.shape, generator=generator) * deviation * 0.7
        field.position[twins] += jitter
        field.scale[twins] -= 0.35
