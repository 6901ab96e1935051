"""Protection in colour alone, after Anti-Forgery (Wang et al. 2022), against attribute editors.

What follows the paper: the perturbation lives in the a and b channels of CIE Lab and leaves lightness alone, because
eyes are duller for colour and what shifts colours smoothly outlives attempts to reconstruct a picture; it is found by
gradients of the squared difference of two edits. What does not, or is not known here: steps and learning rate are this
project's; and the perturbation is kept within the benchmark's bound in RGB, channel by channel, so that all defenses
have one budget. Where that cuts, and by rounding, lightness moves a little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.defenses.common.parameters import EditingParameters
from vdf_bench.defenses.common.record import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting
    from vdf_bench.defenses.common.editing import EditingObjective, EditingRecord


class AntiForgeryParameters(EditingParameters):
    """Parameters of protection in Lab."""

    editor_steps: int = Field(20, ge=0, description="steps of Adam, at most")
    editor_step_size: float = Field(1.0, gt=0, le=100, description="learning rate of Adam, in units of a and b")


class AntiForgery(Component):
    """Anti-Forgery-style: Adam on the a and b channels of Lab."""

    card = Card(
        name="anti-forgery",
        title="Anti-Forgery-style: colours of Lab against the attribute editor",
        summary="Perturbs a and b of CIE Lab with Adam and leaves lightness alone, cut to the budget in RGB. A "
        "re-implementation of the idea; steps and learning rate are this project's.",
        source="Wang et al., Anti-Forgery: Towards a Stealthy and Robust DeepFake Disruption Attack",
        url="https://arxiv.org/abs/2206.00477",
        year=2022,
        cost="seconds",
    )
    parameters_model: ClassVar[type[Parameters]] = AntiForgeryParameters
    surrogates = frozenset({"editor"})

    def __init__(self, parameters: AntiForgeryParameters | None = None) -> None:
        super().__init__(parameters)
        self._record = Rows()

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.defenses.common.editing import EditingObjective, EditingRecord, require_editor

        self._record = record = EditingRecord()
        objective = EditingObjective(require_editor(setting, self.card.name), self.parameters)
        return self._protect(frames, setting, objective, record)

    def _protect(
        self, frames: Iterator[Tensor], setting: Setting, objective: EditingObjective, record: EditingRecord
    ) -> Iterator[Tensor]:
        import torch

        from vdf_bench.defenses.common.lab import to_lab, to_rgb
        from vdf_bench.defenses.common.pixels import publish, whole_levels

        bound = whole_levels(setting.budget) / 255
        limit = self.parameters.editor_steps if bound else 0
        chance = torch.Generator().manual_seed(setting.seed)
        for frame in frames:
            clean = frame.to(setting.device)
            lab, prepared = to_lab(clean), objective.prepare(clean)
            # Where nothing differs yet there is no gradient: begin at random colours, a level or so away.
            colours = torch.randn((2, *clean.shape[1:]), generator=chance).to(clean).requires_grad_()
            adam = torch.optim.Adam([colours], self.parameters.editor_step_size)
            for step in range(limit + 1):
                delta = to_rgb(torch.cat([lab[:1], lab[1:] + colours])) - clean
                picture = publish(clean, delta.clamp(-bound, bound))
                result = objective.judge(picture, prepared)
                if result.success or step == limit:
                    break
                (colours.grad,) = torch.autograd.grad(result.loss, colours)
                adam.step()
            record.add(step, result)
            yield picture.detach().to(frame.device)

    def log(self) -> dict[str, list[float]]:
        return self._record.as_log()
