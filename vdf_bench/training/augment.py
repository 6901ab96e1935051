"""Domain randomisation: a few thousand renders become batches that no two networks see alike.

Everything is drawn from one ``torch.Generator``; images are float32 RGB in [0, 1], (N, 3, H, W). The order is that of a
camera: scene (materials, background), geometry (placement in the frame), light and colour, optics, sensor, codec.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

#: Classes that trade places in a mirror: brows, eyes, ears.
MIRRORED = ((2, 3), (4, 5), (7, 8))
#: iBUG-68 index of each landmark's mirror image.
MIRROR_68 = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
     41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1)]
)  # fmt: skip


@dataclass(frozen=True)
class Views:
    """Rendered heads with their truth.

    Attributes:
        rgb: (N, S, S, 3) uint8.
        labels: (N, S, S) uint8, 19 classes.
        landmarks: (N, 68, 2) float32 pixels.
        identity: (N,) int64.
    """

    rgb: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    landmarks: NDArray[np.float32]
    identity: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rgb)

    def halved(self) -> Views:
        """The same views at half the edge."""
        count, size = self.rgb.shape[:2]
        pooled = self.rgb.reshape(count, size // 2, 2, size // 2, 2, 3).mean((2, 4), dtype=np.float32)
        points = (self.landmarks / 2).astype(np.float32)
        return Views(pooled.round().astype(np.uint8), self.labels[:, 1::2, 1::2].copy(), points, self.identity)

    def of(self, chosen: NDArray[np.bool_]) -> Views:
        """The views where ``chosen`` holds."""
        return Views(self.rgb[chosen], self.labels[chosen], self.landmarks[chosen], self.identity[chosen])


@dataclass(frozen=True)
class Batch:
    """What a training step sees.

    Attributes:
        image: (N, 3, s, s) float32.
        labels: (N, s, s) int64.
        landmarks: (N, 68, 2) float32 pixels.
        present: (N,) float32, 1 where there is a face in the picture.
    """

    image: Tensor
    labels: Tensor
    landmarks: Tensor
    present: Tensor


@dataclass(frozen=True)
class Placement:
    """Where faces come to lie.

    Attributes:
        height: lowest and highest face height (brow to chin) as a share of the frame.
        shift: largest distance of the face from the middle, as a share of the free room.
        tilt: standard deviation of the in-plane rotation, radians.
        absent: probability that a picture has no face.
        stretch: largest change of the aspect ratio.
    """

    height: tuple[float, float] = (0.16, 0.75)
    shift: float = 0.8
    tilt: float = 0.16
    absent: float = 0.0
    stretch: float = 0.12


class Augmenter:
    """Draws augmented batches.

    Args:
        views: rendered heads.
        textures: (M, T, T, 3) uint8 pictures for backgrounds and cloth; see :func:`vdf_bench.training.data.textures`.
        seed: of every draw.
        strength: 0 leaves colours, optics and codec alone; past 0.6 small networks stop learning within minutes.
    """

    def __init__(self, views: Views, textures: NDArray[np.uint8], seed: int, strength: float = 0.5) -> None:
        self.views, self.small = views, views.halved()
        self.textures = torch.from_numpy(textures).permute(0, 3, 1, 2)
        self.generator = torch.Generator().manual_seed(seed)
        self.strength = strength

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform numbers from the generator."""
        return low + (high - low) * torch.rand(shape, generator=self.generator)

    def chance(self, probability: float) -> bool:
        """True with ``probability``."""
        return bool(torch.rand((), generator=self.generator) < probability)

    def batch(self, count: int, size: int, placement: Placement) -> Batch:
        """Draw ``count`` pictures of ``size`` x ``size``."""
        views = self.views if size > self.small.rgb.shape[1] else self.small
        index = torch.randint(len(views), (count,), generator=self.generator).numpy()
        rgb = torch.from_numpy(views.rgb[index]).permute(0, 3, 1, 2).float() / 255
        labels = torch.from_numpy(views.labels[index]).long()
        points = torch.from_numpy(views.landmarks[index])
        rgb = self.recolour(rgb, labels)
        image, labels, points = self.place(rgb, labels, points, size, placement)
        present = (torch.rand(count, generator=self.generator) >= placement.absent).float()
        absent = present == 0
        if bool(absent.any()):
            image[absent] = self.without_face(image[absent], labels[absent])
            labels[absent] = 0
        image, labels = self.occlude(image, labels)
        image = degrade(self.light(image), self)
        return Batch(image, labels, points, present)

    def texture(self, count: int, size: int) -> Tensor:
        """``count`` random texture crops, recoloured: (N, 3, size, size)."""
        index = torch.randint(len(self.textures), (count,), generator=self.generator)
        chosen = self.textures[index].float() / 255
        scale = self.uniform(0.25, 1.0, count)
        angle = self.uniform(-math.pi, math.pi, count) * (torch.rand(count, generator=self.generator) < 0.3)
        offset = self.uniform(-1, 1, count, 2) * (1 - scale[:, None])
        chosen = F.grid_sample(chosen, grid_of(scale, scale, angle, offset, size), "bilinear", "reflection", False)
        gain = self.uniform(0.4, 1.3, count, 1, 1, 1) * self.uniform(0.75, 1.25, count, 3, 1, 1)
        return (chosen * gain + self.uniform(-0.1, 0.15, count, 1, 1, 1)).clamp(0, 1)

    def recolour(self, rgb: Tensor, labels: Tensor) -> Tensor:
        """Other skin, hair and cloth on the same geometry: per-class gains; cloth may take a photographic texture."""
        count, _, size, _ = rgb.shape
        gain = torch.ones(count, 19, 3)
        skin = self.uniform(0.65, 1.35, count, 1, 1) * self.uniform(0.9, 1.1, count, 1, 3)
        gain[:, 1:16] = skin * self.uniform(0.95, 1.05, count, 15, 3)
        gain[:, 12:14] *= self.uniform(0.8, 1.15, count, 1, 3)
        gain[:, 17] = self.uniform(0.5, 1.8, count, 1) * self.uniform(0.9, 1.1, count, 3)
        gain[:, 2:4] *= self.uniform(0.6, 1.2, count, 1, 1)
        gain[:, 16] = self.uniform(0.2, 1.5, count, 1) * self.uniform(0.7, 1.3, count, 3)
        rows = torch.arange(count)[:, None, None]
        rgb = rgb * gain[rows, labels].permute(0, 3, 1, 2) ** self.strength
        shade = rgb.mean(1, keepdim=True)
        for group, probability, kept in ((16, 0.6, 0.0), (17, 0.5, 0.6)):
            chosen = torch.rand(count, generator=self.generator) < probability * self.strength
            where = (labels == group)[:, None] & chosen[:, None, None, None]
            level = (shade * where).sum((1, 2, 3), keepdim=True) / where.sum((1, 2, 3), keepdim=True).clamp(min=1)
            painted = self.texture(count, size) * (shade / level.clamp(min=0.05)).clamp(0.3, 1.8)
            rgb = torch.where(where, rgb * kept + painted * (1 - kept), rgb)
        # Renders are smooth where people are not: a faint photographic relief on everything.
        relief = self.texture(count, size).mean(1, keepdim=True)
        depth = self.strength * self.uniform(-0.8, 0.8, count, 1, 1, 1)
        rgb = rgb * (1 + depth * (relief - relief.mean((2, 3), keepdim=True)))
        return rgb.clamp(0, 1)

    def place(
        self, rgb: Tensor, labels: Tensor, points: Tensor, size: int, placement: Placement
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Mirror, scale, turn and shift each head into its frame, over its own or another background."""
        count, _, source, _ = rgb.shape
        swap = torch.rand(count, generator=self.generator) < 0.5
        table = torch.arange(19)
        for left, right in MIRRORED:
            table[left], table[right] = right, left
        rgb = torch.where(swap[:, None, None, None], rgb.flip(3), rgb)
        labels = torch.where(swap[:, None, None], table[labels.flip(2)], labels)
        mirrored = points[:, MIRROR_68] * torch.tensor([-1.0, 1.0]) + torch.tensor([float(source), 0.0])
        points = torch.where(swap[:, None, None], mirrored, points)
        low, high = placement.height
        share = torch.exp(self.uniform(math.log(low), math.log(high), count))
        # The grid maps output to source.
        height = (points[..., 1].amax(1) - points[..., 1].amin(1)) / source
        shrink = height / share
        stretch = torch.exp(self.uniform(-placement.stretch, placement.stretch, count))
        angle = torch.randn(count, generator=self.generator) * placement.tilt
        centre = (points.amax(1) + points.amin(1)) / source - 1
        room = (shrink[:, None] - height[:, None] * 0.9).clamp(min=0)
        offset = centre + self.uniform(-1, 1, count, 2) * room * placement.shift
        # A bust that ends inside the picture has never been seen: the frame's bottom edge comes first.
        offset[:, 1] = torch.minimum(offset[:, 1], 1.02 - shrink)
        wide, tall = shrink * stretch, shrink / stretch
        grid = grid_of(wide, tall, angle, offset, size)
        factor = float(shrink.mean()) * source / size
        if factor > 1.5 and self.chance(0.8):
            step = 2 if factor < 3 else 3
            alpha = F.avg_pool2d((labels > 0).float()[:, None], step)
            colour = F.avg_pool2d(rgb * (labels > 0)[:, None], step)
            whole = F.avg_pool2d(rgb, step)
        else:
            alpha = (labels > 0).float()[:, None]
            colour, whole = rgb * alpha, rgb
        kept = F.grid_sample(whole, grid, "bilinear", "border", False)
        colour = F.grid_sample(colour, grid, "bilinear", "zeros", False)
        alpha = F.grid_sample(alpha, grid, "bilinear", "zeros", False)
        labels = F.grid_sample(labels.float()[:, None], grid, "nearest", "zeros", False)[:, 0].long()
        other = colour + (1 - alpha) * self.texture(count, size)
        covered = (grid.abs().amax((1, 2, 3)) < 1.15) & (torch.rand(count, generator=self.generator) < 0.4)
        image = torch.where(covered[:, None, None, None], kept, other)
        # Points go the other way: invert the affine map of the grid.
        normal = points * 2 / source - 1 - offset[:, None]
        cosine, sine = torch.cos(angle)[:, None], torch.sin(angle)[:, None]
        x = (cosine * normal[..., 0] + sine * normal[..., 1]) / wide[:, None]
        y = (-sine * normal[..., 0] + cosine * normal[..., 1]) / tall[:, None]
        return image, labels, (torch.stack([x, y], 2) + 1) * size / 2

    def without_face(self, image: Tensor, labels: Tensor) -> Tensor:
        """Pictures without a face: textures, or the scene with the face replaced by what a parser attack leaves."""
        count, _, size, _ = image.shape
        texture = self.texture(count, size)
        face = ((labels >= 1) & (labels <= 13))[:, None].float()
        grown = F.max_pool2d(face, 2 * (size // 24) + 1, 1, size // 24)
        headless = image * (1 - grown) + texture * grown
        choose = torch.rand(count, 1, 1, 1, generator=self.generator) < 0.5
        return torch.where(choose, texture, headless)

    def occlude(self, image: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Now and then a textured rectangle or ellipse in front, labelled background."""
        count, _, size, _ = image.shape
        if not self.chance(0.4 * self.strength):
            return image, labels
        axis = (torch.arange(size) + 0.5) / size
        centre, radius = self.uniform(0, 1, count, 2), self.uniform(0.03, 0.16, count, 2)
        x = ((axis[None] - centre[:, :1]) / radius[:, :1]).abs()[:, None, :]
        y = ((axis[None] - centre[:, 1:]) / radius[:, 1:]).abs()[:, :, None]
        box = torch.rand(count, 1, 1, generator=self.generator) < 0.5
        inside = torch.where(box, torch.maximum(x, y) < 1, x * x + y * y < 1)
        inside = inside & (torch.rand(count, 1, 1, generator=self.generator) < 0.5)
        image = torch.where(inside[:, None], self.texture(count, size), image)
        return image, torch.where(inside, torch.zeros((), dtype=torch.long), labels)

    def light(self, image: Tensor) -> Tensor:
        """Colour matrix, saturation, contrast, gamma, exposure and a light gradient across the frame."""
        count, _, size, _ = image.shape
        k = self.strength
        grey = image.mean(1, keepdim=True)
        image = grey + (image - grey) * (1 + k * self.uniform(-0.7, 0.5, count, 1, 1, 1))
        matrix = torch.eye(3) + 0.05 * k * torch.randn(count, 3, 3, generator=self.generator)
        image = torch.einsum("nij,njhw->nihw", matrix, image)
        image = (image - 0.5) * torch.exp(k * self.uniform(-0.45, 0.35, count, 1, 1, 1)) + 0.5
        image = image + k * self.uniform(-0.15, 0.15, count, 1, 1, 1)
        axis = torch.linspace(-1, 1, size)
        slope = 0.3 * k * torch.randn(count, 3, generator=self.generator)
        plane = slope[:, :1, None] * axis[None, None] + slope[:, 1:2, None] * axis[None, :, None]
        plane = plane + 0.5 * slope[:, 2:, None] * axis[None, None] * axis[None, :, None]
        image = image * torch.exp(plane.clamp(-0.8, 0.8))[:, None]
        gamma = torch.exp(k * self.uniform(-0.5, 0.5, count, 1, 1, 1))
        return image.clamp(1e-3, 1) ** gamma


def grid_of(wide: Tensor, tall: Tensor, angle: Tensor, offset: Tensor, size: int) -> Tensor:
    """Sampling grid (N, size, size, 2) of a scaling, then a rotation, then a shift, in normalised coordinates."""
    cosine, sine = torch.cos(angle), torch.sin(angle)
    matrix = torch.stack(
        [
            torch.stack([cosine * wide, -sine * tall, offset[:, 0]], 1),
            torch.stack([sine * wide, cosine * tall, offset[:, 1]], 1),
        ],
        1,
    )
    return F.affine_grid(matrix, [len(wide), 3, size, size], align_corners=False)


def degrade(image: Tensor, draw: Augmenter) -> Tensor:
    """Optics, sensor and codec: blur or sharpening, resizing there and back, noise, JPEG, eight bits."""
    count, _, size, _ = image.shape
    k = draw.strength
    if draw.chance(0.4 * k):
        spread = float(draw.uniform(0.3, 0.3 + 0.014 * size * k))
        image = blur(image, spread) if draw.chance(0.7) else (2 * image - blur(image, 0.8)).clamp(0, 1)
    if draw.chance(0.3 * k):
        smaller = max(24, round(size * float(draw.uniform(0.35, 0.9))))
        image = F.interpolate(
            image, (smaller, smaller), mode="bilinear", align_corners=False, antialias=draw.chance(0.5)
        )
        image = F.interpolate(image, (size, size), mode="bilinear", align_corners=False)
    sigma = k * 0.06 * draw.uniform(0, 1, count, 1, 1, 1) ** 2
    image = image + sigma * torch.randn(image.shape, generator=draw.generator)
    image = image.clamp(0, 1)
    if draw.chance(0.3 * k):
        quality = draw.uniform(25, 92, count).int().tolist()
        image = torch.stack([jpeg(picture, q) for picture, q in zip(image, quality, strict=True)])
    return (image * 255).round() / 255


def blur(image: Tensor, sigma: float) -> Tensor:
    """Separable Gaussian blur; ``sigma`` in pixels."""
    radius = max(1, math.ceil(2.5 * sigma))
    taps = torch.exp(-(torch.arange(-radius, radius + 1.0) ** 2) / (2 * sigma * sigma))
    taps = (taps / taps.sum()).view(1, 1, 1, -1).expand(3, 1, 1, -1)
    padded = F.pad(image, (radius,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, taps, groups=3), taps.transpose(2, 3), groups=3)


def jpeg(picture: Tensor, quality: int) -> Tensor:
    """One (3, H, W) picture through JPEG."""
    from PIL import Image

    store = io.BytesIO()
    array = (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    Image.fromarray(array).save(store, "JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(store))).permute(2, 0, 1).float() / 255
