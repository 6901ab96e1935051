"""Frames as bytes and as tensors."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor


def to_tensors(frames: NDArray[np.uint8]) -> Iterator[Tensor]:
    """(T, S, S, 3) uint8 to (3, S, S) float32 in [0, 1], a frame at a time."""
    import torch

    for frame in frames:
        yield torch.from_numpy(np.ascontiguousarray(frame.transpose(2, 0, 1))).float() / 255


def to_bytes(frame: Tensor) -> NDArray[np.uint8]:
    """(3, S, S) float in [0, 1] to (S, S, 3) uint8."""
    levels = (frame.detach().cpu() * 255).round().clamp(0, 255).byte()
    picture: NDArray[np.uint8] = levels.permute(1, 2, 0).contiguous().numpy()
    return picture


def stack(frames: Iterable[Tensor]) -> NDArray[np.uint8]:
    """(3, S, S) floats in [0, 1] to (T, S, S, 3) uint8."""
    return np.stack([to_bytes(frame) for frame in frames])


def frames_digest(frames: NDArray[np.uint8]) -> str:
    """SHA-256 over shape and values of (T, H, W, 3) uint8 RGB frames, hexadecimal."""
    total = hashlib.sha256(f"uint8 {'x'.join(map(str, frames.shape))}\n".encode())
    total.update(np.ascontiguousarray(frames).tobytes())
    return total.hexdigest()
