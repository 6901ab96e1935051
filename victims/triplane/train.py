"""Training: the static field on the first frame, then all frames with motion planes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vdf_bench.victims.common.code import Code
from vdf_bench.victims.common.scene import Scene, find_scene
from vdf_bench.victims.common.targets import Targets, make_targets
from vdf_bench.victims.common.watch import Watch
from vdf_bench.victims.triplane.field import TriplaneField, TriplaneHead, view_direction
from vdf_bench.victims.triplane.volume import camera_rays, integrate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.capture import Capture
    from vdf_bench.interfaces import FitSetting
    from vdf_bench.victims.triplane import TriplaneParameters

#: Share of all iterations spent on the first frame alone.
FIRST_FRAME = 0.06
#: Frames in a step; their rays share residual planes.
FRAMES = 4
#: The cached density is refreshed this often.
REFRESH = 50
FINAL_RATE = 0.1
#: Shares of the rays through the mouth, the eyes and the head; the rest goes anywhere in the scene box.
SHARES = (0.22, 0.1, 0.53)


def default_iterations(size: int, frames: int) -> int:
    """Optimisation steps, growing slowly with frame size and number of frames."""
    return int(np.clip(10 * frames, 500, 1000) * np.clip(size / 128, 0.5, 4))


def default_resolution(size: int) -> int:
    """Edge of the fine planes: about one texel a pixel of head."""
    return int(np.clip(0.75 * size, 24, 256))


def fit(capture: Capture, setting: FitSetting, parameters: TriplaneParameters) -> TriplaneHead:
    """Train a tri-plane head; see :class:`vdf_bench.interfaces.Victim`."""
    watch = Watch(setting.timeout)
    random = np.random.default_rng(setting.seed)
    generator = torch.Generator().manual_seed(setting.seed)
    targets = make_targets(capture, setting.target)
    frames = targets.frames
    scene = find_scene(capture, frames)
    code = Code.fit(capture.mouth[frames], capture.eyes[frames])
    codes = torch.from_numpy(code(capture.mouth[frames], capture.eyes[frames]))
    rotation, translation = capture.pose.rotation[frames], capture.pose.translation[frames]
    views = view_direction(rotation, translation)
    regions = _regions(capture, scene, targets)
    geometry = (scene.low, scene.high, scene.centre, scene.radii, motion_places(scene))
    low, high, centre, radii, places = map(torch.from_numpy, geometry)
    field = TriplaneField(
        low, high, centre, radii, places,
        scene.unit, parameters.resolution or default_resolution(capture.size), parameters.channels, generator,
    )  # fmt: skip
    optimiser = _optimiser(field)
    iterations = setting.iterations or default_iterations(capture.size, len(frames))
    schedule = FINAL_RATE ** (1 / iterations)
    epoch = np.repeat(np.arange(len(frames)), code.repeats(codes.numpy()))
    for iteration in range(iterations):
        static = iteration < FIRST_FRAME * iterations
        if iteration % REFRESH == 0:
            some = random.choice(len(frames), min(2, len(frames)), replace=False)
            field.remember(codes[some], generator)
        chosen = np.zeros(1, np.int64) if static else random.choice(epoch, FRAMES)
        share = parameters.rays // len(chosen)
        pixels = np.stack([_pick(regions[i], share, random) for i in chosen])
        rays = [
            camera_rays(pixels[k], rotation[i], translation[i], capture.pose.focal, capture.size)
            for k, i in enumerate(chosen)
        ]
        origin = np.repeat(np.stack([ray[0] for ray in rays]), share, 0)
        direction = np.concatenate([ray[1] for ray in rays])
        _, edges = field.strata(origin, direction, parameters.samples)
        depth = edges[:, :-1] + np.diff(edges) * random.random(edges[:, 1:].shape, np.float32)
        width = np.diff(edges) * np.linalg.norm(direction, axis=1, keepdims=True)
        points = origin[:, None] + direction[:, None] * depth[..., None]

        blends = None if static else field.blends(codes[chosen])
        owner = np.repeat(np.arange(len(chosen)), share)
        of_point = torch.from_numpy(np.repeat(owner, parameters.samples))
        density, colour = field(torch.from_numpy(points).view(-1, 3), views[chosen], blends, of_point)
        premultiplied, opacity, _ = integrate(
            density.view(depth.shape), colour.view(*depth.shape, 3), torch.from_numpy(depth), torch.from_numpy(width)
        )
        frame = chosen[owner]
        column, row = pixels.reshape(-1, 2).T
        backdrop = torch.from_numpy(targets.backdrop[frame, row, column]).float() / 255
        target = torch.from_numpy(targets.rgb[frame, row, column]).float() / 255
        rgb = premultiplied + (1 - opacity)[:, None] * backdrop
        weight = np.ones(len(owner), np.float32).reshape(len(chosen), share)
        weight[:, : int(SHARES[0] * share)] = parameters.mouth_weight
        loss = ((rgb - target).abs().mean(1) * torch.from_numpy(weight.reshape(-1))).mean()
        sure = opacity.clamp(1e-4, 1 - 1e-4)
        loss = loss - parameters.entropy_weight * (sure * sure.log() + (1 - sure) * (1 - sure).log()).mean()
        if targets.head is not None:
            head = torch.from_numpy(targets.head[frame, row, column]).float()
            loss = loss + parameters.mask_weight * ((opacity - head) ** 2).mean()
        if not static:
            loss = loss + parameters.residual_weight * (field.mouth.abs().mean() + field.eyes.abs().mean())
        watch.check(iteration, float(loss.detach()))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        for group in optimiser.param_groups:
            group["lr"] *= schedule
    field.remember(codes[:: max(1, len(codes) // 8)], generator)
    return TriplaneHead.of(field, code)


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


def _regions(capture: Capture, scene: Scene, targets: Targets) -> NDArray[np.int64]:
    """(A, 5, 4) pixel boxes: mouth, both eyes, head (the ellipsoid's bounds), scene box."""
    pose = capture.pose
    found = [targets.mouth, targets.eyes[:, 0], targets.eyes[:, 1]]
    # The ellipsoid's silhouette touches the projections of its axes; the box, of its corners.
    signs = np.stack(np.meshgrid(*[[-1.0, 1.0]] * 3), -1).reshape(-1, 3)
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    middle, reach = (scene.low + scene.high) / 2, (scene.high - scene.low) / 2
    for points in (scene.centre + 1.05 * axes * scene.radii, middle + signs * reach):
        pixels = pose.project(points, capture.size)[targets.frames]
        start = np.clip(np.floor(pixels.min(1)), 0, capture.size - 1)
        end = np.clip(np.ceil(pixels.max(1)), start + 1, capture.size)
        found.append(np.concatenate([start, end], 1).astype(np.int64))
    return np.stack(found, 1)


def _pick(regions: NDArray[np.int64], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """(count, 2) pixels (column, row), drawn from one frame's regions (5, 4) in the shares of :data:`SHARES`."""
    bounds = np.cumsum([int(share * count) for share in (SHARES[0], SHARES[1] / 2, SHARES[1] / 2, SHARES[2])])
    box = regions[np.searchsorted(bounds, np.arange(count), side="right")]
    return np.asarray(box[:, :2] + np.floor(random.random((count, 2)) * (box[:, 2:] - box[:, :2])), np.int64)


def _optimiser(field: TriplaneField) -> torch.optim.Adam:
    """Adam: planes learn faster than the networks."""
    rates = {"coarse": 1e-2, "fine": 1e-2, "mouth": 1e-2, "eyes": 1e-2}
    groups = [{"params": [parameter], "lr": rates.get(name, 3e-3)} for name, parameter in field.named_parameters()]
    return torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-12, fused=True)
