"""``sweep``: defenses over budgets, protection against fidelity."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from vdf_bench.commands.options import (
    Budgets,
    Clips,
    Device,
    ExecutorName,
    Frames,
    Iterations,
    Jobs,
    MaxHours,
    Parsers,
    PolicyName,
    PresetName,
    ProtectedShare,
    RayAddress,
    Seeds,
    Settings,
    Size,
    StepTimeout,
    StorePath,
    Timeout,
)
from vdf_bench.commands.run import carry_out
from vdf_bench.runs import arguments


def sweep(
    defense: Annotated[str, typer.Option(metavar="NAMES", help="NAME[,NAME...] or all.")] = "vdf,pgd,grasp",
    budget: Budgets = "linf=4,8,12.75,25.5",
    victim: Annotated[str, typer.Option(metavar="NAMES", help="NAME[,NAME...] or all.")] = "gaussian",
    capture_only: Annotated[
        bool, typer.Option("--capture-only", help="Stop at the attacker's capture: no victim, much cheaper.")
    ] = False,
    purifier: Annotated[str, typer.Option(metavar="CHAINS", help="Chains NAME[:VALUE][+NAME...][,...].")] = "identity",
    clip: Clips = "",
    preset: PresetName = "standard",
    size: Size = None,
    frames: Frames = None,
    seed: Seeds = "",
    parser: Parsers = "builtin",
    policy: PolicyName = "repair",
    control: Annotated[str, typer.Option(metavar="NAMES", help="Control arms beside the clean one.")] = "noise",
    protected_share: ProtectedShare = 1.0,
    device: Device = "",
    set_: Settings = None,
    iterations: Iterations = None,
    timeout: Timeout = 3600.0,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: sweeps/PRESET-CLIP-DEFENSE-VICTIM.")] = None,
    store: StorePath = None,
    jobs: Jobs = 0,
    executor: ExecutorName = "local",
    ray_address: RayAddress = "",
    step_timeout: StepTimeout = None,
    max_hours: MaxHours = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print plan and estimate only.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace another run's tables in --out.")] = False,
) -> None:
    """Protection against fidelity: defenses over budgets, compared at equal bound and at equal PSNR.

    The same as run with other defaults; any run with two budgets reports the same curves.
    """
    from vdf_bench.core.budget import Budget
    from vdf_bench.plan import Request
    from vdf_bench.plan.presets import preset as find_preset

    request = Request(
        preset=find_preset(preset).resized(size, frames),
        defenses=arguments.some_names(defense, "--defense"),
        victims=arguments.some_names(victim, "--victim"),
        attackers=arguments.attackers(purifier, parser, policy),
        clips=arguments.names(clip),
        budgets=Budget.parse_all(budget),
        seeds=tuple(dict.fromkeys(arguments.seed(text) for text in arguments.names(seed))),
        controls=tuple(name for name in arguments.names(control) if name != "none"),
        overrides=arguments.overrides(set_ or []),
        iterations=iterations,
        timeout=arguments.timeout(timeout),
        protected_share=arguments.share(protected_share),
        device=arguments.device(device or find_preset(preset).device, executor),
    )
    if capture_only:
        request = replace(request, victims=())
    resources = arguments.resources(executor, ray_address, jobs, step_timeout, max_hours)
    carry_out(request, out or arguments.default_out(request, "sweeps"), store, resources, dry_run, overwrite)
