"""bfloat16 against float32: the same weights and rays, then the same number of steps."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from vdf_bench.bench.clock import Clock
from vdf_bench.bench.gate import fit, head_psnr, render_heldout
from vdf_bench.bench.kernels import Training
from vdf_bench.core.interfaces import FitSetting

if TYPE_CHECKING:
    from vdf_bench.core.capture import Capture

#: A loss may differ by this share, the last of bfloat16's 8 bits: factors of a product are off by up to half of it, at
#: random, and a loss is a mean over a thousand rays.
LOSS_TOLERANCE: Final = 0.004
#: Two renderings of the same weights agree at least so well, dB: an error of two levels of 255 at every pixel.
RENDERING_TOLERANCE: Final = 42.0
#: A clone may lose so much after as many steps, dB.
CLONE_TOLERANCE: Final = 0.3
#: Steps in float32 before losses are compared, and how many losses are.
BEFORE, LOSSES = 60, 8


@dataclass(frozen=True)
class Gap:
    """What half the precision changes for a victim.

    Attributes:
        victim: who trains.
        loss: largest relative difference of the loss, from the same weights on the same rays.
        rendering: PSNR between two renderings of the same weights, dB; 100 where they are equal.
        exact, half: head PSNR of the clones after ``steps`` of training in float32 and with bfloat16, dB.
        steps: of each fit.
    """

    victim: str
    loss: float
    rendering: float
    exact: float
    half: float
    steps: int

    @property
    def holds(self) -> bool:
        """Whether all three stay within their tolerances."""
        within = self.loss <= LOSS_TOLERANCE and self.rendering >= RENDERING_TOLERANCE
        return within and self.exact - self.half <= CLONE_TOLERANCE


def loss_gap(victim: str, capture: Capture, device: str) -> float:
    """Largest relative difference of the loss over :data:`LOSSES` draws of rays."""
    exact, half = Training(victim, capture, device, "float32"), Training(victim, capture, device, "bfloat16")
    for _ in range(BEFORE):
        exact.step()
    one, other = exact.trainer, half.trainer
    gaps = []
    for iteration in range(BEFORE, BEFORE + LOSSES):
        other.recall(copy.deepcopy(one.memory()), one.field.state_dict())
        other.random.bit_generator.state = one.random.bit_generator.state
        other.generator.set_state(one.generator.get_state())
        with torch.no_grad():
            true, found = float(one.loss(iteration)), float(other.loss(iteration))
        gaps.append(abs(found - true) / abs(true))
    return max(gaps)


def measure_gap(victim: str, capture: Capture, device: str, steps: int) -> Gap:
    """Compare losses, renderings and clones; fits of ``steps`` from the same seed."""
    clock = Clock(device)
    loss = loss_gap(victim, capture, device)
    exact, half = (
        fit(victim, capture, FitSetting(iterations=steps, device=device, precision=precision), clock)[0]
        for precision in ("float32", "bfloat16")
    )
    drawn = render_heldout(exact, capture, device)
    with torch.autocast(clock.device.type, torch.bfloat16):
        again = render_heldout(exact, capture, device)
    clone = head_psnr(render_heldout(half, capture, device), capture)
    error = float(np.mean((drawn.rgb.astype(float) - again.rgb) ** 2)) / 255**2
    rendering = float(-10 * np.log10(error)) if error else 100.0
    return Gap(victim, loss, rendering, head_psnr(drawn, capture), clone, steps)
