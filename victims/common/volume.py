"""Volume rendering: camera rays, a cached density that says where samples are worth their cost, and the integral."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool3d

if TYPE_CHECKING:
    from collections.abc import Callable

#: Raw density stays within +-BOUND: an unbounded one dies to empty space under a broken mask and never returns.
BOUND = 9.0
#: Density per raw unit and head unit.
DENSITY_SCALE = 12.0
#: Edge of the cached density grid.
GRID = 40
#: A cell below this density (per unit of this head) counts as empty.
EMPTY = 0.1
#: Steps of the walk through the cached density.
WALK = 64
#: Steps that are still taken behind an opaque surface, which may have moved since it was cached.
MARGIN = 3
#: Transmittance below which a surface counts as opaque.
OPAQUE = 0.01
#: Share of the samples that is spread evenly over occupied cells, so that surfaces may move.
EVEN = 0.25
#: No ray starts nearer to the camera than this, head units.
NEAR = 0.05


def camera_rays(
    pixels: Tensor, rotation: Tensor, translation: Tensor, focal: float, size: int
) -> tuple[Tensor, Tensor]:
    """Rays in head space through the centres of pixels.

    Args:
        pixels: (F, B, 2) as (column, row).
        rotation: (F, 3, 3) head to camera.
        translation: (F, 3).
        focal: pixels.
        size: edge of the frame, pixels.

    Returns:
        Origins (F, 3) and directions (F, B, 3), scaled so that the ray parameter is camera depth.
    """
    slope = (pixels + 0.5 - size / 2) / focal
    ray = torch.cat([slope, torch.ones_like(slope[..., :1])], -1)
    return -torch.einsum("fi,fij->fj", translation, rotation), torch.einsum("fbi,fij->fbj", ray, rotation)


def view_direction(rotation: Tensor, translation: Tensor) -> Tensor:
    """(F, 3) unit directions to the camera in head space, of rotations (F, 3, 3) and translations (F, 3)."""
    return nn.functional.normalize(-torch.einsum("fij,fi->fj", rotation, translation), dim=1)


def bounded_density(raw: Tensor, unit: Tensor) -> Tensor:
    """Density (P,) per head unit of raw values (P,) for a head of size ``unit``."""
    return nn.functional.softplus(BOUND * torch.tanh(raw / BOUND)) * (DENSITY_SCALE / unit)


def ellipsoid_prior(points: Tensor, centre: Tensor, radii: Tensor) -> Tensor:
    """(P,) raw density at points (P, 3) of a solid ellipsoid, for a field to start from."""
    radius = ((points - centre) / radii).square().sum(1).sqrt()
    return (12 * (1 - radius)).clamp(-5, 4)


class Occupancy(nn.Module):
    """The box of the scene with a coarse grid of the density that the field last had there.

    Args:
        low: (3,) corner of the box, head space.
        high: (3,) opposite corner.
        unit: size of this head against the standard one.
    """

    def __init__(self, low: Tensor, high: Tensor, unit: float) -> None:
        super().__init__()
        self.register_buffer("low", low)
        self.register_buffer("high", high)
        self.register_buffer("unit", torch.tensor(unit))
        self.register_buffer("cached", torch.zeros(GRID, GRID, GRID))
        self.register_buffer("occupied", torch.zeros(GRID, GRID, GRID, dtype=torch.uint8))
        self.low: Tensor
        self.high: Tensor
        self.unit: Tensor
        self.cached: Tensor
        self.occupied: Tensor

    @classmethod
    def blank(cls) -> Occupancy:
        """One to load a state into; every tensor has memory of its own."""
        return cls(torch.zeros(3), torch.zeros(3), 1.0)

    @torch.no_grad()
    def refresh(self, density: Callable[[Tensor], Tensor], generator: torch.Generator) -> None:
        """Take the larger of a decayed memory and ``density`` (P, 3) -> (P,), probed once in every cell."""
        axis = (torch.arange(GRID) + 0.5) / GRID
        cell = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), -1).view(-1, 3)
        # Jitter is drawn on the CPU, so that a seed means the same on every device.
        cell = (cell + (torch.rand(cell.shape, generator=generator) - 0.5) / GRID).to(self.low.device)
        seen = density(self.low + (self.high - self.low) * cell).view(GRID, GRID, GRID)
        self.cached.copy_(torch.maximum(0.6 * self.cached, seen))
        dense = (self.cached * self.unit > EMPTY).float()
        self.occupied.copy_(max_pool3d(dense[None, None], 3, 1, 1)[0, 0])

    @torch.no_grad()
    def strata(self, origin: Tensor, direction: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Divide rays into strata of equal expected weight (importance sampling as in NeRF, section 5.2).

        The expectation comes from the cached density instead of a coarse pass of the network.

        Args:
            origin: (B, 3).
            direction: (B, 3).
            count: strata of a ray.

        Returns:
            Which rays (B,) meet anything, and the bounds (B, count + 1) of the strata in ray parameters; those of
            rays that meet nothing are zero.
        """
        slope = torch.where(direction.abs() < 1e-9, 1e-9, direction)
        first, second = (self.low - origin) / slope, (self.high - origin) / slope
        near = torch.minimum(first, second).amax(1).clamp(min=NEAR)
        far = torch.maximum(first, second).amin(1)
        edges = torch.zeros(len(direction), count + 1, device=direction.device)
        hit = far > near
        ray = hit.nonzero()[:, 0]
        origin, direction, near = origin[ray], direction[ray], near[ray]
        step = (far[ray] - near) / WALK
        depth = near[:, None] + step[:, None] * (torch.arange(WALK, device=edges.device) + 0.5)
        # Positions along the ray in cells: affine in depth, so one multiply and add each.
        scale = GRID / (self.high - self.low)
        start, slant = (origin - self.low) * scale, direction * scale
        x, y, z = ((start[:, k, None] + slant[:, k, None] * depth).long().clamp_(0, GRID - 1) for k in range(3))
        cell = (x * GRID + y) * GRID + z
        occupied = self.occupied.view(-1)[cell].bool()
        optical = self.cached.view(-1)[cell] * occupied * (step * direction.norm(dim=1))[:, None]
        after = torch.exp(-optical.cumsum(1))
        opaque = (after < OPAQUE) & occupied
        occupied &= opaque.cumsum(1) - opaque.long() < MARGIN
        weight = torch.exp(optical.cumsum(1).neg() + optical) * -torch.expm1(-optical) * occupied
        cells = occupied.sum(1, keepdim=True)
        share = (1 - EVEN) * weight / weight.sum(1, keepdim=True).clamp(min=1e-6) + EVEN * occupied / cells.clamp(min=1)
        met = cells[:, 0] > 0
        hit[ray[~met]] = False
        ray, near, step = ray[met], near[met, None], step[met, None]
        reached = nn.functional.pad(share[met].cumsum(1), (1, 0))
        wanted = reached[:, -1:] * torch.linspace(0, 1, count + 1, device=edges.device)
        # Bounds lie inside occupied cells: skip the empty ones before the first and behind the last.
        after_cell = torch.searchsorted(reached, wanted.clamp(min=1e-9).contiguous()).clamp_(1, WALK)
        before, beyond = reached.gather(1, after_cell - 1), reached.gather(1, after_cell)
        part = ((wanted - before) / (beyond - before).clamp(min=1e-9)).clamp(0, 1)
        edges[ray] = near + (after_cell - 1 + part) * step
        return hit, edges


def integrate(density: Tensor, colour: Tensor, depth: Tensor, width: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The rendering integral by quadrature (NeRF, equation 3).

    Args:
        density: (B, N) per unit of length.
        colour: (B, N, 3).
        depth: (B, N) camera depth of the samples, ascending.
        width: (B, N) length of each stratum.

    Returns:
        Colour premultiplied by opacity (B, 3), opacity (B,), depth weighted by opacity (B,).
    """
    optical = density * width
    before = torch.cumsum(optical, 1) - optical
    weight = torch.exp(-before) * -torch.expm1(-optical)
    return (weight[..., None] * colour).sum(1), weight.sum(1), (weight * depth).sum(1)
