"""The work itself: segments through the defense, then all of them into one file."""

from __future__ import annotations

import json
from collections import deque
from itertools import groupby, islice
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.core.errors import UserError
from vdf_bench.core.frames import to_bytes, to_tensors
from vdf_bench.core.interfaces import Setting
from vdf_bench.protection.partial import SEGMENT
from vdf_bench.protection.square import Square
from vdf_bench.stages.enforce import Published
from vdf_bench.video.decode import open_video
from vdf_bench.video.stream import begins, shots, write, written_shots

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor

    from vdf_bench.core.budget import Budget
    from vdf_bench.core.interfaces import Defense, DifferentiableParser
    from vdf_bench.protection.partial import Partial
    from vdf_bench.protection.survey import Survey, Tell
    from vdf_bench.video.stream import Coding, Shot


def clean_shots(video: Path, survey: Survey) -> Iterator[Shot]:
    """The pictures of the original, at times counted from where the file begins."""
    with open_video(video) as source:
        yield from shots(source, survey.shape.clock, begins(source))


def computed_shots(partial: Partial) -> Iterator[Shot]:
    """The protected pictures, exactly as they were computed."""
    for number in range(partial.finished()):
        yield from written_shots(partial.segment(number), partial.survey.shape.clock)


def protect_segments(
    video: Path,
    partial: Partial,
    defense: Defense,
    budget: Budget,
    seed: int,
    surrogate: DifferentiableParser,
    tell: Tell,
    device: str = "cpu",
) -> None:
    """Protect every segment that is not there yet; holds a few pictures at a time."""
    survey = partial.survey
    first = partial.finished()
    if first * SEGMENT >= survey.frames:
        return
    square = Square(survey.square, survey.size)
    left = islice(enumerate(clean_shots(video, survey)), first * SEGMENT, None)
    for number, pieces in groupby(left, key=lambda numbered: numbered[0] // SEGMENT):
        setting = Setting(
            budget=budget,
            size=survey.size,
            fps=survey.shape.rate,
            seed=_segment_seed(seed, number),
            surrogate=surrogate,
            device=device,
        )
        waiting: deque[Shot] = deque()
        published = Published(defense, _squares((shot for _, shot in pieces), square, waiting), setting)
        scratch = partial.folder / "unfinished.nut"
        write(scratch, _pasted(published, waiting, square, number, survey, tell), survey.shape.upright(), "ffv1")
        log = published.log()
        record = {"seconds": published.seconds, "success": log.get("success", []), "kept": log.get("kept", [])}
        partial.note(number).write_text(json.dumps(record))
        scratch.replace(partial.segment(number))


def join(out: Path, video: Path, partial: Partial, coding: Coding, tell: Tell) -> None:
    """Write the segments and the sound of ``video`` into one file.

    Raises:
        UserError: frames are missing.
    """
    survey = partial.survey
    count = 0

    def counted() -> Iterator[Shot]:
        nonlocal count
        for shot in computed_shots(partial):
            yield shot
            count += 1
            tell("writing", count, survey.frames)

    write(out, counted(), survey.shape, coding, sound=video)
    if count != survey.frames:
        remedy = f"delete {partial.folder} to start afresh"
        raise UserError(f"{partial.folder} contains {count} of {survey.frames} frames, a segment is damaged: {remedy}")


def _segment_seed(seed: int, number: int) -> int:
    """Other random numbers in every segment; in the first those of a short clip."""
    return seed if number == 0 else int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _squares(pieces: Iterator[Shot], square: Square, waiting: deque[Shot]) -> Iterator[Tensor]:
    """What the defense sees; the whole pictures wait for what comes back."""
    for shot in pieces:
        waiting.append(shot)
        yield from to_tensors(square.cut(shot.picture)[None])


def _pasted(
    published: Published, waiting: deque[Shot], square: Square, number: int, survey: Survey, tell: Tell
) -> Iterator[Shot]:
    for done, frame in enumerate(published, number * SEGMENT + 1):
        shot = waiting.popleft()
        square.paste(shot.picture, square.cut(shot.picture), to_bytes(frame.cpu()))
        yield shot
        tell("protecting", done, survey.frames)
