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

from pydantic import Field, PositiveFloat, field_validator, model_validator

from vdf_bench.core.cards import Card, Parameters
from vdf_bench.defenses.common.parameters import Transform  # noqa: TC001 - pydantic reads the annotation
from vdf_bench.defenses.common.record import Record
from vdf_bench.defenses.vdf import Vdf, VdfParameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from vdf_bench.core.interfaces import Setting
    from vdf_bench.core.registry import Kind

#: Parsers that ship for this defense. Their people, seeds and architectures are neither builtin's nor heldout's.
SURROGATES: tuple[str, ...] = ("surrogate-b", "surrogate-c")


class EotParameters(VdfParameters):
    """Parameters of VDF in expectation over transformation."""

    transforms: tuple[Transform, ...] = Field(
        ("jpeg", "blur", "noise", "rescale"), description="what may happen to the picture before a parser looks"
    )
    scale_range: tuple[PositiveFloat, PositiveFloat] = Field((0.3, 2.0), description="factors of 'rescale'")
    draws: int = Field(6, ge=1, description="views per iteration, the parsers taking turns")
    confidence: float = Field(
        0.8, ge=0, le=1, description="stop once each view's parser gives the targets this probability, too; 1 never"
    )
    surrogates: tuple[str, ...] = Field(SURROGATES, description="parsers besides the setting's; empty for none")
    scales: tuple[PositiveFloat, ...] = Field(
        (1.0, 1.5, 2.0, 0.75, 0.5), description="at which the log reports the setting's parser; no view is tied to them"
    )
    max_iterations_first: int = Field(60, ge=0, description="for the first frame")
    max_iterations: int = Field(8, ge=0, description="for every later frame")

    @field_validator("transforms", "surrogates", mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return [] if value == [""] else value

    @field_validator("surrogates")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        from vdf_bench.parsers.surrogates import surrogate_names

        if unknown := set(value) - set(surrogate_names()):
            raise ValueError(f"no such surrogate: {', '.join(sorted(unknown))}")
        return value

    @model_validator(mode="after")
    def _ordered(self) -> EotParameters:
        low, high = self.scale_range
        if low > high:
            raise ValueError(f"scale_range must rise, got {low:g} to {high:g}")
        return self


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
