"""VDF's loop over a video: optimise a frame until the parser misses the face, hand its variables to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from vdf_bench.defenses.common.parsing import ParsingObjective, require_surrogate
from vdf_bench.defenses.common.pixels import whole_levels
from vdf_bench.defenses.vdf.motion import estimate_flow
from vdf_bench.defenses.vdf.perturbation import Painter, Variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.defenses.common.parsing import Glance, Sight
    from vdf_bench.defenses.common.record import Record
    from vdf_bench.defenses.vdf import VdfParameters
    from vdf_bench.defenses.vdf.visual import VisualLoss
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


class Examiner:
    """Looks at one frame's pictures, at as many scales and in such precision as the loop needs.

    Args:
        objective: what the parser is to see.
        clean: the frame, (3, S, S).
        parameters: ``updates`` and ``precision``.
        worst: share at each scale when it was last seen, worst first; shared by all frames, kept up to date.
    """

    def __init__(
        self, objective: ParsingObjective, clean: Tensor, parameters: VdfParameters, worst: dict[float, float]
    ) -> None:
        self._objective = objective
        self._updates = parameters.updates
        self._reduced = parameters.precision == "bfloat16"
        self._worst = worst
        self._sights = objective.prepare(clean, reduced=self._reduced)

    def whole(self, picture: Tensor) -> list[Glance]:
        """Every scale in sight, in full precision."""
        return self._look(picture, self._sights, reduced=False)

    def enough(self, picture: Tensor, *, inherited: bool) -> tuple[list[Glance], bool]:
        """What an update needs, and whether ``picture`` succeeds.

        Args:
            picture: (3, S, S).
            inherited: nothing was changed yet, so that success is likely: it is looked for in full precision at once.
        """
        sights = self._sights
        briefly = self._updates == "first-unmet"
        if briefly:
            sights = sorted(sights, key=lambda sight: self._worst.get(sight.scale, 0.0))
        reduced = self._reduced and not inherited
        glances = self._look(picture, sights, reduced=reduced, briefly=briefly)
        if reduced and self._succeeds(glances):
            glances = self._look(picture, sights, reduced=False, briefly=briefly)
        return glances, self._succeeds(glances)

    def loss(self, glances: list[Glance]) -> Tensor:
        """What the update descends: the scales named by ``updates``, or all that were seen if all succeed."""
        unmet = [glance for glance in glances if not self._objective.met(glance)]
        chosen = glances if self._updates == "all" or not unmet else unmet
        return torch.stack([glance.loss for glance in chosen]).sum()

    def _look(self, picture: Tensor, sights: list[Sight], *, reduced: bool, briefly: bool = False) -> list[Glance]:
        glances = []
        for sight in sights:
            glance = self._objective.look(picture, sight, reduced=reduced)
            self._worst[sight.scale] = glance.share
            glances.append(glance)
            if briefly and not self._objective.met(glance):
                break
        return glances

    def _succeeds(self, glances: list[Glance]) -> bool:
        return all(self._objective.met(glance) for glance in glances)


def optimise(
    variables: Variables,
    painter: Painter,
    examiner: Examiner,
    parameters: VdfParameters,
    *,
    first: bool,
    visual: Callable[[Tensor], Tensor] | None = None,
) -> tuple[Tensor, Variables, list[Glance], int]:
    """Improve ``variables`` on one frame until success or the last iteration.

    Success is judged before each update, so that a frame whose inherited variables already work costs none.

    Returns:
        the picture to publish, the variables that made it, how it looks at every scale, and the updates it took.
    """
    limit = parameters.max_iterations_first if first else parameters.max_iterations
    if painter.powerless:
        limit = 0
    check_every = parameters.check_every_first if first else 1
    noise = variables.noise.clone().requires_grad_()
    mask = variables.mask.clone().requires_grad_(parameters.mask)
    current = Variables(noise, mask)
    trained = [variable for variable in (noise, mask) if variable.requires_grad]
    optimiser = torch.optim.Adam(
        trained, lr=parameters.learning_rate, betas=parameters.betas, eps=parameters.adam_epsilon
    )
    for iteration in range(limit):
        picture = painter.paint(current)
        glances, success = examiner.enough(picture, inherited=not first and iteration == 0)
        if success and iteration % check_every == 0:
            break
        loss = examiner.loss(glances)
        if visual:
            loss = loss + visual(picture)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    else:
        iteration = limit
        with torch.no_grad():
            picture = painter.paint(current)
            glances = examiner.whole(picture)
    return picture.detach(), Variables(noise.detach(), mask.detach()), glances, iteration


def inherit(variables: Variables, previous: Tensor, clean: Tensor, parameters: VdfParameters) -> Variables:
    """What a frame starts from: its predecessor's variables, moved with the picture, their noise shrunk."""
    if parameters.motion:
        variables = variables.moved(estimate_flow(previous, clean))
    similar = similarity(previous, clean) if parameters.sharing == "ssim" else 1.0
    return variables.shrunk(parameters.decay * similar)


def protect(
    frames: Iterator[Tensor],
    setting: Setting,
    parameters: VdfParameters,
    record: Record,
    *,
    name: str = "vdf",
    visual: VisualLoss | None = None,
    notes: dict[str, float] | None = None,
) -> Iterator[Tensor]:
    """Protect a video frame by frame; holds one frame and one set of variables.

    Args:
        frames: see :class:`vdf_bench.interfaces.Defense`.
        setting: likewise.
        parameters: of the method.
        record: filled as frames pass.
        name: for errors.
        visual: a term of the loss that looks at the picture, if there is one.
        notes: what to record of every frame besides.
    """
    objective = ParsingObjective(require_surrogate(setting, name), parameters)
    levels = whole_levels(setting.budget)
    generator = torch.Generator().manual_seed(setting.seed)
    worst: dict[float, float] = {}
    variables: Variables | None = None
    previous: Tensor | None = None
    for frame in frames:
        clean = frame.to(setting.device)
        first = variables is None or previous is None or parameters.sharing == "none"
        if variables is None or previous is None or parameters.sharing == "none":
            variables = Variables.draw(setting.size, parameters, generator).to(setting.device)
        else:
            variables = inherit(variables, previous, clean, parameters)
        examiner = Examiner(objective, clean, parameters, worst)
        picture, variables, glances, iterations = optimise(
            variables,
            Painter(clean, levels, parameters),
            examiner,
            parameters,
            first=first,
            visual=visual.against(clean) if visual else None,
        )
        record.add(iterations, objective.verdict(picture, glances), **(notes or {}))
        previous = clean
        yield picture.to(frame.device)
