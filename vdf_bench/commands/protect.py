"""``protect``: one video, protected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vdf_bench.commands.options import Budgets, Settings
from vdf_bench.core.console import make_console
from vdf_bench.core.errors import UserError
from vdf_bench.runs import arguments
from vdf_bench.runs.arguments import MAX_SEED


def protect(
    video: Annotated[Path, typer.Argument(help="The video to protect, of any length.")],
    out: Annotated[Path, typer.Argument(help="Where to write: .mkv is lossless (FFV1), .mp4 is H.264 at CRF 18.")],
    defense: Annotated[str, typer.Option(metavar="NAME", help="Registered name of a defense.")] = "vdf",
    budget: Budgets = "0.05",
    size: Annotated[
        int | None,
        typer.Option(
            help="Largest edge that the defense sees; default: what the attacked parser sees.", min=64, max=2048
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of every random choice.", min=0, max=MAX_SEED)] = 0,
    device: Annotated[str, typer.Option(metavar="DEVICE", help="Of the defense: cpu, cuda or auto.")] = "cpu",
    set_: Settings = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT once the new one is done.")] = False,
) -> None:
    """Protect one video: sound, size, times and rotation stay. It is harder to clone by some systems, never safe.

    A command that was stopped goes on where it was when it is given again; until then its work lies in OUT.partial.
    OUT.report.json holds the closing report.
    """
    from vdf_bench.core.budget import Budget
    from vdf_bench.protection import Order, protect_file
    from vdf_bench.protection.meter import Meter
    from vdf_bench.protection.report import describe

    overrides = arguments.overrides(set_ or [])
    for component in overrides:
        if component != defense:
            raise UserError(f"--set {component}: only {defense} is run: give --set {defense}.PARAMETER=VALUE")
    order = Order(
        video=video,
        out=out,
        defense=defense,
        budget=Budget.parse(budget),
        size=size,
        seed=seed,
        device=arguments.device(device),
        overrides=overrides.get(defense, {}),
        overwrite=overwrite,
    )
    console = make_console()
    with Meter(console) as meter:
        report = protect_file(order, meter)
    console.print(describe(report), highlight=False, markup=False)
