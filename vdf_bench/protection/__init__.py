"""One video in, one protected video out: any length in constant memory, to be gone on with when it was stopped.

What happens: ``survey`` decodes the video once and finds the face; ``work`` takes a segment after another through the
defense (``square`` cuts and pastes, ``partial`` keeps what is finished), then writes all of it with the untouched
sound; ``measure`` decodes the written file again, and ``report`` says what that does and does not mean.

What lies outside the face's square is not touched. The output has the size, the times, the rotation and the sound of
the original; tags (title, place, date) and other streams are left out.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from vdf_bench.attackers.attacker import SURROGATE
from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.parsers import SHIPPED_EDGES
from vdf_bench.plan.protector import lone_protector
from vdf_bench.plan.request import LANDMARKER

if TYPE_CHECKING:
    from pathlib import Path

    from vdf_bench.core.budget import Budget
    from vdf_bench.protection.partial import Partial
    from vdf_bench.protection.survey import Survey, Tell
    from vdf_bench.video.stream import Coding

__all__ = ["Order", "protect_file"]

#: Suffix -> coding. The first keeps every value; the second is what platforms and players take.
CODINGS: dict[str, Coding] = {".mkv": "ffv1", ".mp4": "h264"}
#: Of the report, besides the parser that is attacked.
OTHER_PARSER = "heldout"


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes:
        video: the original.
        out: where to; the suffix chooses the coding.
        defense: registered name.
        budget: bound on the perturbation.
        size: edge of the pictures that the defense sees, at most; None takes the edge at which the attacked parser
            looks in a capture. What misleads it there need not do so elsewhere: at its native 450 px, a real clip
            was missed by it at every scale of 450 px and found at the 160 px that it is shrunk to.
        seed: of every random choice.
        device: torch device of the defense.
        overrides: parameters of the defense, as texts.
        surrogate: the parser that the defense differentiates, if it differentiates one; the report is about it.
        overwrite: replace ``out`` where it is there, once the new one is complete.
    """

    video: Path
    out: Path
    defense: str
    budget: Budget
    size: int | None = None
    seed: int = 0
    device: str = "cpu"
    overrides: dict[str, str] = field(default_factory=dict)
    overwrite: bool = False
    surrogate: str = SURROGATE

    @property
    def edge(self) -> int:
        """Largest edge at which the attacked parser looks in a capture, pixels."""
        edges: tuple[int, int] | None = registry.load("parsers", self.surrogate).card.edges
        return (edges or SHIPPED_EDGES)[1]

    @property
    def report(self) -> Path:
        """Where the report goes."""
        return self.out.with_name(f"{self.out.name}.report.json")


def protect_file(order: Order, tell: Tell) -> dict[str, Any]:
    """Protect a video; going on where an earlier call with the same order was stopped.

    Args:
        order: what is asked for.
        tell: progress: what is done, frames done, frames in all.

    Returns:
        The report, as written beside the output; :func:`vdf_bench.protection.report.describe` puts it into words.

    Raises:
        UserError: the video cannot serve, a place cannot be written, or a name is unknown. Neither the original nor
            an earlier output is lost.
    """
    from av.error import FFmpegError

    from vdf_bench.capture.face import face_finder
    from vdf_bench.models.landmarker import load_landmarker
    from vdf_bench.protection.partial import claim, partial_of, read_survey
    from vdf_bench.protection.survey import survey
    from vdf_bench.video.stream import refuse_sound

    _check_places(order)
    defense = registry.create("defenses", order.defense, order.overrides)
    lone_protector(order.defense, order.surrogate)  # refuses what cannot be
    refuse_sound(order.video, order.out.suffix)
    key = _key(order, defense)
    known = read_survey(order.out, key)
    largest = order.size or order.edge
    seen = known or survey(order.video, largest, face_finder(load_landmarker()), tell)
    try:
        with claim(order.out, key, seen) as partial:
            report = _work(order, defense, partial, tell)
        shutil.rmtree(partial.folder)
    except (OSError, FFmpegError) as error:
        kept = f"what is done stays in {partial_of(order.out)}"
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"cannot write {order.out}: {reason}; free disk space, then run the same command again to continue: {kept}"
        ) from error
    return report


def _check_places(order: Order) -> None:
    from vdf_bench.protection.partial import partial_of

    video, out = order.video, order.out
    if out.suffix not in CODINGS:
        raise UserError(f"{out.name}: unknown file type, use a name that ends in {' or '.join(CODINGS)}")
    # A run that was killed at its very end has left its report, but no output.
    for taken in (out,) if partial_of(out).exists() else (out, order.report):
        if taken.is_file() and not order.overwrite:
            raise UserError(f"{taken} already exists: choose another name, or add --overwrite")
    if not video.exists():
        raise UserError(f"{video} not found: give the path of a video file")
    if out.is_dir():
        raise UserError(f"{out} is a folder: give a file name")
    if out.exists() and out.samefile(video):
        raise UserError(f"{out} is the input video: choose another name, so that the original is kept")
    if not out.parent.is_dir():
        raise UserError(f"folder {out.parent} does not exist: create it, or choose another place for {out.name}")
    if not os.access(out.parent, os.W_OK):
        raise UserError(f"{out.parent} is not writable: choose another place for {out.name}")


def _key(order: Order, defense: Any) -> dict[str, Any]:
    """Everything that the pixels of a segment depend on."""
    from vdf_bench.core.artifact import digest
    from vdf_bench.core.files import file_sha256
    from vdf_bench.plan.keys import Keys, code_digest
    from vdf_bench.protection.partial import SEGMENT

    uses = [("defenses", order.defense), *defense.uses(), ("parsers", order.surrogate), ("landmarkers", LANDMARKER)]
    return {
        "video": file_sha256(order.video),
        "defense": order.defense,
        "parameters": digest(defense.parameters.model_dump(mode="json")),
        "budget": str(order.budget),
        "size": order.size,
        "seed": order.seed,
        "device": order.device,
        "segment length": SEGMENT,
        "version of vdf-bench": digest([code_digest("vdf_bench.protection.work"), Keys().of("protect", *uses)]),
    }


def _work(order: Order, defense: Any, partial: Partial, tell: Tell) -> dict[str, Any]:
    from vdf_bench.core.determinism import deterministic
    from vdf_bench.parsers.network import load_parser
    from vdf_bench.parsers.surrogates import load_surrogate
    from vdf_bench.protection.measure import measure
    from vdf_bench.protection.work import join, protect_segments

    surrogate = load_surrogate(order.surrogate)
    with deterministic(order.device != "cpu"):
        protect_segments(
            order.video, partial, defense, order.budget, order.seed, surrogate.to(order.device), tell, order.device
        )
    written = partial.folder / f"unfinished{order.out.suffix}"
    join(written, order.video, partial, CODINGS[order.out.suffix], tell)
    parsers = {order.surrogate: surrogate.to("cpu"), OTHER_PARSER: load_parser(OTHER_PARSER)}
    measured = measure(order.video, written, partial, parsers, tell)
    report = _headings(order, defense, partial) | measured | {"missing": _missing()}
    beside = partial.folder / "unfinished.report"
    beside.write_text(json.dumps(report, indent=1))
    # The report first: an output without one would be taken for a finished one.
    beside.replace(order.report)
    written.replace(order.out)
    return report


def _headings(order: Order, defense: Any, partial: Partial) -> dict[str, Any]:
    survey: Survey = partial.survey
    records = [json.loads(partial.note(number).read_text()) for number in range(partial.finished())]
    seconds, success, kept = (
        [value for record in records for value in record[name]] for name in ("seconds", "success", "kept")
    )
    upright = survey.shape.upright()
    return {
        "vdf_bench": version("vdf-bench"),
        "video": order.video.name,
        "out": order.out.name,
        "defense": order.defense,
        "parameters": defense.parameters.model_dump(mode="json"),
        "budget": str(order.budget),
        "surrogate": order.surrogate,
        "seed": order.seed,
        "frames": survey.frames,
        "seconds": survey.seconds,
        "width": upright.width,
        "height": upright.height,
        "fps": survey.frames / survey.seconds,
        "square": survey.square,
        "size": survey.size,
        "seconds_per_frame": sum(seconds) / max(len(seconds), 1),
        "defense_success": sum(success) / len(success) if success else None,
        "kept": sum(kept) / len(kept) if kept else None,
        "notes": [*survey.notes, *_notes(order, survey)],
    }


def _notes(order: Order, survey: Survey) -> list[str]:
    from vdf_bench.protection.partial import SEGMENT

    shape = survey.shape
    notes = []
    if survey.size > order.edge:
        notes.append(
            f"a capture shows the attacked parser pictures of {order.edge} px, not {survey.size}: see below what "
            "it finds there"
        )
    if order.out.suffix == ".mp4" and (shape.width % 2 or shape.height % 2):
        notes.append("H.264 wants even sizes: the last row or column was repeated")
    if order.out.suffix == ".mkv" and shape.aspect != 1:
        notes.append(
            f"pixels are {float(shape.aspect):.4g} times as wide as high, which .mkv does not say here: .mp4 does"
        )
    if survey.frames > SEGMENT:
        notes.append(f"the defense begins afresh every {SEGMENT} frames, so that a stopped run can go on")
    return notes


def _missing() -> list[str]:
    from vdf_bench.models.perceptual import NETS, backbone_path, missing_backbones

    if any(backbone_path(net).is_file() for net in NETS):
        return []
    missing = missing_backbones()
    return [missing] if missing else []
