"""``run``: the whole story from the clip to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from vdf_bench import api
from vdf_bench.commands.options import examples, taking
from vdf_bench.core.console import make_console
from vdf_bench.core.errors import IncompleteError

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = examples("run --defense vdf --victim all", "run --defense vdf,pgd --victim gaussian --preset quick")


@taking(api.run)
def run(**asked: Any) -> None:
    """Protect, attack, clone and judge: does the defense hold?"""
    carry_out(asked, "runs", api.run)


def carry_out(asked: dict[str, Any], home: str, function: Callable[..., api.Results]) -> None:
    """Print the plan, or run it and print the answer.

    Exit code 3 tells that steps failed or time was up: the tables hold the cells that are whole.

    Raises:
        UserError: something asked does not exist, or a folder cannot take the run.
    """
    from vdf_bench.execute.forecast import print_plan
    from vdf_bench.report import print_summary
    from vdf_bench.runs.options import prepare_run

    asked.pop("config")
    console = make_console()
    if asked.pop("dry_run"):
        prepared, resources = prepare_run(asked, home)
        print_plan(prepared, console, resources.jobs)
        return
    results = function(**asked)
    print_summary(results.folder, console)
    made = results.record["plan"]
    console.print(
        f"{made['steps']} steps served {made['uses']} uses in {made['cells']} cells: what cells share is computed once",
        highlight=False,
    )
    console.print(f"report: {results.folder / 'report.html'}", highlight=False, markup=False, soft_wrap=True)
    if results.missing:
        console.print(results.missing, highlight=False, markup=False)
        raise typer.Exit(IncompleteError.code)
