"""The editing objective: what an attribute editor makes of a picture is to differ from what it makes of the clean one.

Loss and success rule are those of the field (Ruiz et al. 2020, Disrupting Deepfakes; Huang et al. 2022, CMUA,
``evaluate.py``), on pictures in [-1, 1]: the loss is minus the mean squared difference of the two edits, and an edit
is spoilt where that, over the pixels that the clean edit changed by more than 0.5 in sum over the channels, exceeds
0.05.

One step looks at one edit, the next step at the next one (Disrupting's iterative class transfer), so that editors with
many edits cost no more than those with one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import torch
from torch.nn.functional import interpolate

from vdf_bench.core.errors import UserError
from vdf_bench.defenses.common.record import Rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from vdf_bench.core.interfaces import EditorModel, Setting
    from vdf_bench.defenses.common.parameters import EditingParameters

#: Sum over the channels of what an edit changes, on [-1, 1], beyond which a pixel counts as edited (CMUA).
EDITED: Final = 0.5
#: Half the width of the random start, 8-bit levels: where nothing differs the loss has no gradient, and less than half
#: a level is rounded away. Disrupting starts within a thousandth of the range for the same reason.
START: Final = 0.6
#: Smallest share of a picture that a clean edit must change to count: fewer pixels would be judged by noise.
LEAST: Final = 0.001


def require_editor(setting: Setting, name: str) -> EditorModel:
    """The editor that ``setting`` lends.

    Raises:
        UserError: there is none.
    """
    if setting.editor is None:
        raise UserError(f"defense {name} differentiates an attribute editor: Setting.editor must be one")
    return setting.editor


def random_start(clean: Tensor, generator: torch.Generator) -> Tensor:
    """A perturbation of ``clean`` (3, H, W) that just moves some pixels by a level; ``generator`` on the CPU."""
    return ((2 * torch.rand(clean.shape, generator=generator) - 1) * (START / 255)).to(clean)


def edited_region(edited: Tensor, picture: Tensor) -> Tensor:
    """Where an edit changed a picture.

    Args:
        edited: (3, h, w) RGB in [0, 1], what the editor gave out.
        picture: (3, H, W) RGB in [0, 1], what it was given; seen at the editor's size.

    Returns:
        (h, w) bool.
    """
    if picture.shape != edited.shape:
        size = (edited.shape[1], edited.shape[2])
        picture = interpolate(picture[None], size, mode="bilinear", align_corners=False, antialias=True)[0]
    return 2 * (edited - picture).abs().sum(0) > EDITED


def masked_l2(first: Tensor, second: Tensor, region: Tensor) -> Tensor:
    """Mean squared difference on [-1, 1] of two pictures (3, h, w) in [0, 1] over ``region`` (h, w); a scalar.

    The name is CMUA's; no root is taken. An empty region counts as no difference.
    """
    return 4 * ((first - second) ** 2 * region).sum() / (3 * region.sum()).clamp(min=1)


@dataclass
class CleanEdits:
    """What an editor makes of a clean picture.

    Attributes:
        edited: (3, h, w) in [0, 1], by edit.
        regions: (h, w) bool, what it changed; edits that changed next to nothing are left out.
        turns: edits in the order in which steps look at them next.
    """

    edited: dict[str, Tensor]
    regions: dict[str, Tensor]
    turns: deque[str] = field(default_factory=deque)


@dataclass
class EditingResult:
    """What an editor makes of a protected picture.

    Attributes:
        loss: mean over the edits looked at; scalar.
        success: whether the stopping rule lets the picture go.
        required: masked L2 beyond which an edit is spoilt.
        measure: gives the masked L2 of every edit on the published picture; asked when needed.
    """

    loss: Tensor
    success: bool
    required: float
    measure: Callable[[], dict[str, float]]

    @cached_property
    def by_edit(self) -> dict[str, float]:
        """Masked L2 of every edit."""
        return self.measure()

    @property
    def l2(self) -> float:
        """The smallest masked L2; the largest there can be where no edit changes anything."""
        return min(self.by_edit.values(), default=4.0)

    @property
    def met(self) -> bool:
        """Whether every edit is spoilt."""
        return self.l2 > self.required


class EditingObjective:
    """Loss and success rule of an attack on ``editor``; an ``Objective`` of :mod:`vdf_bench.defenses.common.descent`.

    ``view`` is what happens to a picture before the editor sees it in a step; what is measured for the record is the
    picture as published.
    """

    def __init__(
        self, editor: EditorModel, parameters: EditingParameters, view: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        self._editor = editor
        self._parameters = parameters
        self._view = view

    def edit(self, picture: Tensor, edit: str) -> Tensor:
        """One edit of one picture: (3, H, W) to (3, h, w)."""
        return self._editor.edit(picture[None], edit)[0]

    @torch.no_grad()
    def prepare(self, clean: Tensor) -> CleanEdits:
        """Edit a clean picture (3, H, W) in every way."""
        edited = {name: self.edit(clean, name) for name in self._editor.edits}
        regions = {name: edited_region(picture, clean) for name, picture in edited.items()}
        regions = {name: region for name, region in regions.items() if float(region.float().mean()) >= LEAST}
        return CleanEdits(edited, regions, deque(regions))

    def judge(self, picture: Tensor, prepared: CleanEdits) -> EditingResult:
        """Judge a protected picture (3, H, W); differentiable where ``picture`` is.

        With the stopping rule, steps are spent on edits that are not spoilt yet, and success is that there are none;
        the loss is then that of the edit that is nearest to not being spoilt.
        """
        parameters = self._parameters
        count = parameters.edits_per_step or len(prepared.turns)
        losses: list[Tensor] = []
        spoilt: list[tuple[float, Tensor]] = []
        view = picture if self._view is None else self._view(picture)
        for edit in list(prepared.turns):
            if len(losses) == count:
                break
            edited = self.edit(view, edit)
            loss = self.loss(edited, edit, prepared)
            if parameters.editor_stop and (l2 := self.difference(edited, edit, prepared)) > parameters.editor_l2:
                spoilt.append((l2, loss))
                continue
            losses.append(loss)
            prepared.turns.remove(edit)
            prepared.turns.append(edit)
        success = parameters.editor_stop and not losses
        if success and spoilt:
            losses = [min(spoilt, key=itemgetter(0))[1]]
        published = picture.detach()
        return EditingResult(
            sum(losses, (0 * picture).sum()) / max(len(losses), 1),
            success,
            parameters.editor_l2,
            lambda: self.measure(published, prepared),
        )

    def loss(self, edited: Tensor, edit: str, prepared: CleanEdits) -> Tensor:
        """Minus the squared difference of ``edited`` from the clean picture's ``edit``, in the chosen region."""
        region = prepared.regions[edit]
        if self._parameters.editor_region == "all":
            region = torch.ones_like(region)
        return -masked_l2(edited, prepared.edited[edit], region)

    @staticmethod
    def difference(edited: Tensor, edit: str, prepared: CleanEdits) -> float:
        """Masked L2 between ``edited`` (3, h, w) and the clean picture's ``edit``."""
        return float(masked_l2(edited.detach(), prepared.edited[edit], prepared.regions[edit]))

    @torch.no_grad()
    def measure(self, picture: Tensor, prepared: CleanEdits) -> dict[str, float]:
        """Masked L2 of every edit of a protected picture (3, H, W)."""
        return {edit: self.difference(self.edit(picture, edit), edit, prepared) for edit in prepared.regions}


class EditingRecord(Rows):
    """Per-picture record of an attack on an editor.

    ``iterations`` are the steps taken, ``success`` is 1 where the published picture spoils every edit, ``l2`` the
    smallest masked L2 over the edits, ``l2@E`` that of edit E (1 where E changes next to nothing), ``loss`` the loss
    that was left.
    """

    def add(self, iterations: int, result: EditingResult, **more: float) -> None:
        """Note one picture."""
        values = {
            "iterations": float(iterations),
            "success": float(result.met),
            "l2": result.l2,
            "loss": float(result.loss.detach()),
        }
        self.note(**values, **{f"l2@{edit}": l2 for edit, l2 in result.by_edit.items()}, **more)
