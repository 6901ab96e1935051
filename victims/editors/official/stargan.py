"""StarGAN (Choi et al. 2018), with the user's generator ``*-G.ckpt`` of the official PyTorch training.

Architecture: paper, appendix 7.2, table 4 (7 x 7, two strided 4 x 4, six residual blocks, two transposed 4 x 4, 7 x 7,
tanh; instance norm). Keys: one ``nn.Sequential`` named ``main``, as PyTorch numbers it, residual blocks with a
``main`` of their own; derived from that layout and not held against a genuine file here. The official test leaves
the network in training mode, so its norms use the picture's own statistics; what they tracked is not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import Field

from vdf_bench.core.cards import Card
from vdf_bench.victims.editors.official.common import RUNNING, OfficialEditor, OfficialModel, OfficialParameters

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.core.cards import Parameters
    from vdf_bench.core.interfaces import EditorModel
    from vdf_bench.victims.editors.official.common import Change

#: Attributes of the official CelebA training, in its order; the first three exclude each other.
EDITS: Final = ("black-hair", "blond-hair", "brown-hair", "gender", "age")
HAIR: Final = 3


class StarGanParameters(OfficialParameters):
    """The attributes of the unedited portrait, which the network needs."""

    labels: tuple[bool, bool, bool, bool, bool] = Field(
        (False, False, True, False, True),
        description="black, blond and brown hair, male, young: what portraits are taken to be",
    )


def target(labels: tuple[bool, ...], edit: str) -> tuple[float, ...]:
    """Labels after an edit, as the official test makes them: hair colours exclude each other, others turn over."""
    index = EDITS.index(edit)
    wanted = [float(value) for value in labels]
    if index < HAIR:
        wanted[:HAIR] = [float(k == index) for k in range(HAIR)]
    else:
        wanted[index] = 1 - wanted[index]
    return tuple(wanted)


class StarGan(OfficialEditor):
    """The official generator on the user's checkpoint."""

    card: ClassVar[Card] = Card(
        name="stargan",
        title="StarGAN (official checkpoint)",
        summary="The generator of StarGAN, written anew, with the user's own CelebA checkpoint: hair colours, gender "
        "and age at 128 px (--set stargan.size=256 for one trained at 256). Labels of the unedited portrait are a "
        "parameter.",
        source="Choi et al., StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image "
        "Translation",
        url="https://github.com/yunjey/stargan",
        year=2018,
        needs=("user:stargan-G.ckpt",),
        tags=("editor", "official"),
    )
    parameters_model: ClassVar[type[Parameters]] = StarGanParameters

    def load(self, device: str = "cpu") -> EditorModel:
        import torch

        from vdf_bench.assets.checkpoints import read_state_dict
        from vdf_bench.assets.third_party import path_of
        from vdf_bench.victims.editors.official.common import load_strictly, planes, width_of
        from vdf_bench.victims.editors.official.networks import StarGenerator

        state = read_state_dict(path_of("stargan"), "stargan")
        width = width_of(state, "main.0.weight", "stargan")
        network = load_strictly(lambda: StarGenerator(width, len(EDITS)), state, "stargan", device, RUNNING)

        def change(wanted: tuple[float, ...]) -> Change:
            def apply(x: Tensor) -> Tensor:
                edited: Tensor = network(torch.cat([x, planes(x, wanted)], 1))
                return edited

            return apply

        labels = self.parameters.labels
        return OfficialModel(self.parameters.size, {edit: change(target(labels, edit)) for edit in EDITS})
