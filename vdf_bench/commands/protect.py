"""``protect``: one video, protected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vdf_bench import api
from vdf_bench.commands.options import Budgets, Settings, examples
from vdf_bench.core.console import make_console
from vdf_bench.runs.arguments import MAX_SEED

EXAMPLES = examples("protect my_video.mp4 protected.mkv", "protect my_video.mp4 protected.mp4 --budget linf=8")


def protect(
    video: Annotated[Path, typer.Argument(help="The video to protect, of any length.")],
    out: Annotated[Path, typer.Argument(help="Where to write: .mkv is lossless (FFV1), .mp4 is H.264 at CRF 18.")],
    defense: Annotated[str, typer.Option(metavar="NAME", help="Registered name of a defense.")] = "vdf",
    budget: Budgets = "0.05",
    surrogate: Annotated[
        str, typer.Option(metavar="PARSER", help="Face parser that the defense differentiates, such as surrogate-b.")
    ] = "builtin",
    size: Annotated[
        int | None,
        typer.Option(
            help="Largest edge that the defense sees; default: what the attacked parser sees.", min=64, max=2048
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of every random choice.", min=0, max=MAX_SEED)] = 0,
    device: Annotated[str, typer.Option(metavar="DEVICE", help="Where the defense runs: cpu, cuda or auto.")] = "cpu",
    set_: Settings = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT once the new one is done.")] = False,
) -> None:
    """Protect one video: sound, size, times and rotation stay. It is harder to clone by some systems, never safe.

    A command that was stopped goes on where it was when it is given again; until then its work lies in OUT.partial.
    OUT.report.json holds the closing report.
    """
    from vdf_bench.protection.report import describe

    report = api.protect(
        video,
        out,
        defense=defense,
        budget=budget,
        surrogate=surrogate,
        size=size,
        seed=seed,
        device=device,
        set=set_,
        overwrite=overwrite,
    )
    make_console().print(describe(report), highlight=False, markup=False)
