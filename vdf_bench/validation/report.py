"""What a validation says: a line per property on the terminal, ``validate.json``, and a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vdf_bench.core.files import write_atomically
from vdf_bench.report import words

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from vdf_bench.plan.run import Run
    from vdf_bench.validation.arms import Validation

SCHEMA = 2


def print_validation(found: Validation, console: Console) -> None:
    """Print each property with the figures that decide."""
    from rich.text import Text

    for one in found.properties:
        verdict = Text("holds ", "green") if one.ok else Text("FAILS ", "bold red")
        console.print(verdict + Text(one.claim, "" if one.ok else "bold"), highlight=False)
        console.print(f"      {one.measured}", style="dim", highlight=False, markup=False)
    console.print(conclusion(found), style="bold green" if found.ok else "bold red", highlight=False)


def conclusion(found: Validation) -> str:
    """How many properties hold, and on what they rest."""
    held = sum(one.ok for one in found.properties)
    return (
        f"{held} of {len(found.properties)} properties hold, on "
        f"{words.count(len(found.clips), 'clip')} and {words.count(len(found.seeds), 'seed')}"
    )


def write_validation(run: Run, found: Validation) -> Path:
    """Write ``validate.json``, ``results.parquet`` and ``validate.html`` into the folder; returns the page."""
    from vdf_bench.results import write_results
    from vdf_bench.results.gather import environment

    preset = run.request.preset
    record = {
        "schema": SCHEMA,
        "run": run.identity,
        "ok": found.ok,
        "environment": environment(),
        "preset": {"name": preset.name, "size": preset.size, "frames": preset.frames},
        "victim": run.request.victims[0],
        "clips": list(found.clips),
        "seeds": list(found.seeds),
        "properties": [one.record() for one in found.properties],
    }
    write_results(found.rows, run.out / "results.parquet")
    text = json.dumps(record, indent=1, sort_keys=True, allow_nan=False)
    write_atomically(run.out / "validate.json", text.encode())
    path = run.out / "validate.html"
    write_atomically(path, page(run, found).encode())
    return path


def page(run: Run, found: Validation) -> str:
    """The same as one self-contained page."""
    from importlib.resources import files

    from jinja2 import Environment

    from vdf_bench.results.gather import environment

    folder = files("vdf_bench.report")
    template = Environment(autoescape=True).from_string((folder / "validation.html.jinja").read_text("utf-8"))
    preset = run.request.preset
    return template.render(
        css=(folder / "page.css").read_text("utf-8"),
        found=found,
        conclusion=conclusion(found),
        basis=f"{preset.name} · {preset.size} px · {run.request.victims[0]} on {', '.join(found.clips)} · "
        f"seeds {', '.join(map(str, found.seeds))}",
        environment=environment(),
    )
