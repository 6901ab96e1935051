"""Work in progress: a folder of finished segments beside the video to come, so that a killed run goes on.

A segment begins with the defense's first-frame state, as a key frame does in a codec. So no state has to survive a
kill, and a run that was stopped ten times ends in the same bytes as one that never was.
"""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.core.errors import UserError
from vdf_bench.protection.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Frames between two fresh starts of the defense: what a killed run may lose.
SEGMENT: Final = 100
_STATE = "state.json"


@dataclass(frozen=True)
class Partial:
    """The folder ``OUT.partial``.

    Attributes:
        folder: where it is.
        survey: of the video.
    """

    folder: Path
    survey: Survey

    def segment(self, number: int) -> Path:
        """Where a finished segment is. NUT keeps every clock exactly."""
        return self.folder / f"{number:06d}.nut"

    def note(self, number: int) -> Path:
        """Where the record of a segment is."""
        return self.folder / f"{number:06d}.json"

    def finished(self) -> int:
        """How many segments are there, from the first without a gap."""
        number = 0
        while self.segment(number).is_file():
            number += 1
        return number


def partial_of(out: Path) -> Path:
    """The folder of the work on ``out``."""
    return out.with_name(out.name + ".partial")


def read_survey(out: Path, key: dict[str, Any]) -> Survey | None:
    """The survey of the work on ``out`` that was begun earlier; None where there is none.

    Raises:
        UserError: what is there is other work, or no work at all.
    """
    folder = partial_of(out)
    state = folder / _STATE
    remedy = f"delete {folder} to start afresh, or choose another name"
    if not folder.exists():
        return None
    if not state.is_file():
        if folder.is_dir() and not any(folder.iterdir()):
            return None
        raise UserError(f"{folder} already exists and is not the work of an interrupted run: {remedy}")
    try:
        values = json.loads(state.read_text())
        begun, survey = values["work"], Survey.from_json(values["survey"])
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{state} is damaged: {remedy}") from None
    other = sorted(name for name in {*begun, *key} if begun.get(name) != key.get(name))
    if other:
        raise UserError(f"{folder} was started with a different {' and '.join(other)}: {remedy}")
    return survey


@contextmanager
def claim(out: Path, key: dict[str, Any], survey: Survey) -> Iterator[Partial]:
    """Make or reopen the folder, for one process at a time; what a killed one left half done is deleted.

    Raises:
        UserError: another process is at work.
    """
    folder = partial_of(out)
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another process is writing {out}: wait until it has finished, or choose another name"
            ) from None
        for scrap in folder.glob("unfinished*"):
            scrap.unlink()
        beside = folder / "unfinished.json"
        beside.write_text(json.dumps({"work": key, "survey": survey.to_json()}, indent=1))
        beside.replace(folder / _STATE)
        yield Partial(folder, survey)
