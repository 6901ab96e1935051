"""From VDF's variables to a picture: spectrum, budget, mask (official ``fft_ifftmask.py``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch

from vdf_bench.defenses.common.pixels import publish
from vdf_bench.defenses.vdf.motion import warp

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.defenses.vdf.parameters import VdfParameters

#: ImageNet statistics, RGB: the spectrum is that of the picture as networks see it.
MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)
#: Channels of noise: amplitude and phase shifts; shifts of red, green and blue.
SPECTRAL: Final = 2
PIXEL: Final = 3


@dataclass
class Variables:
    """What Adam optimises, and what one frame leaves to the next.

    Attributes:
        noise: (2, S, S), raw amplitude and phase shifts, one map for red, green and blue; in the spatial domain
            (3, S, S), raw pixel shifts; jointly (5, S, S), the former before the latter.
        mask: (S, S), logits of the spatial attention mask.
    """

    noise: Tensor
    mask: Tensor

    @classmethod
    def draw(cls, size: int, parameters: VdfParameters, generator: torch.Generator) -> Variables:
        """Normal start, as of frame 0."""
        channels = {"frequency": SPECTRAL, "spatial": PIXEL, "joint": SPECTRAL + PIXEL}[parameters.domain]
        noise = parameters.noise_start * torch.randn(channels, size, size, generator=generator)
        return cls(noise, parameters.mask_start + torch.randn(size, size, generator=generator))

    def to(self, device: str) -> Variables:
        """The same on ``device``."""
        return Variables(self.noise.to(device), self.mask.to(device))

    def shrunk(self, kept: float) -> Variables:
        """Similarity-guided sharing: the noise shrinks to ``kept`` (decay x SSIM) of itself, the mask stays."""
        return Variables(kept * self.noise, self.mask)

    def moved(self, flow: Tensor) -> Variables:
        """What is meant for places in the picture goes with them.

        A shifted spectrum needs no moving: amplitudes and phase shifts follow a translated picture by themselves.

        Args:
            flow: (2, S, S), see :func:`vdf_bench.defenses.vdf.motion.estimate_flow`.
        """
        spectral = 0 if len(self.noise) == PIXEL else SPECTRAL
        carried = warp(torch.cat([self.noise[spectral:], self.mask[None]]), flow)
        return Variables(torch.cat([self.noise[:spectral], carried[:-1]]), carried[-1])


def normalise(picture: Tensor) -> Tensor:
    """(3, H, W) in [0, 1] to zero mean and unit variance, with ImageNet's statistics."""
    return (picture - picture.new_tensor(MEAN)[:, None, None]) / picture.new_tensor(STD)[:, None, None]


def shift_spectrum(spectrum: Tensor, noise: Tensor, phase_offset: float) -> Tensor:
    """Frequency step: A' = A (1 + tanh p0), phi' = phi + offset + tanh p1, back to pixels.

    With the official offset of 1 rad, zero noise is not the identity: it gives cos(1) times the picture.

    Args:
        spectrum: (3, S, S) complex, of the normalised picture.
        noise: (2, S, S) raw amplitude and phase shifts.
        phase_offset: radians.

    Returns:
        (3, S, S) real part of the inverse transform, normalised units.
    """
    amplitude, phase = torch.tanh(noise)
    shifted: Tensor = torch.fft.ifft2(spectrum * torch.polar(1 + amplitude, phase_offset + phase)).real
    return shifted


class Painter:
    """Turns variables into the protected picture of one frame.

    Args:
        clean: (3, S, S) RGB in [0, 1], multiples of 1/255.
        levels: the bound, whole 8-bit levels.
        parameters: domain, gain, phase offset, mask.
    """

    def __init__(self, clean: Tensor, levels: int, parameters: VdfParameters) -> None:
        self._clean = clean
        self._bound = levels / 255
        self._parameters = parameters
        self._std = clean.new_tensor(STD)[:, None, None]
        self._normal = normalise(clean)
        self._spectrum = torch.fft.fft2(self._normal)

    @property
    def powerless(self) -> bool:
        """Whether the budget is below one level, so that no variable changes anything."""
        return self._bound == 0

    def delta(self, variables: Variables) -> Tensor:
        """Perturbation before rounding, (3, S, S) in [0, 1] units: |delta| <= bound * sigmoid(mask)."""
        parameters = self._parameters
        raw = torch.zeros_like(self._clean)
        if parameters.domain != "spatial":
            shifted = shift_spectrum(self._spectrum, variables.noise[:2], parameters.phase_offset)
            # Both pictures taken back to [0, 1]; their mean cancels.
            raw = raw + parameters.gain * self._std * (shifted - self._normal)
        if parameters.domain != "frequency":
            raw = raw + variables.noise[-3:]
        direction = torch.tanh(raw)
        if parameters.mask:
            direction = direction * torch.sigmoid(variables.mask)
        return self._bound * direction

    def paint(self, variables: Variables) -> Tensor:
        """The picture to publish: (3, S, S), multiples of 1/255, within the budget."""
        return publish(self._clean, self.delta(variables))
