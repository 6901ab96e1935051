"""68-point face landmarks (iBUG order): find the face in the frame, then look at its crop until that stands still.

A face under a fringe or a helmet is first found too high or too large; the refining network, shown its own result's
crop again, walks it into place. The last word is the mean over slightly turned, shifted and scaled crops, which
halves the jitter that pose fitting would take for motion.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vdf_bench.assets.shipped import load_shipped
from vdf_bench.models.layers import BasicBlock, ConvBNReLU, fold_batch_norm

if TYPE_CHECKING:
    from numpy.typing import NDArray

POINTS = 68
#: Edge of both networks' input, pixels.
INPUT = 96
#: Side of the second pass's crop over the larger side of the landmarks' box.
CROP = 1.45
#: The refining pass is repeated, at most so often, where the crop still moved by this share of its half side.
PASSES, SETTLED = 12, 0.02
#: Views that are averaged in the end: scale of the crop, turn (radians), shift right and down (half sides).
VIEWS = ((0.92, 0.08, 0.03, 0.03), (0.92, -0.08, -0.03, -0.03), (1.08, 0.08, -0.03, 0.03), (1.08, -0.08, 0.03, -0.03))


class PointNet(nn.Module):
    """Heatmap network: (N, 3, 96, 96) in [0, 1] to points (N, 68, 2) in [-1, 1] and a face logit (N,).

    Points are expectations over a softmax map each (integral regression, Sun et al. 2018), so they are sub-cell.
    """

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 128)) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.stem = ConvBNReLU(3, first, 3, 2)
        self.fine = nn.Sequential(BasicBlock(first, second, 2), BasicBlock(second, second))
        self.middle = nn.Sequential(BasicBlock(second, third, 2), BasicBlock(third, third))
        self.coarse = nn.Sequential(BasicBlock(third, fourth, 2), BasicBlock(fourth, fourth))
        self.global_context = ConvBNReLU(fourth, fourth, 1)
        self.reduce_coarse = ConvBNReLU(fourth, third, 1)
        self.merge_middle = ConvBNReLU(2 * third, third)
        self.merge_fine = ConvBNReLU(third + second, third)
        self.maps = nn.Conv2d(third, POINTS, 1)
        self.face = nn.Linear(fourth, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.fine(self.stem((x - 0.5) * 4))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        context = self.global_context(coarse.mean((2, 3), keepdim=True))
        logit = self.face(context[..., 0, 0])[:, 0]
        up = F.interpolate(self.reduce_coarse(coarse + context), scale_factor=2.0, mode="nearest")
        up = self.merge_middle(torch.cat([middle, up], 1))
        up = F.interpolate(up, scale_factor=2.0, mode="nearest")
        maps = self.maps(self.merge_fine(torch.cat([fine, up], 1)))
        return expectation(maps), logit.float()


def expectation(maps: Tensor) -> Tensor:
    """Mean position of each map's softmax: (N, K, h, w) to (N, K, 2), x then y, in [-1, 1]."""
    count, points, height, width = maps.shape
    weight = maps.float().flatten(2).softmax(2).view(count, points, height, width)
    x = (torch.arange(width, device=maps.device) + 0.5) * 2 / width - 1
    y = (torch.arange(height, device=maps.device) + 0.5) * 2 / height - 1
    return torch.stack([(weight.sum(2) * x).sum(2), (weight.sum(3) * y).sum(2)], 2)


def crop_frame(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Upright square around a face.

    Args:
        points: (N, 68, 2), any unit.

    Returns:
        Centre (N, 2), half side (N,) and in-plane angle (N,), radians, in the unit of ``points``.
    """
    eyes = points[:, 42:48].mean(1) - points[:, 36:42].mean(1)
    angle = torch.atan2(eyes[:, 1], eyes[:, 0])
    turned = rotate(points, -angle)
    low, high = turned.amin(1), turned.amax(1)
    centre = rotate((low + high)[:, None] / 2, angle)[:, 0]
    return centre, (high - low).amax(1) * CROP / 2, angle


def rotate(points: Tensor, angle: Tensor) -> Tensor:
    """Turn (N, K, 2) points about the origin by (N,) radians."""
    cosine, sine = torch.cos(angle)[:, None], torch.sin(angle)[:, None]
    x, y = points[..., 0], points[..., 1]
    return torch.stack([cosine * x - sine * y, sine * x + cosine * y], 2)


def sample_crop(images: Tensor, centre: Tensor, half: Tensor, angle: Tensor) -> Tensor:
    """Cut turned squares, given in pixels of ``images`` (N, 3, H, W), to (N, 3, 96, 96)."""
    shrink = float(half.median()) * 2 / INPUT
    if shrink >= 2:
        # Bilinear taps alone would skip pixels.
        step = int(shrink)
        images = F.avg_pool2d(images, step, ceil_mode=True, count_include_pad=False)
        centre, half = centre / step, half / step
    axis = (torch.arange(INPUT, device=images.device) + 0.5) * 2 / INPUT - 1
    unit = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).view(1, -1, 2)
    pixels = rotate(unit * half[:, None, None], angle) + centre[:, None]
    grid = pixels * 2 / torch.tensor([images.shape[3], images.shape[2]], device=images.device) - 1
    return F.grid_sample(images, grid.view(-1, INPUT, INPUT, 2), "bilinear", "border", False)


class Landmarker(nn.Module):
    """Coarse and refining network."""

    def __init__(self) -> None:
        super().__init__()
        self.coarse = PointNet()
        self.refine = PointNet()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Points (N, 68, 2) in pixels and score (N,) in [0, 1] of RGB pictures (N, 3, H, W) in [0, 1]."""
        height, width = images.shape[2:]
        small = F.interpolate(images, (INPUT, INPUT), mode="bilinear", align_corners=False, antialias=True)
        unit, seen = self.coarse(small)
        points = (unit + 1) / 2 * torch.tensor([width, height], device=images.device)
        moving = torch.arange(len(images), device=images.device)
        for _ in range(PASSES):
            before = points[moving]
            points = points.index_put((moving,), self._look(images[moving], before)[0])
            moving = moving[_moved(before, points[moving]) > SETTLED]
            if not len(moving):
                break
        looks = [self._look(images, points, *view) for view in VIEWS]
        points, sure = (torch.stack(part).mean(0) for part in zip(*looks, strict=True))
        return points, torch.sqrt(torch.sigmoid(seen) * torch.sigmoid(sure))

    def _look(
        self,
        images: Tensor,
        points: Tensor,
        scale: float = 1.0,
        turn: float = 0.0,
        right: float = 0.0,
        down: float = 0.0,
    ) -> tuple[Tensor, Tensor]:
        """Points (N, 68, 2) in pixels and logits (N,) of the refining network on the crops around ``points``."""
        centre, half, angle = crop_frame(points)
        half, angle = half.clamp(min=4.0) * scale, angle + turn
        centre = centre + torch.tensor([right, down], device=points.device) * half[:, None]
        unit, sure = self.refine(sample_crop(images, centre, half, angle))
        return rotate(unit * half[:, None, None], angle) + centre[:, None], sure

    @torch.no_grad()
    def detect(self, frames: NDArray[np.uint8], batch: int = 32) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Find the face in every frame.

        Args:
            frames: (T, H, W, 3) uint8 RGB.
            batch: frames per forward pass.

        Returns:
            Points (T, 68, 2) float32 pixels (x, y), pixel centres at half integers; score (T,) float32 in [0, 1]:
            below 0.5 there is probably no face and the points mean nothing.
        """
        points = np.empty((len(frames), POINTS, 2), np.float32)
        score = np.empty(len(frames), np.float32)
        for start in range(0, len(frames), batch):
            x = torch.from_numpy(np.ascontiguousarray(frames[start : start + batch])).permute(0, 3, 1, 2).float() / 255
            found, sure = self(x)
            points[start : start + batch], score[start : start + batch] = found.numpy(), sure.numpy()
        return points, score


def _moved(before: Tensor, after: Tensor) -> Tensor:
    """(N,) how far the crop around (N, 68, 2) points moved or grew, over its half side."""
    (old, size, _), (new, grown, _) = crop_frame(before), crop_frame(after)
    return torch.maximum((new - old).norm(dim=1), (grown - size).abs()) / size.clamp(min=4.0)


def load_landmarker() -> Landmarker:
    """The shipped landmarker, frozen.

    Raises:
        UserError: its weights are absent or damaged.
    """
    landmarker = Landmarker()
    landmarker.load_state_dict(load_shipped("landmarker"))
    landmarker.eval().requires_grad_(False)
    fold_batch_norm(landmarker)
    return landmarker


def wing(error: Tensor, width: float = 0.1, curvature: float = 0.02) -> Tensor:
    """Wing loss (Feng et al. 2018): logarithmic near zero, so that small errors keep their pull."""
    size = error.abs()
    offset = width - width * math.log(1 + width / curvature)
    return torch.where(size < width, width * torch.log(1 + size / curvature), size - offset)
