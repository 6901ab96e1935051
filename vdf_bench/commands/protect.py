"""``protect``: one video, protected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vdf_bench import arguments
from vdf_bench.arguments import MAX_SEED
from vdf_bench.commands.options import Budgets, Settings, make_console
from vdf_bench.errors import UserError


def protect(
    video: Annotated[Path, typer.Argument(help="The video to protect.")],
    out: Annotated[Path, typer.Argument(help="Where to write: .mkv is lossless (FFV1), .mp4 is H.264.")],
    defense: Annotated[str, typer.Option(metavar="NAMES", help="NAME of a defense.")] = "vdf",
    budget: Budgets = "0.05",
    size: Annotated[int, typer.Option(help="Edge of the square face crop, pixels.", min=64, max=2048)] = 256,
    seed: Annotated[int, typer.Option(help="Of every random choice.", min=0, max=MAX_SEED)] = 0,
    set_: Settings = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it is there.")] = False,
) -> None:
    """Protect one video. A protected video is harder to clone by the systems measured here; it is never safe."""
    from vdf_bench.budget import Budget
    from vdf_bench.protect import protect_file

    if out.exists() and not overwrite:
        raise UserError(f"{out} is there already: choose another name, or say --overwrite")
    overrides = arguments.overrides(set_ or [])
    for component in overrides:
        if component != defense:
            raise UserError(f"--set {component}: only {defense} is run: give --set {defense}.PARAMETER=VALUE")
    done = protect_file(video, out, defense, Budget.parse(budget), size, seed, overrides.get(defense, {}))
    make_console().print(done, highlight=False, markup=False)
