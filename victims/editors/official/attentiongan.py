"""AttentionGAN v1 (Tang et al. 2019), as CMUA attacks it, with the user's generator ``*-G.ckpt``.

Architecture: paper, section III-A and its StarGAN-like multi-domain form: StarGAN's generator up to the last layer,
then two heads, a picture (7 x 7, tanh) and an attention mask (7 x 7, sigmoid); the result is
``mask * input + (1 - mask) * picture`` (equation 1). Keys: StarGAN's ``main``, and the heads ``img_reg`` and
``attetion_reg`` (so spelt), as in the code of GANimation from which the layout comes. Heads under other names are
recognised by their shapes. Names and which side of the mask keeps the input were not held against a genuine file here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdf_bench.core.cards import Card
from vdf_bench.victims.editors.official.common import RUNNING, OfficialEditor, OfficialModel
from vdf_bench.victims.editors.official.stargan import EDITS, StarGanParameters, target

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.core.cards import Parameters
    from vdf_bench.core.interfaces import EditorModel
    from vdf_bench.victims.editors.official.common import Change


class AttentionGan(OfficialEditor):
    """The official generator on the user's checkpoint."""

    card: ClassVar[Card] = Card(
        name="attentiongan",
        title="AttentionGAN (official checkpoint)",
        summary="The attention-guided generator of AttentionGAN v1, written anew, with the user's own CelebA "
        "checkpoint: hair colours, gender and age. A mask says where the picture is kept.",
        source="Tang et al., Attention-Guided Generative Adversarial Networks for Unsupervised Image-to-Image "
        "Translation",
        url="https://github.com/Ha0Tang/AttentionGAN",
        year=2019,
        needs=("user:attentiongan-G.ckpt",),
        tags=("editor", "official"),
    )
    parameters_model: ClassVar[type[Parameters]] = StarGanParameters

    def load(self, device: str = "cpu") -> EditorModel:
        import torch

        from vdf_bench.assets.checkpoints import read_state_dict
        from vdf_bench.assets.third_party import path_of
        from vdf_bench.victims.editors.official.common import load_strictly, planes, width_of
        from vdf_bench.victims.editors.official.networks import AttentionGenerator

        state = _named(read_state_dict(path_of("attentiongan"), "attentiongan"))
        width = width_of(state, "main.0.weight", "attentiongan")
        network = load_strictly(lambda: AttentionGenerator(width, len(EDITS)), state, "attentiongan", device, RUNNING)

        def change(wanted: tuple[float, ...]) -> Change:
            def apply(x: Tensor) -> Tensor:
                edited: Tensor = network(torch.cat([x, planes(x, wanted)], 1))
                return edited

            return apply

        labels = self.parameters.labels
        return OfficialModel(self.parameters.size, {edit: change(target(labels, edit)) for edit in EDITS})


def _named(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The heads under the names of the network here: 7 x 7 to three channels, and to one, outside ``main``."""
    heads = {(3, 7): "image.0.weight", (1, 7): "mask.0.weight"}
    return {
        heads.get((value.shape[0], value.shape[-1]), key)
        if value.ndim == 4 and not key.startswith("main.")
        else key: value
        for key, value in state.items()
    }
