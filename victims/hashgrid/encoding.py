"""Where a point is and whence it is seen: feature planes, hashed when large, and spherical harmonics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, grid_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Entries of a hash table, as log2 (ER-NeRF's): a level whose vertices fit, up to resolution 127, stays dense.
LOG2_TABLE: Final = 14
#: Multiplier of the second coordinate in the hash (instant-NGP, equation 4; the first is not multiplied).
PRIME: Final = 2_654_435_761
#: Spherical harmonics that colour reads: degrees 0 and 1. All 16 of the papers pale on views that a short clip lacks.
HARMONICS: Final = 4


class PlaneEncoding(nn.Module):
    """Three axis-aligned planes at several resolutions (ER-NeRF's tri-hash, section 3.2).

    A level of resolution R has (R + 1)^2 vertices on each plane and bilinear features between them. Where they
    outnumber the table, vertices share its entries by instant-NGP's hash.

    Args:
        resolutions: of the levels.
        channels: features per plane and level.
        generator: of the initial features.
        log2_table: entries of a hash table.
    """

    def __init__(
        self, resolutions: Sequence[int], channels: int, generator: torch.Generator, log2_table: int = LOG2_TABLE
    ) -> None:
        super().__init__()

        def level(resolution: int) -> nn.Parameter:
            vertices, entries = resolution + 1, 2**log2_table
            hashed = vertices**2 > entries
            shape = (3, entries, channels) if hashed else (3, channels, vertices, vertices)
            return nn.Parameter(torch.randn(shape, generator=generator) * 0.05)

        self.levels = nn.ParameterList(level(each) for each in resolutions)
        self._resolutions = tuple(resolutions)
        # For whoever restores a field from its state; read nowhere else, for that would wait for the GPU.
        self.register_buffer("resolutions", torch.tensor(resolutions))

    @staticmethod
    def width(levels: int, channels: int) -> int:
        """Features of a point."""
        return 3 * levels * channels

    def forward(self, at: Tensor) -> Tensor:
        """Features (3 * L * C, P) at (3, P, 2) in [-1, 1]."""
        parts = [
            dense_level(level, at) if level.dim() == 4 else hashed_level(level, at, resolution)
            for level, resolution in zip(self.levels, self._resolutions, strict=True)
        ]
        return torch.cat(parts, 1).flatten(0, 1)


def dense_level(planes: Tensor, at: Tensor) -> Tensor:
    """Bilinear features (3, C, P) of planes (3, C, R + 1, R + 1) at (3, P, 2) in [-1, 1] as (column, row)."""
    return grid_sample(planes, at[:, None], mode="bilinear", padding_mode="border", align_corners=True)[:, :, 0]


def hashed_level(tables: Tensor, at: Tensor, resolution: int) -> Tensor:
    """Bilinear features (3, C, P) of hash tables (3, E, C), E a power of two, at (3, P, 2) in [-1, 1]."""
    planes, entries, channels = tables.shape
    place = ((at + 1) * (resolution / 2)).clamp(0, resolution)
    corner = place.floor().clamp(max=resolution - 1)
    across, down = (place - corner).unbind(-1)
    column, row = corner.long().unbind(-1)
    shares = torch.stack([(1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down], -1)
    slots = torch.stack([hash_vertex(column + i, row + j, entries) for j in (0, 1) for i in (0, 1)], -1)
    slots = slots + entries * torch.arange(planes, device=slots.device)[:, None, None]
    found = embedding_bag(
        slots.view(-1, 4), tables.reshape(-1, channels), per_sample_weights=shares.view(-1, 4), mode="sum"
    )
    return found.view(planes, -1, channels).transpose(1, 2)


def hash_vertex(column: Tensor, row: Tensor, entries: int) -> Tensor:
    """Slots in a table of ``entries`` (a power of two) of vertices (instant-NGP, equation 4)."""
    return (column ^ (row * PRIME)) & (entries - 1)


def harmonics(direction: Tensor) -> Tensor:
    """(F, 16) real spherical harmonics of degrees 0 to 3 of unit directions (F, 3), orthonormal on the sphere."""
    x, y, z = direction.unbind(1)
    xx, yy, zz = x * x, y * y, z * z
    values = [
        0.28209479 * torch.ones_like(x),
        0.48860251 * y,
        0.48860251 * z,
        0.48860251 * x,
        1.09254843 * x * y,
        1.09254843 * y * z,
        0.31539157 * (3 * zz - 1),
        1.09254843 * x * z,
        0.54627422 * (xx - yy),
        0.59004359 * y * (3 * xx - yy),
        2.89061144 * x * y * z,
        0.45704580 * y * (5 * zz - 1),
        0.37317633 * z * (5 * zz - 3),
        0.45704580 * x * (5 * zz - 1),
        1.44530572 * z * (xx - yy),
        0.59004359 * x * (xx - 3 * yy),
    ]
    return torch.stack(values, 1)
