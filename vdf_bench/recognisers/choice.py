"""Who recognises people in a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vdf_bench.core import registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vdf_bench.core.clip import Clip
    from vdf_bench.core.registry import Kind
    from vdf_bench.recognisers.base import BaseRecogniser

#: Takes a recogniser of real faces for clips of real people where there is one, and the shipped one else.
AUTO: Final = "auto"
#: What :data:`AUTO` chooses between: for rendered people, and for real ones.
RENDERED, REAL = "id-synth", "arcface"


def candidates(name: str) -> list[tuple[Kind, str]]:
    """The components that may be chosen under ``name``."""
    return [("recognisers", each) for each in ((RENDERED, REAL) if name == AUTO else (name,))]


def choose(name: str, parameters: Mapping[str, Mapping[str, Any]], real: bool) -> BaseRecogniser:
    """The recogniser of a clip; nothing is loaded.

    Args:
        name: a registered one, or :data:`AUTO`.
        parameters: of recognisers, by name.
        real: whether the clip shows a real person.

    Raises:
        UserError: no such recogniser, or a parameter that does not exist or is out of bounds.
    """
    if name == AUTO:
        arcface = registry.load("recognisers", REAL).configured(parameters.get(REAL, {}))
        name = REAL if real and arcface.file() is not None else RENDERED
    found: BaseRecogniser = registry.load("recognisers", name).configured(parameters.get(name, {}))
    return found


def is_real(clip: Clip) -> bool:
    """Whether a clip shows a real person; animated photographs do, and know no pose."""
    return clip.truth is None or clip.truth.pose is None
