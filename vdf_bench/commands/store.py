"""``store``: what is kept, whether it is sound, what can go, and how to carry it elsewhere."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vdf_bench.commands.options import examples
from vdf_bench.core.console import make_console
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from vdf_bench.store import Store

app = typer.Typer(help="Inspect, clean, check and copy a store of artifacts.", no_args_is_help=True)
Where = Annotated[str, typer.Argument(metavar="STORE", help="A folder, or a URL such as s3://bucket/store.")]
Runs = Annotated[
    list[Path] | None,
    typer.Option("--run", help="Copy only what this run folder uses, such as runs/a; repeatable.", show_default=False),
]


@app.command("ls", epilog=examples("store ls runs/quick/store", "store ls s3://bucket/store --all"))
def ls(
    store: Where, every: Annotated[bool, typer.Option("--all", help="List every artifact with its key.")] = False
) -> None:
    """List the contents of a store by kind of step."""
    from rich.markup import escape
    from rich.table import Table

    from vdf_bench.core.text import duration
    from vdf_bench.store.care import contents

    console = make_console()
    found = contents(_open(store))
    table = Table("step", "artifacts", "MiB", "CPU time", box=None, padding=(0, 2, 0, 0))
    for step, kept in found.items():
        table.add_row(step, str(kept.count), f"{kept.size / 2**20:.1f}", duration(kept.cpu))
        for key, label in kept.labels.items() if every else ():
            table.add_row(f"  {key[:16]}", escape(label), "", "")
    console.print(table)
    console.print(f"{sum(kept.count for kept in found.values())} artifacts", highlight=False)


@app.command(
    "gc", epilog=examples("store gc runs/quick/store --dry-run", "store gc shared --keep runs/a --keep runs/b")
)
def gc(
    store: Where,
    keep: Annotated[
        list[Path] | None,
        typer.Option(
            "--keep", help="A run folder to keep, such as runs/a; delete artifacts that no kept run uses. Repeatable."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be deleted, and delete nothing.")
    ] = False,
) -> None:
    """Delete damaged artifacts and leftovers of killed runs; with --keep also artifacts that no kept run uses."""
    from vdf_bench.store.care import collect_garbage

    def wait(seconds: float) -> None:
        typer.echo(f"waiting {seconds:.0f} s to see whether runs on other machines are still active")
        time.sleep(seconds)

    gone = collect_garbage(_open(store), _keys(keep) if keep else None, dry_run, wait)
    for what, count in gone.items():
        typer.echo(f"{count} {what} {'would be deleted' if dry_run else 'deleted'}")


@app.command("verify", epilog=examples("store verify runs/quick/store", "store verify s3://bucket/store"))
def verify(store: Where) -> None:
    """Check every artifact against its checksums; exit code 1 if one is damaged.

    Damaged artifacts are moved to quarantine; the next run computes them again.
    """
    from vdf_bench.store.care import verify

    sound, damaged = verify(_open(store), lambda key: typer.echo(f"damaged, moved to quarantine: {key}"))
    typer.echo(f"{sound} intact, {len(damaged)} damaged")
    if damaged:
        raise typer.Exit(1)


@app.command(
    "export", epilog=examples("store export shared backup", "store export shared s3://bucket/store --run runs/a")
)
def export(
    store: Where,
    to: Annotated[
        str, typer.Argument(metavar="TO", help="The other store: a folder, or a URL such as s3://bucket/store.")
    ],
    run: Runs = None,
) -> None:
    """Copy artifacts into another store; exit code 1 if one is missing or damaged."""
    from vdf_bench.store import Store
    from vdf_bench.store.care import export

    target = Store(to)
    if target.private:
        raise UserError(
            f"{to} exists only in the memory of this process: give a folder, or a URL of persistent storage"
        )
    target.check_folder()
    target.check_writable()
    copied, missing = export(_open(store), target, _keys(run) if run else None)
    typer.echo(f"{copied} artifacts copied to {to}")
    if missing:
        typer.echo(f"{len(missing)} artifacts are missing or damaged, such as {missing[0]}")
        raise typer.Exit(1)


def _open(where: str) -> Store:
    from vdf_bench.store import Store

    found = Store(where)
    if isinstance(found.root, Path) and not (found.root / "objects").is_dir():
        raise UserError(
            f"{where} is not a store: give the folder passed to --store, or the folder store/ inside a run folder"
        )
    return found


def _keys(runs: list[Path]) -> set[str]:
    """Keys of everything that run folders rest on."""
    found: set[str] = set()
    for folder in runs:
        try:
            found |= {step["key"] for step in json.loads((folder / "run.json").read_text())["steps"]}
        except (OSError, ValueError, KeyError, TypeError):
            raise UserError(f"{folder} is not a finished run: give the folder passed to --out") from None
    return found
