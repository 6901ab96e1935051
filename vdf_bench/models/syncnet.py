"""SyncNet v2 (Chung and Zisserman 2016, "Out of time"): does a mouth move as a voice sounds?

Two networks map five frames (0.2 s) of a face and the sound of the same time to points whose distance is small where
they belong together. Layers carry the official checkpoint's names, ``syncnet_v2.model``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from vdf_bench.assets.checkpoints import load_user_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

#: Frames of a window, and edge of its pictures.
WINDOW: Final = 5
EDGE: Final = 224
#: Cepstral coefficients, and their steps (100 a second) in a window.
CEPSTRA: Final = 13
STEPS: Final = 20
WIDTH: Final = 1024


def _flat(inputs: int, outputs: int, kernel: Any = 3, padding: Any = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.BatchNorm2d(outputs), nn.ReLU()]


def _deep(inputs: int, outputs: int, kernel: Any, stride: Any = 1, padding: Any = 0) -> list[nn.Module]:
    return [nn.Conv3d(inputs, outputs, kernel, stride, padding), nn.BatchNorm3d(outputs), nn.ReLU()]


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, WIDTH))


class SyncNet(nn.Module):
    """Sound and faces to a common space."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_flat(1, 64), nn.MaxPool2d(1, 1),
            *_flat(64, 192), nn.MaxPool2d(3, (1, 2)),
            *_flat(192, 384), *_flat(384, 256), *_flat(256, 256), nn.MaxPool2d(3, 2),
            *_flat(256, 512, (5, 4), 0),
        )  # fmt: skip
        self.netfcaud = _head()
        self.netfclip = _head()
        side = (0, 1, 1)
        self.netcnnlip = nn.Sequential(
            *_deep(3, 96, (5, 7, 7), (1, 2, 2)), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_deep(96, 256, (1, 5, 5), (1, 2, 2), side), nn.MaxPool3d((1, 3, 3), (1, 2, 2), side),
            *_deep(256, 256, (1, 3, 3), 1, side), *_deep(256, 256, (1, 3, 3), 1, side),
            *_deep(256, 256, (1, 3, 3), 1, side), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_deep(256, 512, (1, 6, 6)),
        )  # fmt: skip

    def lips(self, faces: Tensor) -> Tensor:
        """(N, 3, 5, 224, 224) BGR in 0..255 to (N, 1024)."""
        found: Tensor = self.netfclip(self.netcnnlip(faces).flatten(1))
        return found

    def sound(self, cepstra: Tensor) -> Tensor:
        """(N, 1, 13, 20) cepstra to (N, 1024)."""
        found: Tensor = self.netfcaud(self.netcnnaud(cepstra).flatten(1))
        return found

    @torch.no_grad()
    def embed_faces(self, crops: NDArray[np.uint8], starts: NDArray[np.int64], batch: int = 8) -> NDArray[np.float32]:
        """(N, 1024) of windows that begin at ``starts`` (N,) among ``crops`` (B, 224, 224, 3) RGB."""
        planes = np.ascontiguousarray(crops[..., ::-1].transpose(3, 0, 1, 2))  # BGR, channels first
        found = [np.zeros((0, WIDTH), np.float32)]
        for group in np.array_split(starts, range(batch, len(starts), batch)):
            windows = np.stack([planes[:, start : start + WINDOW] for start in group]) if len(group) else None
            if windows is not None:
                found.append(self.lips(torch.from_numpy(windows).float()).numpy())
        return np.concatenate(found)

    @torch.no_grad()
    def embed_sound(self, cepstra: NDArray[np.float64], batch: int = 64) -> NDArray[np.float32]:
        """(F, 1024) of the windows of ``cepstra`` (13, 4 * F + 16 or more), one for each frame's time."""
        count = max((cepstra.shape[1] - STEPS) // 4 + 1, 0)
        found = [np.zeros((0, WIDTH), np.float32)]
        for start in range(0, count, batch):
            group = range(start, min(start + batch, count))
            windows = np.stack([cepstra[None, :, 4 * k : 4 * k + STEPS] for k in group]).astype(np.float32)
            found.append(self.sound(torch.from_numpy(windows)).numpy())
        return np.concatenate(found)


def load_syncnet(folder: Path | None = None) -> SyncNet:
    """The user's SyncNet, frozen.

    Raises:
        UserError: absent, too large, or not SyncNet's state dict.
    """
    network = SyncNet()
    load_user_checkpoint(network, "syncnet", folder)
    return network.eval().requires_grad_(False)
