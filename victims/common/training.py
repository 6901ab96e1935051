"""The loop around a fit: steps, learning rates that fall, the watch, and checkpoints that survive a kill."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from vdf_bench.victims.common.head import Field, FieldHead
from vdf_bench.victims.common.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from vdf_bench.core.interfaces import FitSetting
    from vdf_bench.victims.common.code import Code

#: Wall seconds between checkpoints.
CHECKPOINT_SECONDS: Final = 60.0
#: Wall seconds between two reports of progress.
TELL_SECONDS: Final = 1.0


class Trainer(ABC):
    """One fit of one victim: what is optimised, and what a step does.

    Everything random comes from ``random`` (on the CPU, whatever the device) and ``generator``.

    Attributes:
        field: what is trained.
        code: drives it.
        iterations: steps in all.
        final_rate: learning rates fall exponentially to this share of their start.
        optimiser: over ``field``.
        mixed: whether :meth:`mixed_precision` is bfloat16.
        notes: what a reader of the results should know of this fit, such as a bound that was hit.
    """

    field: Field
    code: Code
    iterations: int
    final_rate: float = 0.1

    def __init__(self, setting: FitSetting) -> None:
        self.device = torch.device(setting.device)
        self.random = np.random.default_rng(setting.seed)
        self.generator = torch.Generator().manual_seed(setting.seed)
        # On the CPU it would save nothing and only cost accuracy.
        self.mixed = setting.precision == "bfloat16" or (setting.precision is None and self.device.type == "cuda")
        self.optimiser: torch.optim.Optimizer
        self.notes: list[str] = []

    @abstractmethod
    def make_optimiser(self) -> torch.optim.Optimizer:
        """A fresh optimiser over the field's present parameters."""

    @abstractmethod
    def loss(self, iteration: int) -> Tensor:
        """The loss of one step, a scalar with gradients."""

    def after(self, iteration: int) -> None:  # noqa: B027 - a hook
        """Called when a step has been taken: densification, averages."""

    def finish(self) -> None:  # noqa: B027 - a hook
        """Called once, when all steps have been taken."""

    def memory(self) -> dict[str, Any]:
        """What a checkpoint must hold beside field, optimiser and random states: tensors, numbers, lists of them."""
        return {}

    def recall(self, memory: dict[str, Any], field: dict[str, Tensor]) -> None:
        """Go back to a checkpoint: ``memory`` as :meth:`memory` gave it, ``field`` the field's tensors."""
        self.field.load_state_dict(field)

    def mixed_precision(self) -> AbstractContextManager[Any]:
        """bfloat16 for products of matrices where ``mixed`` says so; else float32 throughout."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.mixed else nullcontext()

    def begin(self) -> None:
        """Move to the device, and take an optimiser."""
        self.field.to(self.device)
        self.optimiser = self.make_optimiser()

    def advance(self, loss: Tensor, iteration: int) -> None:
        """Take the step that ``loss``, of :meth:`loss`, asks for."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        for group in self.optimiser.param_groups:
            group["lr"] *= self.final_rate ** (1 / self.iterations)
        self.after(iteration)


def train(trainer: Trainer, setting: FitSetting) -> FieldHead:
    """Run ``trainer`` to its end, from its last checkpoint where ``setting.scratch`` holds one.

    An interrupted fit that goes on ends in the same bytes as one that was never interrupted.

    Raises:
        FitFailed: the loss is not finite, or the time is up.
    """
    trainer.begin()
    begun, spent = _resume(trainer, setting.scratch) if setting.scratch else (0, 0.0)
    watch = Watch(setting.timeout - spent)
    start = saved = shown = time.monotonic()
    for iteration in range(begun, trainer.iterations):
        loss = trainer.loss(iteration)
        watch.check(iteration, float(loss.detach()))
        trainer.advance(loss, iteration)
        now = time.monotonic()
        if setting.scratch and now - saved > CHECKPOINT_SECONDS:
            _save(trainer, setting.scratch, iteration + 1, spent + now - start)
            saved = now
        if setting.tell and now - shown > TELL_SECONDS:
            setting.tell((iteration + 1) / trainer.iterations)
            shown = now
    trainer.finish()
    return FieldHead(trainer.field, trainer.code, tuple(trainer.notes))


def _save(trainer: Trainer, path: Path, done: int, spent: float) -> None:
    import io

    from vdf_bench.core.files import write_atomically

    held = {
        "done": done,
        "spent": spent,
        "field": trainer.field.state_dict(),
        "optimiser": trainer.optimiser.state_dict(),
        "random": trainer.random.bit_generator.state,
        "generator": trainer.generator.get_state(),
        "memory": trainer.memory(),
    }
    buffer = io.BytesIO()
    torch.save(held, buffer)
    write_atomically(path, buffer.getvalue())


def _resume(trainer: Trainer, path: Path) -> tuple[int, float]:
    """Steps done and seconds spent; a checkpoint that cannot be read is as good as none."""
    if not path.is_file():
        return 0, 0.0
    try:
        held = torch.load(path, map_location=trainer.device, weights_only=True)
    except Exception:
        return 0, 0.0
    trainer.recall(held["memory"], held["field"])
    trainer.optimiser = trainer.make_optimiser()
    trainer.optimiser.load_state_dict(held["optimiser"])
    trainer.random.bit_generator.state = held["random"]
    trainer.generator.set_state(held["generator"].cpu())
    return held["done"], held["spent"]
