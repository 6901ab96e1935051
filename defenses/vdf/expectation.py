"""How a frame looks in expectation: random views of it, to several parsers in turn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn.functional import interpolate

from vdf_bench.defenses.common.parsing import ParsingObjective, Sight, require_surrogate
from vdf_bench.defenses.common.views import draw_view
from vdf_bench.defenses.vdf.stream import Examiner
from vdf_bench.parsers.surrogates import load_surrogate

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting
    from vdf_bench.defenses.common.parsing import Glance, ParsingResult
    from vdf_bench.defenses.vdf.eot_parameters import EotParameters


def expectation(setting: Setting, parameters: EotParameters, *, name: str) -> Callable[[Tensor], ExpectedExaminer]:
    """What makes the examiner of each clean frame of a video; all of them draw from one generator.

    Args:
        setting: its surrogate is the first of the parsers, its seed that of the draws.
        parameters: which parsers besides, and the views.
        name: for errors.
    """
    first = require_surrogate(setting, name)
    parsers = [first, *(load_surrogate(other).to(setting.device) for other in parameters.surrogates)]
    objectives = [ParsingObjective(parser, parameters) for parser in parsers]
    # Not the stream that the variables start from.
    generator = torch.Generator().manual_seed(setting.seed + 1)
    return lambda clean: ExpectedExaminer(objectives, clean, parameters, generator)


class ExpectedExaminer(Examiner):
    """Judges pictures of one frame by random views.

    Source pixels are those in which each parser finds the region in the clean frame at its own size; they go with the
    view. A parser that finds none is not asked.

    Args:
        objectives: one for each parser, the setting's first.
        clean: the frame, (3, S, S).
        parameters: of the views.
        generator: of the draws, on the CPU.
    """

    def __init__(
        self, objectives: list[ParsingObjective], clean: Tensor, parameters: EotParameters, generator: torch.Generator
    ) -> None:
        super().__init__(objectives[0], clean, parameters, {})
        self._eot = parameters
        self._generator = generator
        found = ((objective, objective.find(clean, reduced=self._reduced)) for objective in objectives)
        self._seers = [(objective, region) for objective, region in found if bool(region.any())]

    def enough(self, picture: Tensor) -> tuple[list[Glance], bool]:
        """A draw of views; success if all of them succeed, and with confidence."""
        glances: list[Glance] = []
        for draw in range(self._eot.draws if self._seers else 0):
            objective, region = self._seers[draw % len(self._seers)]
            view = draw_view(picture, self._eot.transforms, self._eot.scale_range, self._generator)
            seen = interpolate(region[None, None].float(), view.shape[1:], mode="nearest-exact")
            pixels = seen.flatten().nonzero()[:, 0]
            if not len(pixels):
                continue
            glance = objective.look(view, Sight(1.0, 1.0, pixels), reduced=self._reduced)
            glances.append(glance)
            if self._updates == "first-unmet" and not self._objective.met(glance):
                break
        sure = all(math.exp(-float(glance.loss.detach())) > self._eot.confidence for glance in glances)
        return glances, sure and self._succeeds(glances)

    def combine(self, picture: Tensor, glances: list[Glance]) -> ParsingResult:
        """VDF's own result: the setting's parser, the published picture, the five scales."""
        del glances
        with torch.no_grad():
            return super().combine(picture, self.whole(picture))
