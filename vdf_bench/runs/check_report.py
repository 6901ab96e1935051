"""What a check of victims says: a table of gates, figures that are reported only, and ``gates.json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vdf_bench.core.files import write_atomically
from vdf_bench.report import words
from vdf_bench.runs.sheets import clone_sheet, moments, sheet_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from vdf_bench.judges.gates import GateResult
    from vdf_bench.plan.run import Run
    from vdf_bench.runs.check import Checked

SCHEMA = 1


def print_checks(checks: Sequence[Checked], console: Console) -> None:
    """Print gates, then figures that are held against nobody, then notes."""
    from rich.text import Text

    gates = _grid("gate", "value", "bound", "result")
    for name, check in zip(_names(checks), checks, strict=True):
        rows = [(v.gate.metric, _value(v), _bound(v), _word(v.ok)) for v in check.results]
        if check.outcome != "trained":
            rows.insert(0, ("outcome", check.outcome, check.code, _word(False)))
        for k, (gate, value, bound, word) in enumerate(rows):
            style = {"pass": "green", "FAIL": "bold red"}.get(word, "dim")
            gates.add_row(*(name if k == 0 else ("",) * 3), gate, value, bound, Text(word, style))
        gates.add_section()
    console.print(gates)
    figures = _grid("by landmarks", "by audio", "voice r", "identity", "fit [s]", "MiB", padding=1)
    for name, check in zip(_names(checks), checks, strict=True):
        driven = [_lips(check.driven[drive]) for drive in ("landmarks", "audio")]
        told = words.DASH if check.audio_r is None else words.ratio(check.audio_r)
        measured = check.driven["landmarks"]
        cosine = measured.get("identity", measured.get("identity_arcface"))
        cells = [told, words.DASH if cosine is None else words.ratio(cosine)]
        figures.add_row(*name, *driven, *cells, f"{check.seconds:.0f}", f"{check.peak_mib:.0f}")
    said = "Reported only: lip r [95 % interval] by what drives the lips; voice r: how well sound predicts the mouth"
    console.print(said, highlight=False)
    console.print(figures)
    notes = [f"{check.cell.clip}: {_told(check.heard)}" for check in checks if "audio_r_low" in check.heard]
    notes += [f"{check.cell.victim} on {check.cell.clip}: {note}" for check in checks for note in check.notes]
    for note in dict.fromkeys(notes):
        console.print(f"  {note}", highlight=False, markup=False)
    passed = sum(check.fault is None for check in checks)
    console.print(
        f"{passed} of {words.count(len(checks), 'clone')} of a clean clip pass every gate, lips driven by landmarks",
        style="bold green" if passed == len(checks) else "bold red",
        highlight=False,
    )


def write_checks(run: Run, checks: Sequence[Checked]) -> None:
    """Write ``gates.json`` and a contact sheet a clone into the check's folder."""
    from vdf_bench.results.gather import environment

    record = {
        "schema": SCHEMA,
        "run": run.identity,
        "environment": environment(),
        "preset": {"name": run.request.preset.name, "size": run.request.preset.size},
        "ok": all(check.fault is None for check in checks),
        "clones": [check.record() for check in checks],
        "left_out": run.plan.left_out,
    }
    text = json.dumps(record, indent=1, sort_keys=True, allow_nan=False)
    write_atomically(run.out / "gates.json", text.encode())
    for check, name in zip(checks, _names(checks), strict=True):
        picture = _sheet(run, check)
        if picture is not None:
            write_atomically(run.out / sheet_name(*name), picture)


def _sheet(run: Run, check: Checked) -> bytes | None:
    """PNG of one clone; None where the capture was refused."""
    from vdf_bench.core.capture import Capture
    from vdf_bench.results.gather import fetch
    from vdf_bench.stages.packing import unpack_clip, unpack_rendering

    captured = fetch(run, check.cell.steps["capture"])
    if "refused" in captured.meta:
        return None
    capture, clip = Capture.from_arrays(captured.arrays), unpack_clip(fetch(run, check.cell.steps["clip"]))
    chosen = moments(capture)
    at = [moment.position for moment in chosen]
    frames = clip.frames
    held = capture.split.heldout[at]
    columns = [
        (moment.caption or f"frame {frame}", f"frame {frame}" if moment.caption else f"{frame / float(clip.fps):.1f} s")
        for moment, frame in zip(chosen, held, strict=True)
    ]
    rows: list[tuple[str, str, Any]] = [("truth", "", frames[held])]
    for drive, cell in check.cells.items():
        rendering = unpack_rendering(fetch(run, cell.steps["rendering"]))
        r = words.number(check.driven[drive].get("lip_correlation", 0.0))
        remark = f"lip r {r}" if rendering else check.outcome
        rows.append((f"by {drive}", remark, rendering.rgb[at] if rendering else None))
    place = check.place
    title = f"{place['victim']} on {place['clip']}, {place['target']} frames"
    figures = f"head PSNR {words.number(check.driven['landmarks'].get('head_psnr', 0.0), 1)} dB"
    summary = f"{figures} · {check.fault or 'passes every gate'}"
    spread = sum(not moment.caption for moment in chosen)
    return clone_sheet(title, (summary, check.fault is None), columns, spread, rows)


def _names(checks: Sequence[Checked]) -> list[tuple[str, str, str]]:
    """Victim, clip, target; capture and seed join the clip where several were asked for."""
    several = [len({check.place[part] for check in checks}) > 1 for part in ("capture", "seed")]
    found = []
    for check in checks:
        more = [f"{check.place[part]}" for part, many in zip(("capture", "seed"), several, strict=True) if many]
        place = check.place
        found.append((place["victim"], " ".join([place["clip"], *more]), place["target"]))
    return found


def _grid(*columns: str, padding: int = 2) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, padding=(0, padding, 0, 0), pad_edge=False)
    for name in ("victim", "clip", "target", *columns):
        left = name in ("victim", "clip", "target", "gate", "result")
        table.add_column(escape(name), justify="left" if left else "right", no_wrap=name != "clip", overflow="fold")
    return table


def _value(result: GateResult) -> str:
    return words.DASH if result.value is None else f"{result.value:.3g}"


def _bound(result: GateResult) -> str:
    return f"{'≥' if result.gate.side == 'at least' else '≤'} {result.gate.bound:g}"


def _word(ok: bool | None) -> str:
    return "not measured" if ok is None else "pass" if ok else "FAIL"


def _lips(values: dict[str, float]) -> str:
    return _interval("lip_correlation", values) if "lip_correlation" in values else words.DASH


def _told(heard: dict[str, float]) -> str:
    fitted, shipped = (_interval(name, heard) for name in ("audio_r", "audio_r_shipped"))
    return f"voice r {fitted} with a map fitted to the clip, blocks left out; {shipped} with the shipped one alone"


def _interval(name: str, values: dict[str, float]) -> str:
    """A value and, where they are known, the ends of its interval."""
    value = words.ratio(values[name])
    ends = [words.ratio(values[f"{name}_{end}"]) for end in ("low", "high") if f"{name}_{end}" in values]
    return f"{value} [{', '.join(ends)}]" if ends else value
