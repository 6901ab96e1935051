"""``weights``: third-party weights, downloaded or added, verified, calibrated."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vdf_bench.commands.options import examples
from vdf_bench.core.console import make_console
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

app = typer.Typer(help="Get and check third-party weights, which do not come with the package.", no_args_is_help=True)
_PLAIN: dict[str, Any] = {"highlight": False, "markup": False, "soft_wrap": True}
#: Exit code where a file is not what it should be.
WRONG = 1

Name = Annotated[str, typer.Argument(help="A name from `vdf-bench weights list`, such as bisenet.")]


@app.command("list", epilog=examples("weights list", "weights fetch squeezenet"))
def list_() -> None:
    """List the third-party weights: what they are for, licence, source, and whether they are present."""
    from vdf_bench.assets.folders import user_folder
    from vdf_bench.assets.third_party import THIRD_PARTY, how_to_get, present
    from vdf_bench.models.supply import shown_size

    console = make_console()
    console.print(f"in {user_folder()}", **_PLAIN)
    for entry in THIRD_PARTY.values():
        here = present(entry.name)
        size = shown_size(entry.name)
        console.print(f"{entry.name}  {'present' if here else 'missing'}", style="bold", highlight=False, markup=False)
        console.print(f"  {entry.file}{f', {size}' if size else ''}, sha256 {entry.pinned}", **_PLAIN)
        console.print(f"  for: {entry.purpose}", **_PLAIN)
        console.print(f"  licence: {entry.licence}", **_PLAIN)
        console.print(f"  from: {entry.url or entry.page}", **_PLAIN)
        if not here:
            console.print(f"  get it: {how_to_get(entry.name)}", **_PLAIN)


@app.command(epilog=examples("weights fetch squeezenet", "weights fetch alexnet"))
def fetch(name: Name) -> None:
    """Download weights into your folder of weights; an interrupted download is resumed."""
    from vdf_bench.assets.third_party import entry_of
    from vdf_bench.models.supply import fetch as bring

    console = make_console()
    entry = entry_of(name)
    console.print(f"{entry.name}: licence {entry.licence}", **_PLAIN)
    with _progress(entry.name) as progress:
        place = bring(name, progress)
    console.print(f"{place}: {_trust(entry.name)}", **_PLAIN)


@app.command(epilog=examples("weights add bisenet 79999_iter.pth", "weights add buffalo_l ~/Downloads/buffalo_l.zip"))
def add(
    name: Name,
    file: Annotated[
        Path, typer.Argument(help="The weights file, or the folder of a model that consists of several files.")
    ],
) -> None:
    """Check weights that you have, and copy them into your folder of weights."""
    from vdf_bench.assets.third_party import entry_of
    from vdf_bench.models.supply import add as take

    place = take(name, file)
    make_console().print(f"{place}: {_trust(entry_of(name).name)}", **_PLAIN)


@app.command(epilog=examples("weights verify", "weights list"))
def verify() -> None:
    """Check every file in your folder of weights against its SHA-256; exit code 1 if one differs."""
    from vdf_bench.assets.folders import user_folder
    from vdf_bench.models.supply import verify as check

    console = make_console()
    checks = check()
    if not checks:
        console.print(f"no third-party weights in {user_folder()}", **_PLAIN)
    for each in checks:
        word = {True: "ok", False: "WRONG", None: "unknown"}[each.ok]
        console.print(f"{word:8}{each.name}: {each.why}", **_PLAIN)
    if any(each.ok is False for each in checks):
        raise typer.Exit(WRONG)


@app.command(
    epilog=examples(
        "weights calibrate recogniser --person a.mp4 --person b.mp4 --person c.mp4",
        "weights calibrate buffalo_l --person a1.mp4,a2.mp4 --person b.mp4 --person c.mp4",
    )
)
def calibrate(
    name: Annotated[str, typer.Argument(help="Weights of a recogniser: buffalo_l or recogniser.")],
    person: Annotated[
        list[str],
        typer.Option(
            metavar="CLIPS", help="Clips of one person, such as a1.mp4,a2.mp4; repeat for at least three people."
        ),
    ],
) -> None:
    """Set a recogniser's threshold at a false accept rate of 1e-3, from clips of different people, and save it."""
    from vdf_bench.assets.record import read_record, remember
    from vdf_bench.assets.third_party import how_to_get, path_of, present
    from vdf_bench.core.files import file_sha256
    from vdf_bench.recognisers.arcface import REGISTERED
    from vdf_bench.runs.calibrate import calibrate as measure

    if name not in REGISTERED:
        raise UserError(f"{name} is not a recogniser that can be calibrated: choose one of {', '.join(REGISTERED)}")
    if not present(name):
        raise UserError(f"weights {name} are missing: get them with {how_to_get(name)}")
    people = [[Path(clip) for clip in clips.split(",")] for clips in person]
    path = path_of(name)
    found = measure(path, people)
    threshold = {"value": found.threshold, "basis": found.basis}
    before = read_record().get(name, {})
    own = {"file": path.name, "sha256": file_sha256(path), "bytes": path.stat().st_size}
    remember(name, {**before, **own, "threshold": threshold})
    console = make_console()
    console.print(f"{path.name}: threshold {found.threshold:.3f}, {found.basis}", **_PLAIN)
    console.print(
        f"  different people: {found.stranger_highest:.2f} at most; same person: {found.same_mean:.2f} on average, "
        f"{found.same_lowest:.2f} at least",
        **_PLAIN,
    )


def _trust(name: str) -> str:
    """What is known of the file's hash."""
    from vdf_bench.assets.record import recorded_facts
    from vdf_bench.assets.third_party import THIRD_PARTY

    entry = THIRD_PARTY[name]
    if entry.form == "folder":
        return "copied"
    if entry.sha256:
        return f"matches the published sha256 {entry.sha256[:12]}"
    return f"no published sha256 is known; remembered {recorded_facts(name)['sha256'][:12]} for `weights verify`"


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; elsewhere nothing."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    console = make_console()
    columns = ("{task.description}", BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
