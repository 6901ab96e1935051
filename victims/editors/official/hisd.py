"""HiSD (Li et al. 2021), with the user's ``gen_*.pt`` of the official CelebA-HQ training.

Architecture: paper, section 3 and appendix: an encoder, for each tag (bangs, eyeglasses, hair colour) a translator with
AdaIN and an attention mask and a mapper from noise to a style for each attribute, and a decoder; edits are guided by
the latent code, which is drawn once from a seed. Keys: ``gen_test`` holds ``encoder``, ``decoder``, ``extractors``,
``translators.TAG``, ``mappers.TAG``; channels, style and noise lengths and the tags' attributes are read from the
shapes. Names of the layers inside the blocks follow the layout of the official repository's networks as described in
its paper; neither they nor the order of the attributes were held against a genuine file here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import Field

from vdf_bench.core.cards import Card
from vdf_bench.victims.editors.official.common import OfficialEditor, OfficialModel, OfficialParameters

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.core.cards import Parameters
    from vdf_bench.core.interfaces import EditorModel
    from vdf_bench.victims.editors.official.common import Change

#: Edits of the official CelebA-HQ configuration: tag and attribute.
EDITS: Final = {
    "bangs": (0, 0),
    "no-bangs": (0, 1),
    "eyeglasses": (1, 0),
    "no-eyeglasses": (1, 1),
    "black-hair": (2, 0),
    "blond-hair": (2, 1),
    "brown-hair": (2, 2),
}


class HisdParameters(OfficialParameters):
    """How styles are drawn."""

    noise: int = Field(0, ge=0, description="seed of the latent code that a style is made from")


class Hisd(OfficialEditor):
    """The official generator on the user's checkpoint."""

    card: ClassVar[Card] = Card(
        name="hisd",
        title="HiSD (official checkpoint)",
        summary="The generator of hierarchical style disentanglement, written anew, with the user's own CelebA-HQ "
        "checkpoint: bangs, eyeglasses and hair colour, guided by a latent code that is drawn from a seed.",
        source="Li et al., Image-to-image Translation via Hierarchical Style Disentanglement",
        url="https://github.com/imlixinyang/HiSD",
        year=2021,
        needs=("user:hisd-gen.pt",),
        tags=("editor", "official"),
    )
    parameters_model: ClassVar[type[Parameters]] = HisdParameters

    def load(self, device: str = "cpu") -> EditorModel:
        import torch

        from vdf_bench.assets.checkpoints import read_part
        from vdf_bench.assets.third_party import path_of
        from vdf_bench.victims.editors.official.common import load_strictly
        from vdf_bench.victims.editors.official.hisd_network import HisdGenerator, layout_of

        state = read_part(path_of("hisd"), "hisd", "gen_test")
        layout = layout_of(state, tuple(EDITS.values()))
        network = load_strictly(lambda: HisdGenerator(layout), state, "hisd", device)
        noise = torch.randn(1, layout.noise, generator=torch.Generator().manual_seed(self.parameters.noise)).to(device)

        def change(tag: int, attribute: int) -> Change:
            style = network.style(noise, tag, attribute)

            def apply(x: Tensor) -> Tensor:
                return network.translate(x, style.expand(len(x), -1), tag)

            return apply

        return OfficialModel(self.parameters.size, {edit: change(*where) for edit, where in EDITS.items()})
