"""The command line: which commands there are, and how every error becomes one line and an exit code."""

from __future__ import annotations

import errno
import signal
import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from vdf_bench.commands import (
    bench,
    capture,
    catalogue,
    clips,
    doctor,
    leaderboard,
    models,
    protect,
    report,
    reproduce,
    run,
    store,
    sweep,
    validate,
    victims,
    weights,
)
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

#: Exit codes after Ctrl-C, and after SIGTERM, by which schedulers of clusters end what they run.
INTERRUPTED, TERMINATED = 130, 143
#: Errors of the file system that the user can fix, wherever they are raised.
_PLACES = (
    errno.EACCES,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOSPC,
    errno.ENOTDIR,
    errno.EPERM,
    errno.EROFS,
)

app = typer.Typer(
    name="vdf-bench",
    help="Measure whether a protected portrait video can still be cloned by 3D-field talking heads.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command(epilog=run.EXAMPLES)(run.run)
app.command(epilog=sweep.EXAMPLES)(sweep.sweep)
app.command(epilog=validate.EXAMPLES)(validate.validate)
app.command("list", epilog=catalogue.LIST_EXAMPLES)(catalogue.list_)
app.command(epilog=catalogue.INFO_EXAMPLES)(catalogue.info)
app.command(epilog=doctor.EXAMPLES)(doctor.doctor)
app.command(epilog=report.EXAMPLES)(report.report)
app.command(epilog=protect.EXAMPLES)(protect.protect)
app.command(epilog=capture.EXAMPLES)(capture.capture)
app.command(epilog=leaderboard.EXAMPLES)(leaderboard.submit)
app.add_typer(bench.app, name="bench")
app.add_typer(clips.app, name="clips")
app.add_typer(models.app, name="models")
app.add_typer(victims.app, name="victims")
app.add_typer(store.app, name="store")
app.add_typer(weights.app, name="weights")
app.add_typer(reproduce.app, name="reproduce")
app.add_typer(leaderboard.app, name="leaderboard")


def _print_versions(asked: bool) -> None:
    if asked:
        import platform
        from importlib import metadata

        torch = next((found.version for found in metadata.distributions(name="torch")), "not installed")
        typer.echo(f"vdf-bench {metadata.version('vdf-bench')} (Python {platform.python_version()}, torch {torch})")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_versions, help="Print versions and exit.")
    ] = False,
) -> None:
    """Options of the program itself."""


def main() -> None:
    """Entry point: user errors are one line and exit code 2 or 3, an interrupt is 130, a SIGTERM 143."""
    terminated = _heed_termination()
    try:
        code = app(standalone_mode=False)  # typer turns an interrupt into its exit code
    except SystemExit as stop:  # of a command that says itself what an interrupt means
        sys.exit(TERMINATED if terminated() and stop.code == INTERRUPTED else stop.code)
    except UserError as error:
        _refuse(str(error), error.code)
    except OSError as error:
        if error.errno not in _PLACES:
            raise
        where = f"{error.filename}: " if error.filename else ""
        _refuse(f"{where}{error.strerror}; choose another folder, or free disk space")
    except Exception as error:
        # Usage errors are click's, which typer carries inside; what they share is how they put themselves.
        if not hasattr(error, "format_message"):
            raise
        text = error.format_message()
        if "\n" in text:  # a bare command prints its help
            typer.echo(text)
            sys.exit(2)
        _refuse(f"{text.rstrip('.')}; see `vdf-bench --help`")
    if code == INTERRUPTED:
        typer.echo("interrupted: finished steps are kept; run the same command again to continue", err=True)
    sys.exit(TERMINATED if terminated() and code == INTERRUPTED else code or 0)


def _heed_termination() -> Callable[[], bool]:
    """Let a SIGTERM end this process as Ctrl-C does, workers and all; tells whether one came."""
    came = []

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        came.append(number)
        signal.signal(number, signal.SIG_IGN)  # what tidies up is not disturbed
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():  # no other may set one
        signal.signal(signal.SIGTERM, end)
    return lambda: bool(came)


def _refuse(text: str, code: int = 2) -> None:
    typer.echo(f"error: {text}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
