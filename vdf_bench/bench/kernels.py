"""The kernels that most of the time goes to: looks of a parser, and steps of a victim that trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

from vdf_bench.core import registry
from vdf_bench.core.interfaces import FitSetting
from vdf_bench.core.kernel import Kernel

if TYPE_CHECKING:
    from vdf_bench.core.capture import Capture
    from vdf_bench.core.interfaces import Precision

#: Length of a fit of which steps are taken one by one; more than are taken.
STEPS: Final = 100
#: Before the first that counts: compiled code is loaded, and what is done once in a while has been done.
WARM: Final = 10


def trainers() -> list[str]:
    """Registered victims whose steps can be taken one by one."""
    return [name for name in registry.names("victims") if hasattr(registry.load("victims", name), "trainer")]


def parser_look(parser: torch.nn.Module, edge: int, device: torch.device, back: bool, precision: Precision) -> Kernel:
    """One look at a square picture, as VDF takes it: channels last, frozen weights, the way back to the picture.

    Bytes: weights, picture and logits, and on the way back weights and the gradients of both.
    """
    picture = torch.rand(1, 3, edge, edge, device=device).contiguous(memory_format=torch.channels_last)

    def forward(seen: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            logits: torch.Tensor = parser(seen)
        return logits

    with torch.no_grad():
        logits = forward(picture)
    ones = torch.ones_like(logits)

    def run() -> None:
        leaf = picture.detach().requires_grad_(back)
        found = forward(leaf)
        if back:
            torch.autograd.backward(found, ones)

    moved = sum(weight.nbytes for weight in parser.parameters()) + picture.nbytes + logits.nbytes
    name = f"parser, {'both ways' if back else 'forward'}, {edge} px"
    return Kernel(name, run, moved * (2 if back else 1), precision=precision)


class Training:
    """A fit whose steps are taken one by one.

    Args:
        victim: one of :func:`trainers`.
        capture: what it trains on.
        device: where.
        precision: as in :class:`vdf_bench.core.interfaces.FitSetting`.
    """

    def __init__(self, victim: str, capture: Capture, device: str, precision: Precision | None = None) -> None:
        setting = FitSetting(iterations=STEPS, device=device, precision=precision)
        self.trainer: Any = registry.create("victims", victim).trainer(capture, setting)
        self.trainer.begin()
        self.iteration = 0

    def step(self) -> float:
        """Take one; its loss."""
        loss = self.trainer.loss(self.iteration)
        told = float(loss.detach())  # every fit looks at it: a device is waited for here
        self.trainer.advance(loss, self.iteration)
        self.iteration += 1
        return told


def training_step(victim: str, capture: Capture, device: str) -> Kernel:
    """A step of a fit at the victim's own precision on ``device``.

    Bytes: parameters and Adam's two moments, each read and written; rays, activations and gradients are left out.
    """
    training = Training(victim, capture, device)
    moved = sum(6 * value.nbytes for value in training.trainer.field.parameters())
    precision = "bfloat16" if training.trainer.mixed else "float32"
    return Kernel(f"{victim}, step, {capture.size} px", training.step, moved, precision=precision)
