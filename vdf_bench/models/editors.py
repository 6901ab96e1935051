"""Attribute editors ``stargan-synth`` and ``attgan-synth``: a portrait and what to change, in; the edit, out.

Two families. StarGAN (Choi et al. 2018, section 4) tells a residual generator the target as constant planes beside
the picture; AttGAN (He et al. 2019, section 3) writes it into the latent code of an encoder and decoder with skip
connections. Both are sized for a CPU: 128 px, under one GMAC a picture.

Departures, of both: the condition holds -1 (take off), 0 (leave) or 1 (set) for each attribute, as STGAN's difference
vector (Liu et al. 2019), where the originals are told every attribute; and the picture itself reaches the last layer
(added to it in ``stargan-synth``, a last skip connection in ``attgan-synth``), so that what is not edited comes through
without weeks of training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vdf_bench.assets.shipped import load_shipped
from vdf_bench.scenes.attributes import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Edge of the pictures that shipped editors are made for, pixels.
SIZE: Final = 128


def _norm(channels: int) -> nn.InstanceNorm2d:
    return nn.InstanceNorm2d(channels, affine=True)


class _Residual(nn.Module):
    """Two convolutions with instance norm beside the identity (StarGAN, appendix 7.2), told the condition between."""

    def __init__(self, channels: int, conditions: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), _norm(channels))
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), _norm(channels))
        self.told = nn.Linear(conditions, channels, bias=False)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        # A constant plane through a 1 x 1 convolution is one number a channel.
        h = F.relu(self.first(x) + self.told(condition)[:, :, None, None])
        out: Tensor = x + self.second(h)
        return out


class StarGanSynth(nn.Module):
    """Residual generator told by planes: 7 x 7, two strided downs, residual blocks, two ups, 7 x 7, tanh.

    Instance norm erases what is constant over the picture, planes above all, and the original learns from what its
    padding leaves of them. Here the first convolution has no norm, and every block is told again behind its own.

    Args:
        width: channels at full resolution (the original's ``conv_dim`` is 64).
        blocks: residual blocks (the original has 6).
        conditions: attributes.
    """

    def __init__(self, width: int = 16, blocks: int = 4, conditions: int = len(ATTRIBUTES)) -> None:
        super().__init__()
        down: list[nn.Module] = [nn.Conv2d(3 + conditions, width, 7, 1, 3), nn.ReLU(True)]
        for inputs in (width, 2 * width):
            down += [nn.Conv2d(inputs, 2 * inputs, 4, 2, 1, bias=False), _norm(2 * inputs), nn.ReLU(True)]
        up: list[nn.Module] = []
        for inputs in (4 * width, 2 * width):
            up += [nn.ConvTranspose2d(inputs, inputs // 2, 4, 2, 1, bias=False), _norm(inputs // 2), nn.ReLU(True)]
        last = nn.Conv2d(width, 3, 7, 1, 3, bias=False)
        nn.init.zeros_(last.weight)
        self.down, self.up = nn.Sequential(*down), nn.Sequential(*up, last)
        self.blocks = nn.ModuleList(_Residual(4 * width, conditions) for _ in range(blocks))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Edit (N, 3, H, W) in [-1, 1] by (N, 5) in {-1, 0, 1}, H and W multiples of 4; may leave [-1, 1] a little."""
        planes = condition[:, :, None, None].expand(-1, -1, *x.shape[2:])
        h = self.down(torch.cat([x, planes], 1))
        for block in self.blocks:
            h = block(h, condition)
        change: Tensor = 2 * torch.tanh(self.up(h))
        return x + change


class AttGanSynth(nn.Module):
    """Encoder and decoder with skip connections, the attribute vector written into the latent code; batch norm.

    Args:
        widths: channels at 1/2, 1/4, 1/8 and 1/16 of the edge.
        conditions: attributes.
    """

    def __init__(self, widths: tuple[int, ...] = (32, 64, 128, 192), conditions: int = len(ATTRIBUTES)) -> None:
        super().__init__()
        inputs = (3, *widths[:-1])
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2, True))
            for a, b in zip(inputs, widths, strict=True)
        )
        # From the coarsest on: what comes up, what the skip brings (the vector enters the first two, as AttGAN's code).
        outputs = (*widths[-2::-1], widths[0])
        skips = (0, *widths[-2::-1])
        up = []
        previous = widths[-1]
        for level, (skip, channels) in enumerate(zip(skips, outputs, strict=True)):
            told = conditions if level < 2 else 0
            up.append(
                nn.Sequential(
                    nn.ConvTranspose2d(previous + skip + told, channels, 4, 2, 1, bias=False),
                    nn.BatchNorm2d(channels),
                    nn.ReLU(True),
                )
            )
            previous = channels
        self.up = nn.ModuleList(up)
        self.out = nn.Conv2d(previous + 3, 3, 3, 1, 1)
        with torch.no_grad():
            self.out.weight.mul_(0.1)
            self.out.bias.zero_()  # type: ignore[union-attr]
            for channel in range(3):
                self.out.weight[channel, previous + channel, 1, 1] = 1.0

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Edit (N, 3, H, W) in [-1, 1] by (N, 5) in {-1, 0, 1}, H and W multiples of 16; may leave [-1, 1] a little."""
        skips, h = [x], x
        for stage in self.down:
            h = stage(h)
            skips.append(h)
        h = skips.pop()
        for level, stage in enumerate(self.up):
            parts = [h]
            if level:
                parts.append(skips.pop())
            if level < 2:
                parts.append(condition[:, :, None, None].expand(-1, -1, *h.shape[2:]))
            h = stage(torch.cat(parts, 1))
        edited: Tensor = self.out(torch.cat([h, skips.pop()], 1))
        return edited


#: The shipped editors' networks by name.
NETWORKS: Final[dict[str, Callable[[], nn.Module]]] = {"stargan-synth": StarGanSynth, "attgan-synth": AttGanSynth}


def new_editor(name: str) -> nn.Module:
    """An untrained network of :data:`NETWORKS`."""
    return NETWORKS[name]()


def fit_size(pictures: Tensor, size: int) -> Tensor:
    """Resize (N, 3, S, S) to ``size``, bilinear and antialiased; differentiable."""
    if pictures.shape[-1] == size:
        return pictures
    return F.interpolate(pictures, (size, size), mode="bilinear", align_corners=False, antialias=True)


class SynthEditor:
    """A shipped editor behind the benchmark's seam (:class:`vdf_bench.core.interfaces.EditorModel`).

    Args:
        network: of :data:`NETWORKS`, frozen.
        device: where it lies.
    """

    size: int = SIZE
    edits: tuple[str, ...] = ATTRIBUTES

    def __init__(self, network: nn.Module, device: str = "cpu") -> None:
        self.network = network.eval().requires_grad_(False).to(device)

    def edit(self, pictures: Tensor, edit: str) -> Tensor:
        """Set one attribute; see the seam."""
        return self.change(pictures, {edit: 1})

    def change(self, pictures: Tensor, wanted: dict[str, int]) -> Tensor:
        """Set (1) or take off (-1) several attributes at once; none gives the editor's reconstruction.

        Args:
            pictures: (N, 3, S, S) float32 RGB in [0, 1].
            wanted: by attribute.

        Returns:
            (N, 3, 128, 128) float32 RGB in [0, 1].
        """
        condition = torch.tensor([[float(wanted.get(name, 0)) for name in ATTRIBUTES]], device=pictures.device)
        x = fit_size(pictures, self.size) * 2 - 1
        y: Tensor = self.network(x, condition.expand(len(x), -1))
        return ((y + 1) / 2).clamp(0, 1)


def load_editor(name: str, device: str = "cpu", folder: Path | None = None) -> SynthEditor:
    """A shipped editor, frozen.

    Raises:
        UserError: its weights are absent or damaged.
    """
    network = new_editor(name)
    network.load_state_dict(load_shipped(name) if folder is None else load_shipped(name, folder))
    return SynthEditor(network, device)
