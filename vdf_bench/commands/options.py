"""What commands share: options that several of them take, and where they print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="C.P=VALUE", help="COMPONENT.PARAMETER=VALUE, repeatable.", show_default=False),
]
Out = Annotated[Path, typer.Option(help="Folder to write into.", show_default=False)]

Budgets = Annotated[
    str, typer.Option("--budget", metavar="BUDGETS", help="linf=8/255 or linf=4,8 (levels of 255)[,psnr>=38]; 0.05.")
]
TrackName = Annotated[
    str, typer.Option("--track", metavar="TRACK", help="video: talking heads; images: attribute editors.")
]
Clips = Annotated[
    str, typer.Option("--clip", metavar="CLIPS", help="NAME|PATH[@5s|@125f][,...]; default: the preset's.")
]
PresetName = Annotated[str, typer.Option("--preset", metavar="PRESET", help="quick, standard, full or paper.")]
Size = Annotated[
    int | None, typer.Option("--size", help="Edge of a frame, pixels, instead of the preset's.", min=32, max=2048)
]
Frames = Annotated[
    int | None, typer.Option("--frames", help="Length of a clip instead of the preset's.", min=16, max=15000)
]
Seeds = Annotated[str, typer.Option("--seed", metavar="SEEDS", help="S[,S...]; default: the preset's.")]
Parsers = Annotated[
    str, typer.Option("--parser", metavar="PARSERS", help="The attacker's: NAME[/vote][/scale=F][/on=CHAIN][,...].")
]
PolicyName = Annotated[str, typer.Option("--policy", metavar="POLICY", help="Face-less frames: repair, strict, drop.")]
ProtectedShare = Annotated[
    float, typer.Option("--protected-share", metavar="SHARE", help="Protect only the first share of the frames.")
]
Targets = Annotated[str, typer.Option("--target", metavar="TARGET", help="Victims train on: composite, full, both.")]
Device = Annotated[
    str, typer.Option("--device", metavar="DEVICE", help="Where victims train: cpu or cuda; default: the preset's.")
]
Iterations = Annotated[int | None, typer.Option("--iterations", help="Training steps of every victim.", min=1)]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="Wall time of one fit, after which it is given up.")
]
StorePath = Annotated[
    str | None,
    typer.Option("--store", metavar="PATH|URL", help="Artifacts: a folder, s3://…; default: in the run folder."),
]
Jobs = Annotated[int, typer.Option("--jobs", help="Steps at once; 0 takes one per core.", min=0)]
ExecutorName = Annotated[
    str, typer.Option("--executor", metavar="NAME", help="Where steps run: local, ray, or inline (this process).")
]
RayAddress = Annotated[
    str, typer.Option("--ray-address", metavar="HOST:PORT", help="A Ray cluster; auto finds it; default: start one.")
]
StepTimeout = Annotated[
    float | None,
    typer.Option("--step-timeout", metavar="SECONDS", help="Wall time of any step, after which it is ended.", min=1.0),
]
MaxHours = Annotated[
    float | None,
    typer.Option("--max-hours", metavar="HOURS", help="Begin no step after this long; exit code 3 if cells lack."),
]
