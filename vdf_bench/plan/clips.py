"""The clips of a request, written ``synth-a``, ``talk.mp4``, or with a length: ``synth-a@5s``, ``talk.mp4@125f``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from vdf_bench.core import registry
from vdf_bench.core.clip import FPS
from vdf_bench.core.errors import UserError
from vdf_bench.core.registry import provider_of

if TYPE_CHECKING:
    from vdf_bench.plan.request import Request

#: Shortest and longest clip that is attacked, frames.
LENGTHS = (16, 15000)
#: The provider whose portraits the images track runs on when nothing else is asked.
PORTRAITS = "portraits"


@dataclass(frozen=True)
class ClipSource:
    """One clip.

    Attributes:
        name: what tables call it: its registered name or a file's without folder and ending, and the length if given.
        source: registered name or path.
        provider: the entry point that offers it; None of a file.
        frames: its length; None takes the preset's.
        exact: the text names the length, so no shorter clip will do, and longer ones begin with it.
    """

    name: str
    source: str
    provider: str | None
    frames: int | None = None
    exact: bool = False

    @classmethod
    def parse(cls, text: str) -> ClipSource:
        """Find what a text names. A file whose own name looks like a length is that file.

        Raises:
            UserError: there is no such clip, or it cannot be of that length.
        """
        found = _find(text)
        if found is not None:
            return cls(found[0], text, found[1])
        source, at, length = text.rpartition("@")
        found = _find(source) if at else None
        if found is None:
            raise UserError(not_found(text))
        return cls(f"{found[0]}@{length}", source, found[1], _frames(length, text), exact=True)


def not_found(text: str) -> str:
    """What is said of a clip that is neither a registered name nor a file: the nearest of both, or where to look."""
    known = [name for provider in registry.names("clips") for name in registry.create("clips", provider).names()]
    folder = Path(text).parent
    known += [str(folder / path.name) for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    near = get_close_matches(text, known, n=1)
    return f"clip {text!r} not found: " + (
        f"did you mean {near[0]!r}?" if near else "give a file, or a name from 'vdf-bench clips list'"
    )


def _find(source: str) -> tuple[str, str | None] | None:
    provider = provider_of(source)
    if provider is not None:
        return source, provider
    return (Path(source).stem, None) if Path(source).is_file() else None


def _frames(length: str, text: str) -> int:
    written = re.fullmatch(r"(\d+(?:\.\d+)?)s|(\d+)f", length)
    if written is None:
        raise UserError(f"clip {text!r}: {length!r} is not a length: give seconds as in @5s, or frames as in @125f")
    frames = round(float(written[1]) * FPS) if written[1] else int(written[2])
    if not LENGTHS[0] <= frames <= LENGTHS[1]:
        raise UserError(f"clip {text!r} is {frames} frames long: give {LENGTHS[0]} to {LENGTHS[1]}")
    return frames


def expand(request: Request) -> tuple[str, ...]:
    """The clips of a request, one text each: ``portraits:50`` stands for the first fifty of them.

    Raises:
        UserError: there are not so many.
    """
    count = request.preset.portraits
    default = (f"{PORTRAITS}:{count}",) if request.track == "images" else request.preset.clips
    return tuple(name for text in request.clips or default for name in _some(text, count))


def _some(text: str, count: int) -> list[str]:
    group, colon, number = text.partition(":")
    if group != PORTRAITS or Path(text).is_file():
        return [text]
    names: list[str] = registry.create("clips", PORTRAITS).names()
    if colon and not (number.isdecimal() and 1 <= int(number) <= len(names)):
        raise UserError(f"--clip {text}: give {PORTRAITS}:1 to {PORTRAITS}:{len(names)}")
    return names[: int(number) if colon else count]
