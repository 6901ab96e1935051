"""Radiance fields: how their rays are chosen, marched and rendered, whatever the field is made of."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from vdf_bench.victims.common.head import Field, Picture, View
from vdf_bench.victims.common.volume import Occupancy, camera_rays, integrate, view_direction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.core.capture import Capture
    from vdf_bench.victims.common.scene import Scene
    from vdf_bench.victims.common.targets import Targets

#: What each frame's conditioning is made of: tensors (F, ...), one row a frame.
Condition = tuple[Tensor, ...]


class RayField(Field):
    """A field of density and colour.

    Attributes:
        occupancy: its box, and where in it there was density lately.
    """

    #: Rays rendered at once, and samples on each.
    CHUNK: Final = 8192
    RENDER_SAMPLES: int = 16
    occupancy: Occupancy

    @abstractmethod
    def condition(self, codes: Tensor) -> Condition:
        """What the field makes of driving codes (F, 3)."""

    @abstractmethod
    def forward(
        self, points: Tensor, view: Tensor, condition: Condition | None, owner: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Density and colour.

        Args:
            points: (P, 3) head space.
            view: (F, 3) direction from which each frame sees the head.
            condition: of each frame, from :meth:`condition`; None for the static head.
            owner: (P,) the frame of each point; None where there is one frame.

        Returns:
            Density (P,) per head unit and RGB (P, 3) in [0, 1].
        """

    @torch.no_grad()
    def refresh(self, codes: Tensor, generator: torch.Generator) -> None:
        """Refresh the cached density under driving codes (F, 3), the largest of them counting."""
        conditions = [self.condition(codes[k : k + 1]) for k in range(len(codes))]
        nowhere = codes.new_zeros(1, 3)

        def density(points: Tensor) -> Tensor:
            return torch.stack([self(points, nowhere, each)[0] for each in conditions]).amax(0)

        self.occupancy.refresh(density, generator)

    def picture(self, view: View) -> Picture:
        size = view.size
        axis = torch.arange(size, device=view.code.device)
        pixels = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).view(1, -1, 2)
        rotation, translation = view.rotation[None], view.translation[None]
        origin, direction = camera_rays(pixels, rotation, translation, view.focal, size)
        towards, condition = view_direction(rotation, translation), self.condition(view.code[None])
        rendered = pixels.new_zeros((size * size, 5), dtype=torch.float32)
        for start in range(0, size * size, self.CHUNK):
            rays = direction[0, start : start + self.CHUNK]
            hit, edges = self.occupancy.strata(origin.expand(len(rays), 3), rays, self.RENDER_SAMPLES)
            rays, edges = rays[hit], edges[hit]
            depth = (edges[:, 1:] + edges[:, :-1]) / 2
            width = edges.diff(dim=1) * rays.norm(dim=1, keepdim=True)
            points = origin[:, None] + rays[:, None] * depth[..., None]
            density, colour = self(points.view(-1, 3), towards, condition)
            rgb, alpha, far = integrate(density.view(depth.shape), colour.view(*depth.shape, 3), depth, width)
            rendered[start + hit.nonzero()[:, 0]] = torch.cat([rgb, alpha[:, None], far[:, None]], 1)
        square = rendered.view(size, size, 5)
        return Picture(square[..., :3], square[..., 3], square[..., 4])


class Rays(NamedTuple):
    """A batch of training rays: F frames, B rays each, N = F * B in all.

    Attributes:
        origin, direction: (N, 3) head space.
        owner: (N,) position of each ray's frame among the F.
        view: (F, 3) direction from which each frame sees the head.
        target, backdrop: (N, 3) in [0, 1].
        head: (N,) 1 where the mask says head; None where the target asks no mask.
        pixels: (F, B, 2) as (column, row).
    """

    origin: Tensor
    direction: Tensor
    owner: Tensor
    view: Tensor
    target: Tensor
    backdrop: Tensor
    head: Tensor | None
    pixels: Tensor


class RaySource:
    """Draws training rays, more of them where it matters.

    Args:
        capture: poses and sizes.
        scene: the head's box.
        targets: colours.
        shares: shares of the rays through the mouth, the eyes and the head; the rest goes anywhere in the scene box.
        device: where rays go.
    """

    def __init__(
        self,
        capture: Capture,
        scene: Scene,
        targets: Targets,
        shares: tuple[float, float, float],
        device: torch.device,
    ) -> None:
        mouth, eyes, head = shares
        self._bounds = np.cumsum([mouth, eyes / 2, eyes / 2, head])
        self._regions = _regions(capture, scene, targets)
        self._targets = targets
        self._focal, self._size = capture.pose.focal, capture.size
        self._device = device
        frames = targets.frames
        self.rotation = torch.from_numpy(capture.pose.rotation[frames]).to(device)
        self.translation = torch.from_numpy(capture.pose.translation[frames]).to(device)
        self.view = view_direction(self.rotation, self.translation)

    def mouth_share(self, rays: int) -> int:
        """How many of ``rays`` of a frame go through the mouth; they come first."""
        return int(self._bounds[0] * rays)

    def draw(self, chosen: NDArray[np.int64], rays: int, random: np.random.Generator) -> Rays:
        """``rays`` rays of each of the training frames ``chosen`` (F,)."""
        counts = (self._bounds * rays).astype(int)
        where = np.searchsorted(counts, np.arange(rays), side="right")
        box = self._regions[chosen][:, where]
        pixels = box[..., :2] + np.floor(random.random((len(chosen), rays, 2)) * (box[..., 2:] - box[..., :2]))
        pixels = pixels.astype(np.int64)
        frame, column, row = chosen[:, None], pixels[..., 0], pixels[..., 1]
        targets, device = self._targets, self._device

        def colours(frames: NDArray[np.uint8]) -> Tensor:
            return torch.from_numpy(frames[frame, row, column]).to(device).float().view(-1, 3) / 255

        where_from = torch.from_numpy(chosen).to(device)
        placed = torch.from_numpy(pixels).to(device)
        origin, direction = camera_rays(
            placed, self.rotation[where_from], self.translation[where_from], self._focal, self._size
        )
        head = None
        if targets.head is not None:
            head = torch.from_numpy(targets.head[frame, row, column]).to(device).float().view(-1)
        return Rays(
            origin=origin[:, None].expand_as(direction).reshape(-1, 3),
            direction=direction.reshape(-1, 3),
            owner=torch.arange(len(chosen), device=device).repeat_interleave(rays),
            view=self.view[where_from],
            target=colours(targets.rgb),
            backdrop=colours(targets.backdrop),
            head=head,
            pixels=placed,
        )


class Samples(NamedTuple):
    """Jittered samples on a batch of N rays.

    Attributes:
        points: (N * S, 3) head space.
        owner: (N * S,) position of each sample's frame.
        depth: (N, S) camera depth.
        width: (N, S) length of each stratum.
    """

    points: Tensor
    owner: Tensor
    depth: Tensor
    width: Tensor


def scatter(occupancy: Occupancy, rays: Rays, count: int, generator: torch.Generator) -> Samples:
    """``count`` jittered samples on each of the training rays."""
    _, edges = occupancy.strata(rays.origin, rays.direction, count)
    jitter = torch.rand((len(edges), count), generator=generator).to(edges.device)
    depth = edges[:, :-1] + edges.diff(dim=1) * jitter
    width = edges.diff(dim=1) * rays.direction.norm(dim=1, keepdim=True)
    points = rays.origin[:, None] + rays.direction[:, None] * depth[..., None]
    return Samples(points.view(-1, 3), rays.owner.repeat_interleave(count), depth, width)


def march(
    field: RayField, rays: Rays, samples: int, condition: Condition | None, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Render training rays with jittered samples.

    Returns:
        RGB over the backdrop (N, 3) and opacity (N,).
    """
    placed = scatter(field.occupancy, rays, samples, generator)
    # A good part of the rays meets nothing; the field need not be asked there.
    met = placed.width.amax(1).nonzero()[:, 0]
    points, depth, width = placed.points.view(-1, samples, 3)[met], placed.depth[met], placed.width[met]
    owner = rays.owner[met].repeat_interleave(samples)
    density, colour = field(points.view(-1, 3), rays.view, condition, owner)
    rgb, seen, _ = integrate(density.float().view(depth.shape), colour.float().view(*depth.shape, 3), depth, width)
    opacity = seen.new_zeros(len(rays.owner)).index_copy(0, met, seen)
    return ((1 - opacity)[:, None] * rays.backdrop).index_add(0, met, rgb), opacity


def opacity_entropy(opacity: Tensor) -> Tensor:
    """Mean binary entropy (nats) of ray opacities: small where rays are empty or solid."""
    sure = opacity.clamp(1e-4, 1 - 1e-4)
    entropy: Tensor = -(sure * sure.log() + (1 - sure) * (1 - sure).log()).mean()
    return entropy


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
