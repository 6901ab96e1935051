"""Attribute editors: victims of the images track, which change a portrait with the weights that they bring.

Two ship, of different families, trained on rendered people with exact truth (:mod:`vdf_bench.models.editors`); four
more (:mod:`vdf_bench.victims.editors.official`) run the user's own official checkpoints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdf_bench.core.cards import Card, Component

if TYPE_CHECKING:
    from vdf_bench.core.interfaces import EditorModel


class StarGanEditor(Component):
    """``stargan-synth``: a residual generator told by planes."""

    card: ClassVar[Card] = Card(
        name="stargan-synth",
        title="Attribute editor of StarGAN's family, on rendered people",
        summary="Residual generator (two strided downs, residual blocks with instance norm, two ups) that is told the "
        "change as constant planes and adds its answer to the picture: blond hair, beard, glasses, aged skin, smile "
        "at 128 px. Learnt from exact pairs, without the adversarial losses of the original.",
        source="Choi et al., StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image "
        "Translation",
        url="https://arxiv.org/abs/1711.09020",
        year=2018,
        needs=("weights:stargan-synth",),
        tags=("editor",),
    )

    def load(self, device: str = "cpu") -> EditorModel:
        from vdf_bench.models.editors import load_editor

        return load_editor(self.card.name, device)


class AttGanEditor(Component):
    """``attgan-synth``: encoder and decoder with the attribute vector in the latent code."""

    card: ClassVar[Card] = Card(
        name="attgan-synth",
        title="Attribute editor of AttGAN's family, on rendered people",
        summary="Encoder and decoder with skip connections and batch norm, the change written into the latent code: "
        "blond hair, beard, glasses, aged skin, smile at 128 px. Learnt from exact pairs, without the adversarial "
        "losses of the original.",
        source="He et al., AttGAN: Facial Attribute Editing by Only Changing What You Want",
        url="https://arxiv.org/abs/1711.10678",
        year=2019,
        needs=("weights:attgan-synth",),
        tags=("editor",),
    )

    def load(self, device: str = "cpu") -> EditorModel:
        from vdf_bench.models.editors import load_editor

        return load_editor(self.card.name, device)
