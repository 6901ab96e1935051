"""``capture``: the attacker's preprocessing, written as the folder that published systems read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from vdf_bench.commands.options import examples
from vdf_bench.core.console import make_console
from vdf_bench.core.errors import UserError
from vdf_bench.runs import arguments

if TYPE_CHECKING:
    from vdf_bench.core.capture import Policy


EXAMPLES = examples("capture synth-a captured/synth-a", "capture talk.mp4 captured/talk --size 256 --policy strict")


def capture(
    clip: Annotated[str, typer.Argument(help="A video file, or a name from `vdf-bench clips list`.")],
    out: Annotated[Path, typer.Argument(help="Folder to create, in the layout of RAD-NeRF.")],
    size: Annotated[int, typer.Option(help="Edge of a frame, in pixels.", min=64, max=1024)] = 512,
    frames: Annotated[int | None, typer.Option(help="Number of frames; default: all.", min=64)] = None,
    parser: Annotated[str, typer.Option(metavar="NAME", help="Face parser, such as builtin or heldout.")] = "builtin",
    landmarker: Annotated[str, typer.Option(metavar="NAME", help="Landmarker, such as builtin.")] = "builtin",
    policy: Annotated[
        str, typer.Option(metavar="POLICY", help="Frames without a face: repair, strict or drop.")
    ] = "repair",
) -> None:
    """Preprocess a clip into the folder that RAD-NeRF, ER-NeRF, TalkingGaussian and similar systems train from."""
    from vdf_bench.attackers.spec import POLICIES
    from vdf_bench.capture.layout import write_layout
    from vdf_bench.core import registry
    from vdf_bench.core.interfaces import CaptureRefused
    from vdf_bench.stages.capture import capture_frames
    from vdf_bench.stages.load import load_clip

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} already exists and is not an empty folder: choose another one")
    arguments.known_clip(clip)
    chosen = cast("Policy", arguments.choice(policy, "--policy", POLICIES))
    find = registry.create("landmarkers", landmarker).load()
    parse = registry.create("parsers", parser).load(find)
    loaded = load_clip(clip, size, frames, landmarker)
    try:
        captured = capture_frames(loaded.frames, loaded.audio, parse, find, chosen)
    except CaptureRefused as refusal:
        raise UserError(
            f"{clip}: preprocessing failed with {refusal}: use a clip that shows one person in every frame"
        ) from None
    write_layout(captured, out)
    console = make_console()
    console.print(f"{out}: {len(loaded)} frames of {loaded.size} px", highlight=False, markup=False, soft_wrap=True)
    for note in loaded.notes:
        console.print(note, highlight=False, markup=False, soft_wrap=True)
