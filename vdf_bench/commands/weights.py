"""``weights``: third-party weights, fetched or handed over, verified, calibrated."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vdf_bench.core.console import make_console
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

app = typer.Typer(help="Third-party weights: none ship, and none are fetched unasked.", no_args_is_help=True)
_PLAIN: dict[str, Any] = {"highlight": False, "markup": False, "soft_wrap": True}
#: Exit code where a file is not what it should be.
WRONG = 1

Name = Annotated[str, typer.Argument(help="As of `vdf-bench weights list`.")]


@app.command("list")
def list_() -> None:
    """Name all weights that a user may supply: what they switch on, licence, source, and whether they are here."""
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


@app.command()
def fetch(name: Name) -> None:
    """Download weights into your folder; a broken download goes on where it stopped."""
    from vdf_bench.assets.third_party import entry_of
    from vdf_bench.models.supply import fetch as bring

    console = make_console()
    entry = entry_of(name)
    console.print(f"{entry.name}: licence {entry.licence}", **_PLAIN)
    with _progress(entry.name) as progress:
        place = bring(name, progress)
    console.print(f"{place}: {_trust(entry.name)}", **_PLAIN)


@app.command()
def add(
    name: Name, file: Annotated[Path, typer.Argument(help="The file, or the folder of a model that is one.")]
) -> None:
    """Copy weights that you have into your folder, once they are found to be what they should be."""
    from vdf_bench.assets.third_party import entry_of
    from vdf_bench.models.supply import add as take

    place = take(name, file)
    make_console().print(f"{place}: {_trust(entry_of(name).name)}", **_PLAIN)


@app.command()
def verify() -> None:
    """Hold every file in your folder against its hash: exit code 1 if one differs."""
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


@app.command()
def calibrate(
    name: Annotated[str, typer.Argument(help="A recogniser: buffalo_l or recogniser.")],
    person: Annotated[
        list[str], typer.Option(metavar="CLIP[,CLIP...]", help="Clips of one person; repeat for each, 3 at least.")
    ],
) -> None:
    """Set a recogniser's threshold at a false accept rate of 1e-3, from clips of different people; it is kept."""
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
