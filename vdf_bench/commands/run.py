"""``run``: the whole story from the clip to the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vdf_bench import arguments
from vdf_bench.commands.options import Settings, make_console


def run(
    defense: Annotated[str, typer.Option(metavar="NAMES", help="NAME[,NAME...] or all.")] = "vdf",
    victim: Annotated[str, typer.Option(metavar="NAMES", help="NAME[,NAME...] or all.")] = "all",
    purifier: Annotated[str, typer.Option(metavar="CHAINS", help="Chains NAME[:VALUE][+NAME...][,...].")] = "identity",
    clip: Annotated[str, typer.Option(metavar="CLIPS", help="NAME|PATH[,...]; default: the preset's.")] = "",
    preset: Annotated[str, typer.Option(metavar="PRESET", help="quick, standard, full or paper.")] = "standard",
    size: Annotated[
        int | None, typer.Option(help="Edge of a frame, pixels, instead of the preset's.", min=32, max=2048)
    ] = None,
    frames: Annotated[
        int | None, typer.Option(help="Length of a clip instead of the preset's.", min=16, max=15000)
    ] = None,
    epsilon: Annotated[
        str, typer.Option(metavar="EPS", help="L-infinity budget in [0,1] pixels, such as 0.05 or 8/255[,...].")
    ] = "0.05",
    seed: Annotated[str, typer.Option(metavar="SEEDS", help="S[,S...]; default: the preset's.")] = "",
    parser: Annotated[
        str, typer.Option(metavar="NAME", help="The attacker's face parser; builtin is white-box.")
    ] = "builtin",
    policy: Annotated[str, typer.Option(metavar="POLICY", help="Face-less frames: repair, strict, drop.")] = "repair",
    target: Annotated[
        str, typer.Option(metavar="TARGET", help="Victims train on: composite, full, both.")
    ] = "composite",
    drive: Annotated[str, typer.Option(metavar="SOURCE", help="Lips move by: audio, landmarks, auto.")] = "auto",
    control: Annotated[str, typer.Option(metavar="NAMES", help="Control arms beside the clean one.")] = "noise",
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="Where victims train: cpu or cuda; default: the preset's.")
    ] = "",
    set_: Settings = None,
    iterations: Annotated[int | None, typer.Option(help="Training steps of every victim.", min=1)] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: runs/PRESET-CLIP-DEFENSE-VICTIM.")] = None,
    store: Annotated[Path | None, typer.Option(help="Artifacts; default: inside the run folder.")] = None,
    jobs: Annotated[int, typer.Option(help="Steps at once; 0 takes one per core.", min=0)] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print plan and estimate only.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace another run's tables in --out.")] = False,
) -> None:
    """Protect, attack, clone and judge: does the defense hold?"""
    from vdf_bench.budget import Budget
    from vdf_bench.plan import DRIVES, PARSERS, POLICIES, TARGETS, Request
    from vdf_bench.presets import preset as find_preset
    from vdf_bench.progress import ProgressWatcher, print_plan
    from vdf_bench.run import complete, expected_seconds, prepare

    request = Request(
        preset=find_preset(preset).resized(size, frames),
        defenses=arguments.some_names(defense, "--defense"),
        victims=arguments.some_names(victim, "--victim"),
        purifiers=arguments.some_names(purifier, "--purifier"),
        clips=arguments.names(clip),
        budgets=tuple(Budget.parse(text) for text in arguments.some_names(epsilon, "--epsilon")),
        seeds=tuple(dict.fromkeys(arguments.seed(text) for text in arguments.names(seed))),
        parsers=tuple(arguments.choice(name, "--parser", PARSERS) for name in arguments.some_names(parser, "--parser")),
        policy=arguments.choice(policy, "--policy", POLICIES),
        targets=TARGETS[arguments.choice(target, "--target", tuple(TARGETS))],
        drive=arguments.choice(drive, "--drive", DRIVES),
        controls=tuple(name for name in arguments.names(control) if name != "none"),
        overrides=arguments.overrides(set_ or []),
        iterations=iterations,
        device=arguments.device(device or find_preset(preset).device),
    )
    console = make_console()
    prepared = prepare(request, out or arguments.default_out(request), store, overwrite)
    cores = jobs or arguments.cores()
    if dry_run:
        print_plan(prepared, console, cores)
        return
    console.print(f"vdf-bench: {len(prepared.plan.cells)} cells into {prepared.out}", highlight=False, markup=False)
    with ProgressWatcher(console, expected_seconds(prepared), cores) as watcher:
        complete(prepared, cores, watcher, watcher.say)
    from vdf_bench.report import print_summary

    print_summary(prepared.out, console)
    if watcher.cached:
        console.print(
            f"{watcher.cached} of {len(prepared.plan.steps)} steps were in the store already", highlight=False
        )
    console.print(f"report: {prepared.out / 'report.html'}", highlight=False, markup=False, soft_wrap=True)
