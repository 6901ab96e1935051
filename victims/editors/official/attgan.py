"""AttGAN (He et al. 2019), with the user's ``weights.*.pth`` of the PyTorch port that the CMUA defense attacks too.

Architecture: paper, appendix, and the port's defaults: five strided 4 x 4 convolutions from 64 to 1024 channels with
batch norm and leaky ReLU, the attributes as planes beside the code, five transposed ones, one skip connection and one
more injection of the attributes. Keys: ``G`` holds ``enc_layers.N.layers.M`` and ``dec_layers.N.layers.M``; derived
from that layout and not held against a genuine file here. Channels and attributes are read from the shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from pydantic import Field

from vdf_bench.core.cards import Card
from vdf_bench.core.errors import UserError
from vdf_bench.victims.editors.official.common import OfficialEditor, OfficialModel, OfficialParameters

if TYPE_CHECKING:
    from torch import Tensor

    from vdf_bench.core.cards import Parameters
    from vdf_bench.core.interfaces import EditorModel
    from vdf_bench.victims.editors.official.common import Change

#: The thirteen attributes of the paper (section IV), in its order.
EDITS: Final = (
    "bald", "bangs", "black-hair", "blond-hair", "brown-hair", "bushy-eyebrows", "eyeglasses", "male",
    "mouth-slightly-open", "mustache", "no-beard", "pale-skin", "young",
)  # fmt: skip
#: Attributes that exclude each other: who gets one loses the others of its row.
EXCLUSIVE: Final = (("black-hair", "blond-hair", "brown-hair"), ("bald", "bangs"), ("mustache", "no-beard"))
#: Values of attributes that are left (the port's ``thres_int``) and of the one that is edited (``test_int``).
LEFT, EDITED = 0.5, 1.0


class AttGanParameters(OfficialParameters):
    """The attributes of the unedited portrait, which the network needs."""

    has: tuple[str, ...] = Field(
        ("brown-hair", "no-beard", "young"), description="attributes that portraits are taken to have"
    )


def target(has: tuple[str, ...], edit: str) -> tuple[float, ...]:
    """The attribute vector of an edit, each in [-1, 1]: what is edited turns over, at full strength."""
    wanted = {name: name in has for name in EDITS}
    wanted[edit] = not wanted[edit]
    if wanted[edit]:
        for row in EXCLUSIVE:
            if edit in row:
                wanted.update({name: False for name in row if name != edit})
    return tuple((EDITED if name == edit else LEFT) * (1 if wanted[name] else -1) for name in EDITS)


class AttGan(OfficialEditor):
    """The official generator on the user's checkpoint."""

    card: ClassVar[Card] = Card(
        name="attgan",
        title="AttGAN (official checkpoint)",
        summary="The generator of AttGAN's PyTorch port, written anew, with the user's own CelebA checkpoint: thirteen "
        "attributes at 128 px (--set attgan.size=256 for one trained at 256). What the unedited portrait has is a "
        "parameter.",
        source="He et al., AttGAN: Facial Attribute Editing by Only Changing What You Want",
        url="https://github.com/elvisyjlin/AttGAN-PyTorch",
        year=2019,
        needs=("user:attgan-weights.pth",),
        tags=("editor", "official"),
    )
    parameters_model: ClassVar[type[Parameters]] = AttGanParameters

    def load(self, device: str = "cpu") -> EditorModel:
        from vdf_bench.assets.checkpoints import read_part
        from vdf_bench.assets.third_party import path_of
        from vdf_bench.victims.editors.official.common import load_strictly, width_of
        from vdf_bench.victims.editors.official.networks import AttGenerator

        unknown = [name for name in self.parameters.has if name not in EDITS]
        if unknown:
            raise UserError(f"--set attgan.has: no attribute {unknown[0]!r}; there are {', '.join(EDITS)}")
        state = read_part(path_of("attgan"), "attgan", "G")
        width = width_of(state, "enc_layers.0.layers.0.weight", "attgan")
        network = load_strictly(lambda: AttGenerator(width, len(EDITS)), state, "attgan", device)

        def change(wanted: tuple[float, ...]) -> Change:
            def apply(x: Tensor) -> Tensor:
                edited: Tensor = network(x, x.new_tensor(wanted).expand(len(x), -1))
                return edited

            return apply

        has = self.parameters.has
        return OfficialModel(self.parameters.size, {edit: change(target(has, edit)) for edit in EDITS})
