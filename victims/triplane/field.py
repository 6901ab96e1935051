"""The field: feature planes, residual motion planes, and the decoder of features to density and colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample, max_pool3d, softplus

from vdf_bench.interfaces import Rendering
from vdf_bench.victims.common.code import Code
from vdf_bench.victims.triplane.volume import camera_rays, integrate, place_strata

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from vdf_bench.interfaces import Drive

CODE_SIZE = 3
#: Motion planes: three answer the code linearly, three through a small network.
BASES = 6
#: Raw density stays within +-BOUND: an unbounded one dies to empty space under a broken mask and never returns.
BOUND = 9.0
#: Density per raw unit and head unit.
DENSITY_SCALE = 12.0
#: Edge of the cached density grid.
GRID = 40
#: A cell below this density (per unit of this head) counts as empty.
EMPTY = 0.1
#: Coarse planes have this share of the fine resolution.
COARSE = 4


class TriplaneField(nn.Module):
    """Three axis-aligned planes at two resolutions, decoded by a small MLP.

    Features of the planes are concatenated. Fine planes move with the driving code through residual planes, a
    learnt basis blended by the code. An ellipsoid gives the raw density to start from.

    Args:
        low, high: (3,) corners of the scene box.
        centre, radii: (3,) ellipsoid of the initial surface.
        unit: size of this head.
        resolution: edge of the fine planes.
        channels: features per plane and level.
        generator: of the initial weights.
        hidden: width of the decoder.
    """

    def __init__(
        self,
        low: Tensor,
        high: Tensor,
        centre: Tensor,
        radii: Tensor,
        unit: float,
        resolution: int,
        channels: int,
        generator: torch.Generator,
        hidden: int = 48,
    ) -> None:
        super().__init__()
        coarse = max(4, resolution // COARSE)

        def noise(*shape: int, scale: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(shape, generator=generator) * scale)

        self.coarse = noise(3, channels, coarse, coarse, scale=0.1)
        self.fine = noise(3, channels, resolution, resolution, scale=0.05)
        self.motion = noise(BASES, 3, channels, resolution, resolution, scale=0.002)
        features = 6 * channels
        self.first = noise(features, hidden, scale=(2 / features) ** 0.5)
        self.bias_first = nn.Parameter(torch.zeros(hidden))
        self.second = noise(hidden, 13, scale=0.3 / hidden**0.5)
        self.bias_second = nn.Parameter(torch.zeros(13))
        self.blend_first = noise(CODE_SIZE, 32, scale=0.6)
        self.blend_second = noise(32, BASES - CODE_SIZE, scale=0.25)
        for name, value in {"low": low, "high": high, "centre": centre, "radii": radii}.items():
            self.register_buffer(name, value)
        self.register_buffer("unit", torch.tensor(unit))
        self.register_buffer("cached", torch.zeros(GRID, GRID, GRID))
        self.register_buffer("occupied", torch.zeros(GRID, GRID, GRID, dtype=torch.uint8))
        self.low: Tensor
        self.high: Tensor
        self.centre: Tensor
        self.radii: Tensor
        self.unit: Tensor
        self.cached: Tensor
        self.occupied: Tensor

    def residual(self, code: Tensor) -> Tensor:
        """Residual planes (F, 3, C, R, R) of driving codes (F, 3)."""
        blend = torch.cat([code, torch.tanh(code @ self.blend_first) @ self.blend_second], 1)
        return (blend @ self.motion.flatten(1)).view(-1, *self.motion.shape[1:])

    def forward(self, points: Tensor, residual: Tensor | None, view: Tensor) -> tuple[Tensor, Tensor]:
        """Density and colour.

        Args:
            points: (F, P, 3) head space, P points for each of F frames.
            residual: (F, 3, C, R, R) of each frame; None for the static head.
            view: (F, 3) direction from which each frame sees the head.

        Returns:
            Density (F, P) per head unit and RGB (F, P, 3) in [0, 1].
        """
        frames, count = points.shape[:2]
        inside = (points - self.low) / (self.high - self.low) * 2 - 1
        at = torch.stack([inside[..., [0, 1]], inside[..., [0, 2]], inside[..., [2, 1]]], 1)
        coarse = _sample(self.coarse, at.transpose(0, 1).reshape(3, -1, 2))
        if residual is None:
            fine = _sample(self.fine, at.transpose(0, 1).reshape(3, -1, 2))
            features = torch.cat([coarse, fine], 1).reshape(-1, frames * count)
        else:
            planes = (self.fine + residual).flatten(0, 1)
            fine = _sample(planes, at.reshape(3 * frames, count, 2))
            fine = fine.view(frames, -1, count).transpose(0, 1).reshape(-1, frames * count)
            features = torch.cat([coarse.reshape(-1, frames * count), fine])
        hidden = torch.relu(torch.addmm(self.bias_first, features.T, self.first))
        out = torch.addmm(self.bias_second, hidden, self.second).view(frames, count, 13)
        radius = ((points - self.centre) / self.radii).square().sum(2).sqrt()
        raw = out[..., 0] + (12 * (1 - radius)).clamp(-5, 4)
        density = softplus(BOUND * torch.tanh(raw / BOUND)) * (DENSITY_SCALE / self.unit)
        shade = (out[..., 4:].view(frames, count, 3, 3) * view[:, None, :, None]).sum(2)
        return density, torch.sigmoid(out[..., 1:4] + shade)

    @torch.no_grad()
    def remember(self, codes: Tensor, generator: torch.Generator) -> None:
        """Refresh the cached density: the larger of a decayed memory and the density under a few codes."""
        axis = (torch.arange(GRID) + 0.5) / GRID
        cell = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).view(1, -1, 3)
        cell = cell + (torch.rand(cell.shape, generator=generator) - 0.5) / GRID
        points = self.low + (self.high - self.low) * cell
        residual = self.residual(codes)
        density = [self(points, residual[k : k + 1], torch.zeros(1, 3))[0] for k in range(len(codes))]
        seen = torch.stack(density).amax(0).view(GRID, GRID, GRID)
        self.cached.copy_(torch.maximum(0.6 * self.cached, seen))
        dense = (self.cached * self.unit > EMPTY).float()
        self.occupied.copy_(max_pool3d(dense[None, None], 3, 1, 1)[0, 0])

    def walkable(self) -> tuple[NDArray[np.float32], ...]:
        """Box and cached grids, as :func:`place_strata` wants them."""
        return self.low.numpy(), self.high.numpy(), self.cached.numpy(), self.occupied.numpy()


def _sample(planes: Tensor, at: Tensor) -> Tensor:
    """Bilinear features (K, C, P) of planes (K, C, R, R) at (K, P, 2) in [-1, 1]."""
    return grid_sample(planes, at[:, None], mode="bilinear", padding_mode="border", align_corners=False)[:, :, 0]


def view_direction(rotation: NDArray[np.float32], translation: NDArray[np.float32]) -> Tensor:
    """(F, 3) unit directions to the camera in head space, of rotations (F, 3, 3) and translations (F, 3)."""
    direction = -np.einsum("fij,fi->fj", rotation, translation)
    return torch.from_numpy((direction / np.linalg.norm(direction, axis=1, keepdims=True)).astype(np.float32))


class TriplaneHead:
    """A trained tri-plane head (:class:`vdf_bench.interfaces.Head`).

    Args:
        state: as :meth:`state` gives it.
    """

    #: Rays rendered at once, and samples on each.
    CHUNK, SAMPLES = 8192, 16

    def __init__(self, state: dict[str, NDArray[np.generic]]) -> None:
        self._state = state
        self._code = Code.restore(state)
        tensors = {key: torch.from_numpy(np.array(value)) for key, value in state.items() if key != "code"}
        channels, resolution = tensors["fine"].shape[1:3]
        corners = (tensors["low"], tensors["high"], tensors["centre"], tensors["radii"])
        self._field = TriplaneField(*corners, 1.0, resolution, channels, torch.Generator(), tensors["second"].shape[0])
        self._field.load_state_dict(tensors)

    @classmethod
    def of(cls, field: TriplaneField, code: Code) -> TriplaneHead:
        """The head of a trained field."""
        arrays = {key: value.detach().numpy().copy() for key, value in field.state_dict().items()}
        return cls({**arrays, **code.state()})

    def state(self) -> dict[str, NDArray[np.generic]]:
        return self._state

    @torch.no_grad()
    def render(self, drive: Drive) -> Rendering:
        count, size = drive.backdrop.shape[:2]
        codes = torch.from_numpy(self._code(drive.mouth, drive.eyes))
        views = view_direction(drive.pose.rotation, drive.pose.translation)
        rgb = np.empty((count, size, size, 3), np.uint8)
        depth = np.zeros((count, size, size), np.float32)
        alpha = np.zeros((count, size, size), np.float32)
        pixels = np.stack(np.meshgrid(np.arange(size), np.arange(size)), -1).reshape(-1, 2)
        for i in range(count):
            residual = self._field.residual(codes[i : i + 1])
            origin, direction = camera_rays(
                pixels, drive.pose.rotation[i], drive.pose.translation[i], drive.pose.focal, size
            )
            premultiplied = np.zeros((size * size, 3), np.float32)
            for start in range(0, len(pixels), self.CHUNK):
                part = slice(start, start + self.CHUNK)
                hit, *rendered = self._march(origin, direction[part], residual, views[i : i + 1])
                where = start + np.nonzero(hit)[0]
                premultiplied[where] = rendered[0]
                alpha[i].reshape(-1)[where] = rendered[1]
                depth[i].reshape(-1)[where] = rendered[2]
            seen = alpha[i] > 0.5
            depth[i] = np.where(seen, depth[i] / np.where(seen, alpha[i], 1), 0)
            mixed = premultiplied.reshape(size, size, 3) * 255 + (1 - alpha[i])[..., None] * drive.backdrop[i]
            rgb[i] = mixed.round().clip(0, 255)
        return Rendering(rgb, depth, alpha)

    def _march(
        self, origin: NDArray[np.float32], direction: NDArray[np.float32], residual: Tensor, view: Tensor
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Which rays meet the head; for those colour, opacity and depth."""
        field = self._field
        edges = np.empty((len(direction), self.SAMPLES + 1), np.float32)
        origins = np.broadcast_to(origin, direction.shape).copy()
        hit = place_strata(origins, direction, *field.walkable(), edges)
        edges, ray = edges[hit], direction[hit]
        depth = (edges[:, 1:] + edges[:, :-1]) / 2
        width = (edges[:, 1:] - edges[:, :-1]) * np.linalg.norm(ray, axis=1, keepdims=True)
        points = torch.from_numpy(origin + ray[:, None] * depth[..., None])
        density, colour = field(points.view(1, -1, 3), residual, view)
        shape = depth.shape
        parts = integrate(density.view(shape), colour.view(*shape, 3), torch.from_numpy(depth), torch.from_numpy(width))
        return hit, parts[0].numpy(), parts[1].numpy(), parts[2].numpy()
