"""The parameters of VDF in expectation over transformations and parsers."""

from __future__ import annotations

from pydantic import Field, PositiveFloat, field_validator, model_validator

from vdf_bench.defenses.common.parameters import Transform  # noqa: TC001 - pydantic reads the annotation
from vdf_bench.defenses.vdf.parameters import VdfParameters

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
