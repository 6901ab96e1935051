"""What a component says of itself: its card and its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

    from vdf_bench.core.registry import Kind

CostClass = Literal["seconds", "minutes", "hours"]
#: Networks that a setting may lend to a defense: ``Setting.surrogate`` and ``Setting.editor``.
Surrogate = Literal["parser", "editor"]


@dataclass(frozen=True)
class Card:
    """Metadata of a component; `list`, `info`, the documentation and the leaderboard are made from it.

    Attributes:
        name: what the command line calls it.
        title: one line, what it is.
        summary: one or two sentences: what it does and where it follows its source.
        source: the paper or code it comes from.
        url: where that is.
        year: year of the source.
        licence: licence of this implementation.
        needs: what must be present, as ``weights:NAME`` (shipped), ``user:NAME`` (a file or folder among the user's own
            weights), ``extra:NAME`` (a package), ``checkout:NAME`` or ``gpu``; empty runs anywhere.
        cost: rough time per clip on two CPU cores at the default preset.
        version: raised whenever results change; part of every cache key.
        tags: such as ``control`` for components that no one would deploy.
        short: the parameter that ``name:value`` sets (purifiers in chains); empty for none.
        trained_on: of a network, what it has seen: people, renders or photographs.
        differentiable: of a parser, that a defense may differentiate it: then it may be a surrogate.
        teachable: of a parser, that an attacker may go on training it.
        edges: of a network, the smallest and largest edge in pixels at which it looks; None for any.
    """

    name: str
    title: str
    summary: str
    source: str = ""
    url: str = ""
    year: int | None = None
    licence: str = "Apache-2.0"
    needs: tuple[str, ...] = ()
    cost: CostClass = "seconds"
    version: int = 1
    tags: tuple[str, ...] = ()
    short: str = ""
    trained_on: str = ""
    differentiable: bool = False
    teachable: bool = False
    edges: tuple[int, int] | None = None


class Parameters(BaseModel):
    """Base of every component's parameters: frozen, closed to unknown names, bounds in the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Component:
    """Base of plug-ins: a card, a parameter model, and an instance that holds validated parameters.

    A component's module is imported to list it, so it must not import torch, numba or pandas at its top.

    Attributes:
        surrogates: of a defense, which of the networks that a setting may lend it can differentiate, one at a time;
            empty where it asks for none.
    """

    card: ClassVar[Card]
    surrogates: ClassVar[frozenset[Surrogate]] = frozenset()
    parameters_model: ClassVar[type[Parameters]] = Parameters

    def __init__(self, parameters: Any = None) -> None:
        self.parameters: Any = parameters if parameters is not None else self.parameters_model()

    @classmethod
    def configured(cls, overrides: Mapping[str, Any]) -> Self:
        """Build from values, or from the texts of ``--set``, where a sequence is written with commas.

        Raises:
            UserError: an unknown parameter or a value out of bounds.
        """
        fields = cls.parameters_model.model_fields
        values = {
            name: value.split(",") if isinstance(value, str) and _is_tuple(fields.get(name)) else value
            for name, value in overrides.items()
        }
        try:
            return cls(cls.parameters_model.model_validate(values))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join([cls.card.name, *map(str, first["loc"])])
            known = ", ".join(cls.parameters_model.model_fields) or "none"
            raise UserError(f"--set {where}: {first['msg']} (parameters of {cls.card.name}: {known})") from None

    def uses(self) -> list[tuple[Kind, str]]:
        """Kind and name of other components that these parameters make it run, such as ``("parsers", "builtin")``.

        Their code and weights are part of every cache key too.
        """
        return []

    @classmethod
    def fingerprint(cls) -> str:
        """What results depend on besides code, parameters and weights, such as an official checkout's commit.

        It is part of every cache key, so it must not name a place on this machine.
        """
        return ""


def _is_tuple(field: FieldInfo | None) -> bool:
    return field is not None and get_origin(field.annotation) is tuple
