"""Identity embedder ``id-synth``: aligned 64 px faces to unit vectors whose cosine tells people apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vdf_bench.assets.shipped import card, load_shipped
from vdf_bench.models.layers import BasicBlock, ConvBNReLU, fold_batch_norm

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Edge of an aligned face, pixels.
EDGE = 64
#: Length of an embedding.
WIDTH = 128
#: Where eyes, nose tip and mouth corners go: ArcFace's 112 px template (Deng et al. 2019).
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]], np.float64
) * (EDGE / 112)  # fmt: skip


def five_points(points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Eye centres, nose tip and mouth corners of 68 points: (T, 68, 2) to (T, 5, 2)."""
    left, right = points[:, 36:42].mean(1), points[:, 42:48].mean(1)
    return np.stack([left, right, points[:, 30], points[:, 48], points[:, 54]], 1).astype(np.float64)


def similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares similarity transforms (Umeyama 1991).

    Args:
        source: (T, N, 2) points.
        target: (N, 2) or (T, N, 2) points.

    Returns:
        (T, 2, 3): ``target ~ A @ source + b`` with A a scaled rotation, ``[A | b]``.
    """
    target = np.broadcast_to(target, source.shape)
    from_mean, to_mean = source.mean(1, keepdims=True), target.mean(1, keepdims=True)
    p, q = source - from_mean, target - to_mean
    u, s, vt = np.linalg.svd(np.einsum("tni,tnj->tij", q, p) / source.shape[1])
    sign = np.ones_like(s)
    sign[:, 1] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * sign[:, None]) @ vt
    spread = (p**2).sum(2).mean(1)
    linear = rotation * ((s * sign).sum(1) / np.maximum(spread, 1e-9))[:, None, None]
    return np.concatenate([linear, to_mean.transpose(0, 2, 1) - linear @ from_mean.transpose(0, 2, 1)], 2)


def align(images: Tensor, points: NDArray[np.floating[Any]]) -> Tensor:
    """Cut faces out upright: (N, 3, H, W) pictures and (N, 68, 2) landmarks to (N, 3, 64, 64)."""
    forward = similarity(five_points(points), TEMPLATE)
    inverse = np.linalg.inv(np.concatenate([forward, np.broadcast_to([[[0.0, 0.0, 1.0]]], (len(forward), 1, 3))], 1))
    shrink = float(np.median(np.sqrt(np.abs(np.linalg.det(inverse[:, :2, :2])))))
    if shrink >= 2:
        # Bilinear taps alone would skip pixels.
        step = int(shrink)
        images = F.avg_pool2d(images, step, ceil_mode=True, count_include_pad=False)
        inverse[:, :2] /= step
    height, width = images.shape[2:]
    axis = np.arange(EDGE) + 0.5
    x, y = np.meshgrid(axis, axis)
    pixels = np.einsum("tij,nj->tni", inverse[:, :2], np.stack([x.ravel(), y.ravel(), np.ones(EDGE * EDGE)], 1))
    grid = torch.from_numpy((pixels * 2 / [width, height] - 1).astype(np.float32)).to(images.device)
    return F.grid_sample(images, grid.view(-1, EDGE, EDGE, 2), "bilinear", "border", False)


class Embedder(nn.Module):
    """Small residual network.

    Attributes:
        tau: cosine above which two faces pass for one person, at a false accept rate of 1e-3 on unseen identities.
    """

    def __init__(self, widths: tuple[int, ...] = (24, 48, 96, 128), tau: float = 0.5) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.tau = tau
        self.features = nn.Sequential(
            ConvBNReLU(3, first, 3, 2),
            BasicBlock(first, second, 2),
            BasicBlock(second, second),
            BasicBlock(second, third, 2),
            BasicBlock(third, third),
            BasicBlock(third, fourth, 2),
        )
        self.project = nn.Linear(fourth * (EDGE // 16) ** 2, WIDTH)

    def forward(self, crops: Tensor) -> Tensor:
        """Unit embeddings (N, 128) of aligned faces (N, 3, 64, 64) in [0, 1]."""
        return F.normalize(self.project(self.features((crops - 0.5) * 4).flatten(1)))

    @torch.no_grad()
    def embed(
        self, frames: NDArray[np.uint8], points: NDArray[np.floating[Any]], batch: int = 64
    ) -> NDArray[np.float32]:
        """Embed the face of every frame.

        Args:
            frames: (T, H, W, 3) uint8 RGB.
            points: (T, 68, 2) landmarks, pixels.
            batch: frames per forward pass.

        Returns:
            (T, 128) float32, unit norm.
        """
        out = np.empty((len(frames), WIDTH), np.float32)
        for start in range(0, len(frames), batch):
            x = torch.from_numpy(np.ascontiguousarray(frames[start : start + batch])).permute(0, 3, 1, 2).float() / 255
            out[start : start + batch] = self(align(x, points[start : start + batch])).numpy()
        return out


def load_embedder() -> Embedder:
    """The shipped embedder, frozen, with the threshold of its card.

    Raises:
        UserError: its weights are absent or damaged.
    """
    embedder = Embedder(tau=float(card("id-synth")["tau"]))
    embedder.load_state_dict(load_shipped("id-synth"))
    embedder.eval().requires_grad_(False)
    fold_batch_norm(embedder)
    return embedder
