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

#: Motion bases of the mouth and of the eyes: one for each driving scalar, the rest through a small network.
MOUTH_BASES, EYE_BASES = 5, 2
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

    Features of the planes are concatenated. Around the mouth and around the eyes residual planes are added to the
    fine ones: a learnt basis, blended by the driving code. They have boxes of their own, because residuals on all
    of the planes let hair and forehead flicker with the lips. An ellipsoid gives the raw density to start from.

    Args:
        low, high: (3,) corners of the scene box.
        centre, radii: (3,) ellipsoid of the initial surface.
        places: (2, 2, 3) boxes (low, high) of mouth and eyes.
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
        places: Tensor,
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
        finer = max(8, resolution // 2)
        self.mouth = noise(3, MOUTH_BASES * channels, finer, finer, scale=0.01)
        self.eyes = noise(3, EYE_BASES * channels, finer, finer, scale=0.01)
        features = 6 * channels
        self.first = noise(features, hidden, scale=(2 / features) ** 0.5)
        self.bias_first = nn.Parameter(torch.zeros(hidden))
        self.second = noise(hidden, 13, scale=0.3 / hidden**0.5)
        self.bias_second = nn.Parameter(torch.zeros(13))
        self.mouth_first = noise(2, 32, scale=0.7)
        self.mouth_second = noise(32, MOUTH_BASES - 2, scale=0.25)
        self.eyes_first = noise(1, 16, scale=1.0)
        self.eyes_second = noise(16, EYE_BASES - 1, scale=0.35)
        buffers = {"low": low, "high": high, "centre": centre, "radii": radii, "places": places}
        for name, value in buffers.items():
            self.register_buffer(name, value)
        self.register_buffer("unit", torch.tensor(unit))
        self.register_buffer("cached", torch.zeros(GRID, GRID, GRID))
        self.register_buffer("occupied", torch.zeros(GRID, GRID, GRID, dtype=torch.uint8))
        self.low: Tensor
        self.high: Tensor
        self.centre: Tensor
        self.radii: Tensor
        self.places: Tensor
        self.unit: Tensor
        self.cached: Tensor
        self.occupied: Tensor

    def blends(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of the mouth bases (F, 5) and the eye bases (F, 2) for driving codes (F, 3)."""
        mouth, eyes = code[:, :2], code[:, 2:]
        more_mouth = torch.tanh(mouth @ self.mouth_first) @ self.mouth_second
        more_eyes = torch.tanh(eyes @ self.eyes_first) @ self.eyes_second
        return torch.cat([mouth, more_mouth], 1), torch.cat([eyes, more_eyes], 1)

    def forward(
        self, points: Tensor, view: Tensor, blends: tuple[Tensor, Tensor] | None, owner: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Density and colour.

        Args:
            points: (P, 3) head space.
            view: (F, 3) direction from which each frame sees the head.
            blends: of each frame, from :meth:`blends`; None for the static head.
            owner: (P,) the frame of each point; None where there is one frame.

        Returns:
            Density (P,) per head unit and RGB (P, 3) in [0, 1].
        """
        at = _on_planes(points, self.low, self.high)
        fine = _sample(self.fine, at)
        if blends is not None:
            for planes, blend, place in zip((self.mouth, self.eyes), blends, self.places, strict=True):
                fine = fine + self._residual(planes, blend, place, points, owner)
        features = torch.cat([_sample(self.coarse, at), fine]).flatten(0, 1).T
        hidden = torch.relu(torch.addmm(self.bias_first, features, self.first))
        out = torch.addmm(self.bias_second, hidden, self.second)
        radius = ((points - self.centre) / self.radii).square().sum(1).sqrt()
        raw = out[:, 0] + (12 * (1 - radius)).clamp(-5, 4)
        density = softplus(BOUND * torch.tanh(raw / BOUND)) * (DENSITY_SCALE / self.unit)
        towards = view if owner is None else view[owner]
        shade = (out[:, 4:].view(-1, 3, 3) * towards[:, :, None]).sum(1)
        return density, torch.sigmoid(out[:, 1:4] + shade)

    def _residual(self, planes: Tensor, blend: Tensor, place: Tensor, points: Tensor, owner: Tensor | None) -> Tensor:
        """Residual features (3, C, P): zero outside ``place``, faded in over its margin."""
        low, high = place
        apart = ((points - (low + high) / 2) / ((high - low) / 2)).abs().amax(1)
        inside = (apart < 1).nonzero()[:, 0]
        at = _on_planes(points[inside], low, high)
        bases = blend.shape[1]
        channels = planes.shape[1] // bases
        by_basis = planes.view(3, bases, channels, *planes.shape[2:])
        if owner is None:
            features = _sample(torch.einsum("b,kbcvu->kcvu", blend[0], by_basis), at)
        else:
            each = _sample(planes, at).view(3, bases, channels, -1)
            features = (each * blend[owner[inside]].T[None, :, None]).sum(1)
        faded = features * (4 * (1 - apart[inside])).clamp(max=1)
        return torch.zeros(3, channels, len(points)).index_copy(2, inside, faded)

    @torch.no_grad()
    def remember(self, codes: Tensor, generator: torch.Generator) -> None:
        """Refresh the cached density: the larger of a decayed memory and the density under a few codes."""
        axis = (torch.arange(GRID) + 0.5) / GRID
        cell = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).view(-1, 3)
        cell = cell + (torch.rand(cell.shape, generator=generator) - 0.5) / GRID
        points = self.low + (self.high - self.low) * cell
        mouth, eyes = self.blends(codes)
        view = torch.zeros(1, 3)
        density = [self(points, view, (mouth[k : k + 1], eyes[k : k + 1]))[0] for k in range(len(codes))]
        seen = torch.stack(density).amax(0).view(GRID, GRID, GRID)
        self.cached.copy_(torch.maximum(0.6 * self.cached, seen))
        dense = (self.cached * self.unit > EMPTY).float()
        self.occupied.copy_(max_pool3d(dense[None, None], 3, 1, 1)[0, 0])

    def strata(
        self, origin: NDArray[np.float32], direction: NDArray[np.float32], count: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Which rays (B, 3) meet the head, and the bounds (B, count + 1) of their strata, from the cached density."""
        edges = np.empty((len(direction), count + 1), np.float32)
        low, high, cached, occupied = (each.numpy() for each in (self.low, self.high, self.cached, self.occupied))
        return place_strata(origin, direction, low, high, cached, occupied, edges), edges


def _on_planes(points: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """(3, P, 2) coordinates in [-1, 1] of points (P, 3) on the planes xy, xz and zy of a box."""
    unit = (points - low) / (high - low) * 2 - 1
    return torch.stack([unit[:, [0, 1]], unit[:, [0, 2]], unit[:, [2, 1]]])


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
        self._field = TriplaneField(
            tensors["low"], tensors["high"], tensors["centre"], tensors["radii"], tensors["places"],
            1.0, resolution, channels, torch.Generator(), tensors["second"].shape[0],
        )  # fmt: skip
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
            blends = self._field.blends(codes[i : i + 1])
            origin, direction = camera_rays(
                pixels, drive.pose.rotation[i], drive.pose.translation[i], drive.pose.focal, size
            )
            premultiplied = np.zeros((size * size, 3), np.float32)
            for start in range(0, len(pixels), self.CHUNK):
                part = slice(start, start + self.CHUNK)
                hit, *rendered = self._march(origin, direction[part], blends, views[i : i + 1])
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
        self, origin: NDArray[np.float32], direction: NDArray[np.float32], blends: tuple[Tensor, Tensor], view: Tensor
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Which rays meet the head; for those colour, opacity and depth."""
        field = self._field
        hit, edges = field.strata(np.broadcast_to(origin, direction.shape).copy(), direction, self.SAMPLES)
        edges, ray = edges[hit], direction[hit]
        depth = (edges[:, 1:] + edges[:, :-1]) / 2
        width = (edges[:, 1:] - edges[:, :-1]) * np.linalg.norm(ray, axis=1, keepdims=True)
        points = torch.from_numpy(origin + ray[:, None] * depth[..., None])
        density, colour = field(points.view(-1, 3), view, blends)
        shape = depth.shape
        parts = integrate(density.view(shape), colour.view(*shape, 3), torch.from_numpy(depth), torch.from_numpy(width))
        return hit, parts[0].numpy(), parts[1].numpy(), parts[2].numpy()
