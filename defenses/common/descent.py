"""Sign-gradient descent on a video, frame by frame: the loop that PGD and its kin share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch

from vdf_bench.defenses.common.pixels import publish, whole_levels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting


#: A loss that falls by less than this factor has not fallen.
PROGRESS = 0.99


class Evaluation(Protocol):
    """What an objective says of a picture."""

    @property
    def loss(self) -> Tensor:
        """Scalar, lower is better for the defender."""
        ...

    @property
    def success(self) -> bool:
        """Whether the frame may be published; False throughout where a method has no such rule."""
        ...


class Record(Protocol):
    """Notes what became of a frame."""

    def add(self, iterations: int, result: Any, **more: float) -> None:
        """Note a frame, its steps and the result of its published picture."""
        ...


class Objective(Protocol):
    """What a perturbation is to achieve."""

    def prepare(self, clean: Tensor) -> Any:
        """Whatever :meth:`judge` wants to know of the clean frame (3, S, S); asked once a frame, in order."""
        ...

    def judge(self, picture: Tensor, prepared: Any) -> Evaluation:
        """Judge a protected frame (3, S, S); the loss is differentiable where ``picture`` is."""
        ...


class Direction(Protocol):
    """Turns a result into a step."""

    def begin(self) -> None:
        """A new frame begins."""
        ...

    def step(self, result: Evaluation, picture: Tensor, clean: Tensor, delta: Tensor) -> Tensor:
        """What to subtract from ``delta``, in units of the step size: entries in [-1, 1].

        Args:
            result: of ``picture``; its loss leads to ``delta``.
            picture: (3, S, S) published picture of ``delta``, with its graph.
            clean: (3, S, S).
            delta: (3, S, S), requires grad.
        """
        ...

    def notes(self) -> dict[str, float]:
        """What to record of the frame that ends, by name."""
        ...


class SteppingParameters(Protocol):
    """What the loop reads of an attack's parameters."""

    @property
    def steps(self) -> int:
        """Largest number of steps per frame."""
        ...

    @property
    def step_size(self) -> float:
        """Of a step, 8-bit levels; 0 takes budget / steps."""
        ...

    @property
    def warm(self) -> bool:
        """Whether a frame inherits the perturbation of the one before."""
        ...


@dataclass(frozen=True)
class Stepping:
    """Steps of the loop that no parameter model holds under these names."""

    steps: int
    step_size: float
    warm: bool = False


class SignGradient:
    """The sign of the gradient, or of gradients accumulated with momentum, each over its mean size (MI-FGSM)."""

    def __init__(self, momentum: float = 0.0) -> None:
        self._momentum = momentum
        self._sum: Tensor | None = None

    def begin(self) -> None:
        self._sum = None

    def step(self, result: Evaluation, picture: Tensor, clean: Tensor, delta: Tensor) -> Tensor:
        del picture, clean
        (gradient,) = torch.autograd.grad(result.loss, delta)
        if not self._momentum:
            return gradient.sign()
        gradient = gradient / gradient.abs().mean().clamp(min=1e-12)
        self._sum = gradient if self._sum is None else self._momentum * self._sum + gradient
        return self._sum.sign()

    def notes(self) -> dict[str, float]:
        return {}


def descend(
    frames: Iterator[Tensor],
    setting: Setting,
    objective: Objective,
    direction: Direction,
    parameters: SteppingParameters,
    record: Record,
    patience: int = 0,
    start: Callable[[Tensor], Tensor] = torch.zeros_like,
) -> Iterator[Tensor]:
    """Protect a video: descend on every frame until success, judged before each step, or the last step.

    A frame whose loss has not fallen for ``patience`` steps is given up as it is then; 0 waits however long.
    ``start`` gives the perturbation from which a frame sets out that inherits none; where the budget is zero it counts
    for nothing.
    """
    bound = whole_levels(setting.budget) / 255
    limit = parameters.steps if bound else 0
    size = parameters.step_size / 255 or bound / max(parameters.steps, 1)
    delta: Tensor | None = None
    for frame in frames:
        clean = frame.to(setting.device)
        if delta is None or not parameters.warm:
            delta = start(clean).clamp(-bound, bound)
        prepared = objective.prepare(clean)
        direction.begin()
        best, since = math.inf, 0
        for step in range(limit + 1):
            delta = delta.detach().requires_grad_()
            picture = publish(clean, delta)
            result = objective.judge(picture, prepared)
            if result.success or step == limit:
                break
            if patience:
                loss = float(result.loss.detach())
                best, since = (loss, step) if loss < PROGRESS * best else (best, since)
                if step - since >= patience:
                    break
            delta = delta - size * direction.step(result, picture, clean, delta)
            # Project onto the budget and onto pictures, so that no step is lost beyond black or white.
            delta = (clean + delta.clamp(-bound, bound)).clamp(0, 1) - clean
        delta = delta.detach()
        record.add(step, result, **direction.notes())
        yield publish(clean, delta).to(frame.device)
