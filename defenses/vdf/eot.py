"""VDF against an attacker who does more than look: the same perturbation, optimised in expectation.

``vdf`` knows one parser and five sizes. This variant knows the suite of attacks that published videos meet here: it
averages the parsing loss over random views of the picture (Athalye et al. 2018: JPEG, blur, noise, any size between
0.3 and 2 of its own, each differentiable) and over three parsers, the setting's and two others that ship for this
alone. The parser ``heldout`` is never among them: it is the attacker's.

Variables, budget, inheritance and Adam are VDF's. A frame is done when all views of one draw succeed, and clearly so:
what a parser is only just misled by does not mislead another one. As every frame draws anew, a weakness that one draw
missed is found by a later frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from vdf_bench.core.cards import Card, Parameters
from vdf_bench.defenses.common.record import Record
from vdf_bench.defenses.vdf import Vdf
from vdf_bench.defenses.vdf.eot_parameters import EotParameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting
    from vdf_bench.core.registry import Kind


class VdfEot(Vdf):
    """VDF in expectation over transformations and parsers."""

    card = Card(
        name="vdf-eot",
        title="VDF that knows the attackers' suite: in expectation over transformations and parsers",
        summary="VDF's perturbation and inheritance; the loss is averaged over random JPEG, blur, noise and sizes from "
        "0.3 to 2, and over builtin and two more parsers. Never over heldout.",
        source="Sun et al., VDF; Athalye et al., Synthesizing Robust Adversarial Examples; differentiable JPEG of Shin "
        "and Song 2017",
        url="https://arxiv.org/abs/1707.07397",
        year=2018,
        cost="minutes",
    )
    parameters_model: ClassVar[type[Parameters]] = EotParameters

    def uses(self) -> list[tuple[Kind, str]]:
        return [("parsers", name) for name in self.parameters.surrogates]

    def protect(self, frames: Iterator[Tensor], setting: Setting) -> Iterator[Tensor]:
        from vdf_bench.defenses.vdf.expectation import expectation
        from vdf_bench.defenses.vdf.stream import protect

        self._record = Record()
        examine = expectation(setting, self.parameters, name=self.card.name)
        return protect(frames, setting, self.parameters, self._record, name=self.card.name, examine=examine)
