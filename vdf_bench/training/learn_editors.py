"""The training loop of attribute editors: pairs of renders, a condition between them, and the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch
import torch.nn.functional as F

from vdf_bench.training.learn import Descent

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from vdf_bench.training.editor_data import Sittings
    from vdf_bench.training.learn import Progress

#: Kinds of pairs, with their shares: an attribute turned over from the base state, the way back, one attribute for
#: another, and no change.
SHARES: Final = {"turn": 0.6, "back": 0.18, "swap": 0.12, "keep": 0.1}
#: Chance that an attribute which is as it should be is asked for all the same.
REDUNDANT: Final = 0.15
#: Furthest shift of a pair, as a share of the edge.
SHIFT: Final = 1 / 16
#: Values in [-1, 1] that differ by more belong to the edit.
CHANGED: Final = 0.02
#: Mean square of the smallest change that counts in full, values in [-1, 1]: 35 dB.
LEAST_CHANGE: Final = 1.2e-3
PEAK_RATE: Final = 2e-3


class Pairs:
    """Draws inputs, conditions and targets.

    Args:
        sittings: renders to pair.
        seed: of every draw.
        favour: how often each attribute is turned over; evenly without.
    """

    def __init__(self, sittings: Sittings, seed: int, favour: tuple[float, ...] | None = None) -> None:
        self.favour = favour
        self.rgb = torch.from_numpy(sittings.rgb).permute(0, 1, 4, 2, 3)
        self.states = torch.from_numpy(sittings.states.astype(np.int8))
        self.rng = np.random.default_rng([seed, 43])

    def draw(self, count: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs and targets (count, 3, size, size) float32 in [-1, 1], conditions (count, 5) in {-1, 0, 1}."""
        rng, pictures = self.rng, self.rgb.shape[1]
        sitting = torch.from_numpy(rng.integers(len(self.rgb), size=count))
        kinds = rng.choice(len(SHARES), size=count, p=list(SHARES.values()))
        # One picture apart from the base, and another one.
        one = 1 + rng.choice(pictures - 1, size=count, p=self.favour)
        other = 1 + (one - 1 + 1 + rng.integers(pictures - 2, size=count)) % (pictures - 1)
        base = np.zeros(count, np.int64)
        first = torch.from_numpy(np.choose(kinds, [base, one, one, np.where(rng.random(count) < 0.5, base, one)]))
        second = torch.from_numpy(np.choose(kinds, [one, base, other, first.numpy()]))
        before, after = self.states[sitting, first], self.states[sitting, second]
        asked = torch.from_numpy(rng.random(before.shape) < REDUNDANT)
        condition = torch.where((before == after) & asked, 2 * after - 1, after - before).float()
        both = torch.stack([self.rgb[sitting, first], self.rgb[sitting, second]], 1).float() / 127.5 - 1
        both = self._varied(both, size)
        layout = torch.channels_last
        return both[:, 0].contiguous(memory_format=layout), condition, both[:, 1].contiguous(memory_format=layout)

    def _varied(self, both: Tensor, size: int) -> Tensor:
        """Mirror, shift and relight a pair alike: (N, 2, 3, S, S)."""
        rng, (count, edge) = self.rng, (len(both), both.shape[-1])
        mirrored = torch.from_numpy(rng.random(count) < 0.5)[:, None, None, None, None]
        both = torch.where(mirrored, both.flip(-1), both)
        reach = round(edge * SHIFT)
        padded = F.pad(both.flatten(1, 2), (reach, reach, reach, reach), mode="reflect")
        padded = padded.reshape(*both.shape[:3], edge + 2 * reach, edge + 2 * reach)
        corners = rng.integers(0, 2 * reach + 1, (count, 2)).tolist()
        both = torch.stack([row[..., y : y + edge, x : x + edge] for row, (y, x) in zip(padded, corners, strict=True)])
        gain = np.exp(rng.normal(0, 0.12, (count, 1, 1, 1, 1)) + rng.normal(0, 0.04, (count, 1, 3, 1, 1)))
        both = ((both + 1) * torch.from_numpy(gain.astype(np.float32)) - 1).clamp(-1, 1)
        if size == edge:
            return both
        return F.avg_pool2d(both.flatten(0, 2), edge // size).reshape(*both.shape[:3], size, size)


def edit_loss(edited: Tensor, source: Tensor, target: Tensor, power: float = 1.0) -> Tensor:
    """Mean absolute error of the picture, and again of the part that the edit changes.

    Args:
        edited: (N, 3, H, W) what the network gives, in [-1, 1].
        source: its input.
        target: the truth.
        power: of the changed part's share, over which its error is summed: at 1 a pair of glasses counts as hair does,
            at 1/2 less, and what is smeared around it more.
    """
    error = (edited - target).abs()
    return error.mean() + _inside(error, source, target, power)


def missed_share(edited: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Squared error over the square of the change that was asked for, and some mean absolute error to keep it sharp.

    Its first term is what the gate's gain measures. Where thin things stand is uncertain at first, and the least
    absolute error then paints nothing; the least square paints a blur, which sharpens.

    Args:
        edited: (N, 3, H, W) what the network gives, in [-1, 1].
        source: its input.
        target: the truth.
    """
    error, change = edited - target, target - source
    asked = change.square().mean((1, 2, 3)).clamp(min=LEAST_CHANGE)
    return (error.square().mean((1, 2, 3)) / asked).mean() + error.abs().mean()


def drawn_boldly(edited: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """:func:`missed_share`, and the mean absolute error inside what the edit changes, however small that is.

    Args:
        edited: (N, 3, H, W) what the network gives, in [-1, 1].
        source: its input.
        target: the truth.
    """
    return missed_share(edited, source, target) + _inside((edited - target).abs(), source, target, 1.0)


def _inside(error: Tensor, source: Tensor, target: Tensor, power: float) -> Tensor:
    region = ((target - source).abs().amax(1, keepdim=True) > CHANGED).float()
    share = region.mean((1, 2, 3)).clamp(min=1e-3)
    return ((error * region).mean((1, 2, 3)) / share**power).mean()


def learn_editor(
    network: nn.Module,
    pairs: Pairs,
    stages: tuple[tuple[int, int, int], ...],
    progress: Progress,
    loss: Callable[[Tensor, Tensor, Tensor], Tensor] = edit_loss,
    peak: float = PEAK_RATE,
) -> None:
    """Train an editor on small pictures, then on large ones, along one schedule.

    Args:
        network: trained in place.
        pairs: source of batches.
        stages: edge, batch and steps of each.
        progress: called with the state of the training.
        loss: of the edit, its source and its target.
        peak: of the learning rate.
    """
    descent = Descent(network, sum(steps for _, _, steps in stages), peak, progress)
    network.train().to(memory_format=torch.channels_last)
    for size, count, steps in stages:
        for _ in range(steps):
            source, condition, target = pairs.draw(count, size)
            # Halves the time where the processor has bfloat16.
            with torch.autocast("cpu", torch.bfloat16):
                edited = network(source, condition)
            descent.step(loss(edited.float(), source, target))
    network.eval().to(memory_format=torch.contiguous_format)
