"""One perturbation for all pictures, after CMUA (Huang et al. 2022), against attribute editors.

What follows the source: the watermark is made once, on other people's pictures, and added to every picture; sign
steps; the gradient signs of a batch are averaged (image-level fusion); the watermark moves by half of what an attack
adds to it, attack after attack (perturbation-level fusion, momentum 0.5); the published ten steps of 0.01 on [-1, 1].
What does not: there attacks differ in the network (StarGAN, AttGAN, AttentionGAN, HiSD), here they differ in the edit
of the one network that the setting lends; step sizes are not searched for; batches hold a few portraits, not 64, and
show people of the shipped networks' training range instead of photographs.

The perturbation depends on the editor, the budget, the size and the seed, and on no picture that it is added to. It is
prepared once for all of them, in a step of its own, whose cost a run records apart from that of protecting a picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdf_bench.core.cards import Card, Component, Parameters
from vdf_bench.defenses.cmua.parameters import CmuaParameters
from vdf_bench.defenses.common.record import Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.core.interfaces import Setting
    from vdf_bench.defenses.common.editing import EditingObjective, EditingRecord


class Cmua(Component):
    """CMUA-style: the same perturbation for everybody."""

    card = Card(
        name="cmua",
        title="CMUA-style: one universal perturbation against the attribute editor",
        summary="Made once on portraits of training identities, edit after edit, and added to every picture; it never "
        "sees the picture that it protects. A re-implementation for one editor at a time.",
        source="Huang et al., CMUA-Watermark: A Cross-Model Universal Adversarial Watermark",
        url="https://arxiv.org/abs/2105.10872",
        year=2022,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = CmuaParameters
    surrogates = frozenset({"editor"})

    def __init__(self, parameters: CmuaParameters | None = None) -> None:
        super().__init__(parameters)
        self._record = Rows()

    def prepare(self, setting: Setting) -> dict[str, NDArray[np.float32]]:
        """The universal perturbation, (3, S, S) in [0, 1] units, whole levels.

        Raises:
            UserError: the setting lends no editor.
        """
        from vdf_bench.defenses.cmua.universal import universal_perturbation
        from vdf_bench.defenses.common.editing import require_editor

        editor = require_editor(setting, self.card.name)
        return {"perturbation": universal_perturbation(editor, setting, self.parameters).cpu().numpy()}

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.defenses.common.editing import EditingObjective, EditingRecord, require_editor
        from vdf_bench.defenses.common.parameters import EditingParameters

        self._record = record = EditingRecord()
        objective = EditingObjective(require_editor(setting, self.card.name), EditingParameters())
        return self._protect(frames, setting, objective, record)

    def _protect(
        self, frames: Iterator[Tensor], setting: Setting, objective: EditingObjective, record: EditingRecord
    ) -> Iterator[Tensor]:
        import torch

        from vdf_bench.defenses.common.pixels import publish

        prepared = setting.prepared or self.prepare(setting)
        delta = torch.from_numpy(prepared["perturbation"]).to(setting.device)
        for frame in frames:
            clean = frame.to(setting.device)
            picture = publish(clean, delta)
            with torch.no_grad():
                record.add(0, objective.judge(picture, objective.prepare(clean)))
            yield picture.to(frame.device)

    def log(self) -> dict[str, list[float]]:
        return self._record.as_log()
