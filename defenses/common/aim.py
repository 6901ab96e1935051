"""What the sign-gradient family attacks: the network that the setting lends, a face parser or an attribute editor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from vdf_bench.core.errors import UserError
from vdf_bench.defenses.common.descent import Stepping
from vdf_bench.defenses.common.editing import EditingObjective, EditingRecord, random_start
from vdf_bench.defenses.common.parsing import ParsingObjective
from vdf_bench.defenses.common.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting
    from vdf_bench.defenses.common.descent import Objective, SteppingParameters
    from vdf_bench.defenses.common.parameters import DescentParameters


@dataclass(frozen=True)
class Aim:
    """The settings of the loop.

    Attributes:
        objective: loss and success rule.
        record: notes of every frame.
        stepping: how many steps, and how long.
        start: the perturbation from which a frame sets out.
    """

    objective: Objective
    record: Record | EditingRecord
    stepping: SteppingParameters
    start: Callable[[Tensor], Tensor]


def take_aim(setting: Setting, parameters: DescentParameters, name: str) -> Aim:
    """Aim at the editor where the setting lends one, else at its parser.

    Raises:
        UserError: it lends neither.
    """
    if setting.editor is not None:
        stepping = Stepping(parameters.editor_steps, parameters.editor_step_size, parameters.warm)
        chance = torch.Generator().manual_seed(setting.seed)
        start = partial(random_start, generator=chance)
        return Aim(EditingObjective(setting.editor, parameters), EditingRecord(), stepping, start)
    if setting.surrogate is None:
        raise UserError(
            f"defense {name} differentiates a face parser or an attribute editor: Setting.surrogate or "
            "Setting.editor must name one"
        )
    return Aim(ParsingObjective(setting.surrogate, parameters), Record(), parameters, torch.zeros_like)
