"""VDF's loop over a video: optimise a frame until the parser misses the face, hand its variables to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import torch
from torch.nn.functional import avg_pool2d

from vdf_bench.defenses.common.parsing import ParsingObjective, require_surrogate
from vdf_bench.defenses.common.pixels import whole_levels
from vdf_bench.defenses.vdf.motion import estimate_flow
from vdf_bench.defenses.vdf.perturbation import Painter, Variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting
    from vdf_bench.defenses.common.parsing import Glance, ParsingResult, Sight
    from vdf_bench.defenses.common.record import Record
    from vdf_bench.defenses.vdf.parameters import VdfParameters
    from vdf_bench.defenses.vdf.visual import VisualLoss

#: Edge of the window of SSIM, pixels.
WINDOW: Final = 7
#: Shares that bfloat16 puts so near to the required one are looked at again in float32.
DOUBT: Final = 0.02


def similarity(first: Tensor, second: Tensor) -> float:
    """SSIM of two frames (3, S, S) on their 8-bit levels, by scikit-image's defaults as the official code has it.

    That is a uniform window of 7 px, sample covariances, and the mean over places where the window fits.
    """
    one, other = ((frame * 255).round() for frame in (first, second))
    maps = torch.cat([one, other, one * one, other * other, one * other])[None]
    means = avg_pool2d(avg_pool2d(maps, (WINDOW, 1), 1), (1, WINDOW), 1)[0]
    mean_a, mean_b, square_a, square_b, product = means.chunk(5)
    sample = WINDOW**2 / (WINDOW**2 - 1)
    covariance = sample * (product - mean_a * mean_b)
    variances = sample * (square_a - mean_a**2 + square_b - mean_b**2)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ratio = (2 * mean_a * mean_b + c1) * (2 * covariance + c2) / ((mean_a**2 + mean_b**2 + c1) * (variances + c2))
    return float(ratio.mean())


class Examination(Protocol):
    """How the loop judges pictures (3, S, S) of one frame."""

    def enough(self, picture: Tensor) -> tuple[list[Glance], bool]:
        """What an update needs, and whether ``picture`` succeeds."""
        ...

    def whole(self, picture: Tensor) -> list[Glance]:
        """Every scale in sight, in full precision."""
        ...

    def loss(self, glances: list[Glance]) -> Tensor:
        """What an update descends."""
        ...

    def combine(self, picture: Tensor, glances: list[Glance]) -> ParsingResult:
        """What to record of the published picture, which ``glances`` have seen last."""
        ...


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
        self._required = parameters.success_share
        self._worst = worst
        self._sights = objective.prepare(clean, reduced=self._reduced)

    def whole(self, picture: Tensor) -> list[Glance]:
        """Every scale in sight, in full precision."""
        return self._look(picture, self._sights, reduced=False)

    def enough(self, picture: Tensor) -> tuple[list[Glance], bool]:
        """What an update needs, and whether ``picture`` (3, S, S) succeeds."""
        sights = self._sights
        briefly = self._updates == "first-unmet"
        if briefly:
            sights = sorted(sights, key=lambda sight: self._worst.get(sight.scale, 0.0))
        glances = self._look(picture, sights, reduced=self._reduced, briefly=briefly)
        if self._reduced and self._succeeds(glances) and any(map(self._doubtful, glances)):
            glances = self._look(picture, sights, reduced=False, briefly=briefly)
        return glances, self._succeeds(glances)

    def loss(self, glances: list[Glance]) -> Tensor:
        """What the update descends: the scales named by ``updates``, or all that were seen if all succeed."""
        unmet = [glance for glance in glances if not self._objective.met(glance)]
        chosen = glances if self._updates == "all" or not unmet else unmet
        return torch.stack([glance.loss for glance in chosen]).sum()

    def combine(self, picture: Tensor, glances: list[Glance]) -> ParsingResult:
        """Glances are at the scales that are recorded: nothing is left to look at."""
        return self._objective.combine(picture, glances)

    def _look(self, picture: Tensor, sights: list[Sight], *, reduced: bool, briefly: bool = False) -> list[Glance]:
        glances = []
        for sight in sights:
            glance = self._objective.look(picture, sight, reduced=reduced)
            self._worst[sight.scale] = glance.share
            glances.append(glance)
            if briefly and not self._objective.met(glance):
                break
        return glances

    def _doubtful(self, glance: Glance) -> bool:
        return abs(glance.share - self._required) < DOUBT

    def _succeeds(self, glances: list[Glance]) -> bool:
        return all(self._objective.met(glance) for glance in glances)


def optimise(
    variables: Variables,
    painter: Painter,
    examiner: Examination,
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
        glances, success = examiner.enough(picture)
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
    examine: Callable[[Tensor], Examination] | None = None,
) -> Iterator[Tensor]:
    """Protect a video frame by frame; holds one frame and one set of variables.

    Args:
        frames: see :class:`vdf_bench.core.interfaces.Defense`.
        setting: likewise.
        parameters: of the method.
        record: filled as frames pass.
        name: for errors.
        visual: a term of the loss that looks at the picture, if there is one.
        notes: what to record of every frame besides.
        examine: makes the judge of a clean frame's pictures; an :class:`Examiner` of the setting's surrogate if None.
    """
    if examine is None:
        examine = _examine(ParsingObjective(require_surrogate(setting, name), parameters), parameters)
    levels = whole_levels(setting.budget)
    generator = torch.Generator().manual_seed(setting.seed)
    variables: Variables | None = None
    previous: Tensor | None = None
    for frame in frames:
        clean = frame.to(setting.device)
        first = variables is None or previous is None or parameters.sharing == "none"
        if variables is None or previous is None or parameters.sharing == "none":
            variables = Variables.draw(setting.size, parameters, generator).to(setting.device)
        else:
            variables = inherit(variables, previous, clean, parameters)
        examiner = examine(clean)
        picture, variables, glances, iterations = optimise(
            variables,
            Painter(clean, levels, parameters),
            examiner,
            parameters,
            first=first,
            visual=visual.against(clean) if visual else None,
        )
        record.add(iterations, examiner.combine(picture, glances), **(notes or {}))
        previous = clean
        yield picture.to(frame.device)


def _examine(objective: ParsingObjective, parameters: VdfParameters) -> Callable[[Tensor], Examination]:
    worst: dict[float, float] = {}
    return lambda clean: Examiner(objective, clean, parameters, worst)
