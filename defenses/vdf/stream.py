"""VDF's loop over a video: optimise a frame until the parser misses the face, hand its variables to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vdf_bench.defenses.common.parsing import ParsingObjective, require_surrogate
from vdf_bench.defenses.common.pixels import whole_levels
from vdf_bench.defenses.vdf.perturbation import Painter, Variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.defenses.common.record import Record
    from vdf_bench.defenses.vdf import VdfParameters
    from vdf_bench.interfaces import Setting


def similarity(first: Tensor, second: Tensor) -> float:
    """SSIM of two frames (3, S, S) on their 8-bit levels, by scikit-image's defaults as the official code has it."""
    from skimage.metrics import structural_similarity

    def levels(frame: Tensor) -> NDArray[np.uint8]:
        return (frame.cpu().numpy() * 255).round().astype(np.uint8)

    ssim: float = structural_similarity(  # type: ignore[no-untyped-call]
        levels(first), levels(second), channel_axis=0, data_range=255
    )
    return float(ssim)


def inherit(variables: Variables, kept: float) -> Variables:
    """Similarity-guided sharing: the noise shrinks to ``kept`` (decay x SSIM) of itself, the mask stays."""
    return Variables(kept * variables.noise, variables.mask)


def optimise(
    variables: Variables,
    painter: Painter,
    objective: ParsingObjective,
    clean: Tensor,
    parameters: VdfParameters,
    *,
    first: bool,
    record: Record,
) -> tuple[Tensor, Variables]:
    """Improve ``variables`` on one frame until success or the last iteration.

    Success is judged before each update, so that a frame whose inherited variables already work costs none.

    Returns:
        the picture to publish and the variables that made it.
    """
    limit = parameters.max_iterations_first if first else parameters.max_iterations
    if painter.powerless:
        limit = 0
    check_every = parameters.check_every_first if first else 1
    sights = objective.prepare(clean)
    noise = variables.noise.clone().requires_grad_()
    mask = variables.mask.clone().requires_grad_(parameters.mask)
    current = Variables(noise, mask)
    trained = [variable for variable in (noise, mask) if variable.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=parameters.learning_rate, betas=parameters.betas)
    for iteration in range(limit + 1):
        picture = painter.paint(current)
        verdict = objective.judge(picture, sights)
        if iteration == limit or (verdict.success and iteration % check_every == 0):
            break
        optimiser.zero_grad()
        torch.autograd.backward(verdict.loss)
        optimiser.step()
    record.add(iteration, verdict)
    return picture.detach(), Variables(noise.detach(), mask.detach())


def protect(frames: Iterator[Tensor], setting: Setting, parameters: VdfParameters, record: Record) -> Iterator[Tensor]:
    """Protect a video frame by frame; holds one frame and one set of variables."""
    objective = ParsingObjective(require_surrogate(setting, "vdf"), parameters)
    levels = whole_levels(setting.budget)
    generator = torch.Generator().manual_seed(setting.seed)
    variables: Variables | None = None
    previous: Tensor | None = None
    for frame in frames:
        clean = frame.to(setting.device)
        if variables is None or previous is None or parameters.sharing == "none":
            variables = Variables.draw(setting.size, parameters, generator).to(setting.device)
        elif parameters.sharing == "ssim":
            variables = inherit(variables, parameters.decay * similarity(previous, clean))
        else:
            variables = inherit(variables, parameters.decay)
        painter = Painter(clean, levels, parameters)
        first = previous is None or parameters.sharing == "none"
        picture, variables = optimise(variables, painter, objective, clean, parameters, first=first, record=record)
        previous = clean
        yield picture.to(frame.device)
