"""``clips``: the named portrait clips, and a look at any clip."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vdf_bench.commands.options import Out, examples
from vdf_bench.core.console import make_console
from vdf_bench.runs import arguments

app = typer.Typer(help="List and view portrait clips.", no_args_is_help=True)


@app.command("list", epilog=examples("clips list", "list clips"))
def clips_list() -> None:
    """List the clips that come with the package."""
    from vdf_bench.core import registry

    console = make_console()
    for provider in registry.names("clips"):
        source = registry.create("clips", provider)
        console.print(f"{provider}: {source.card.title}", style="bold", highlight=False)
        console.print("  " + ", ".join(source.names()), highlight=False)


@app.command("show", epilog=examples("clips show synth-a", "clips show talk.mp4 --out sheets --size 256"))
def clips_show(
    name: Annotated[str, typer.Argument(help="A video file, or a name from `vdf-bench clips list`.")],
    out: Out = Path(),
    size: Annotated[int, typer.Option(help="Edge of a frame, in pixels.", min=32, max=1024)] = 192,
    frames: Annotated[int, typer.Option(help="Number of frames.", min=64)] = 110,
) -> None:
    """Write a contact sheet: frames and, where the clip was rendered, its parsing and depth."""
    import io

    from PIL import Image

    from vdf_bench.core.files import write_atomically
    from vdf_bench.scenes.sheet import contact_sheet
    from vdf_bench.stages.load import load_clip

    arguments.known_clip(name)
    clip = load_clip(name, size, frames)
    buffer = io.BytesIO()
    Image.fromarray(contact_sheet(clip)).save(buffer, "PNG")
    path = out / f"{clip.name}.png"
    write_atomically(path, buffer.getvalue())
    console = make_console()
    for line in [f"{clip.name}: {len(clip)} frames of {clip.size} px", *clip.notes, f"wrote {path}"]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
