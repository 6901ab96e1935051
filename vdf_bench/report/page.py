"""One self-contained HTML page: pictures first, then the answer, then what it rests on."""

from __future__ import annotations

import base64
from importlib import resources
from typing import TYPE_CHECKING, Any

from vdf_bench.judges.definitions import METRICS
from vdf_bench.report import words
from vdf_bench.report.answer import answers
from vdf_bench.report.attacks import clip_table, cost_table, score_table, scores, suite_reading
from vdf_bench.report.curves import curve_table, equal_budget, equal_psnr, not_compared, panels, reading
from vdf_bench.report.pictures import STRIPS, read_index
from vdf_bench.report.tables import attack_name, columns, dsr_parts, records
from vdf_bench.report.terminal import basis, gate_sentence, gates_sentence
from vdf_bench.stats import FAILS, STILL

if TYPE_CHECKING:
    from pathlib import Path

    from vdf_bench.report.answer import Answer
    from vdf_bench.report.plots import Plot
    from vdf_bench.report.record import Run

#: Cells with pictures in the page; the rest stay in ``media/``, so that the page opens quickly on a phone.
EMBEDDED = 16
#: What makes two pictures repetitions of each other. Pictures of older runs have no floor.
_KIND = ("defense", "linf", "floor", "victim", "target", "capture", "purifier")
_TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".mp4": "video/mp4"}

#: The stage trace in one line each.
STAGES = (
    ("protect", "The defense changes the frames within its budget; PSNR and SSIM say how visible that is."),
    ("capture", "The attacker's preprocessing: parse IoU, head recall, landmark and pose error say what survived it."),
    ("field", "The 3D field trains on the capture; head PSNR on held-out frames says whether it became the person."),
    ("clone", "The field is driven with held-out speech; DSR, lips and identity say whether the clone convinces."),
)


def write_page(run: Run, plots: list[Plot]) -> Path:
    """Write ``report.html`` into the run folder.

    Args:
        run: the run.
        plots: from :func:`vdf_bench.report.plots.write_plots`.

    Returns:
        The page.
    """
    from jinja2 import Environment, StrictUndefined

    here = resources.files("vdf_bench.report")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"duration": words.duration, "number": words.number, "budget": words.budget}
    template = environment.from_string(here.joinpath("page.html.jinja").read_text(encoding="utf-8"))
    figures, more = _figures(run)
    shown, rest = _definitions(run)
    told = answers(run)
    html = template.render(
        record=run.record,
        css=here.joinpath("page.css").read_text(encoding="utf-8"),
        lead=_lead(told),
        figures=figures,
        more_pictures=more,
        strips=STRIPS,
        answers=told,
        heads=[name for name, _ in columns(run)],
        attacks=_attacks(run),
        suite=_suite(run),
        curves=_curves(run),
        plots=[(plot, data_uri(plot.svg)) for plot in plots],
        stages=STAGES,
        gates=[(gate, gate_sentence(gate)) for gate in run.record.get("gates") or []],
        gates_asked=gates_sentence(run, why=True),
        void=int(run.summary["void"].sum()) if len(run.summary) else 0,
        steps=_steps(run.record.get("steps") or []),
        definitions=shown,
        more_definitions=rest,
        record_lines=_record_lines(run.record),
        outcomes=[(name, text) for name, text in words.OUTCOMES.items() if (run.results["outcome"] == name).any()],
        basis=basis(run),
        caution=words.CAUTION,
        thresholds=(words.percent(FAILS, False), words.percent(STILL, False)),
    )
    path = run.folder / "report.html"
    path.write_text(html, encoding="utf-8", newline="\n")
    return path


def data_uri(path: Path) -> str:
    """The file as a ``data:`` URI, so that the page needs nothing beside it."""
    return f"data:{_TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _lead(told: list[Answer]) -> str:
    found = [answer.verdict for answer in told]
    judged = [verdict for verdict in found if verdict in ("fails", "partly", "still")]
    if not judged:
        return "This run holds no answer: no victim cloned, or none could be judged."
    failed = judged.count("fails")
    still, part = judged.count("still"), judged.count("partly")
    return (
        f"Of {words.count(len(judged), 'pairing')} of a defense with an attacker, {still} still cloned the person, "
        f"{part} did in part, and {failed} failed to."
    )


def _figures(run: Run) -> tuple[list[dict[str, Any]], int]:
    """Pictures for the page: defended arms before controls, one of each kind before a second clip or seed."""
    media = run.folder / "media"
    controls = set(run.results.loc[run.results["arm"] == "control", "defense"])
    seen: dict[tuple[Any, ...], int] = {}
    ranked = []
    for place, picture in enumerate(read_index(run.folder)):
        kind = tuple(picture.get(name) for name in _KIND)
        seen[kind] = seen.get(kind, 0) + 1
        ranked.append((seen[kind], picture["defense"] in controls, place, picture))
    ranked.sort(key=lambda entry: entry[:3])
    figures = []
    for turn, control, _, picture in ranked[:EMBEDDED]:
        figures.append(
            {
                **picture,
                # One figure a victim and defense is open; repetitions and controls fold away.
                "open": turn == 1 and not control,
                "control": control,
                "access": run.access(picture["capture"]),
                "images": {name: data_uri(media / file) for name, file in picture["strips"].items()},
                "movie": data_uri(media / picture["video"]) if picture["video"] else "",
                "after": "" if picture["purifier"] in ("", "identity") else picture["purifier"],
            }
        )
    return figures, len(ranked) - len(figures)


def _record_lines(record: dict[str, Any]) -> list[tuple[str, str]]:
    """What is needed to repeat the run, as name and value."""
    told = ("preset", "seeds", "budget", "drive", "surrogate", "parameters", "identities")
    lines = [(name, _plain(record[name])) for name in told if record.get(name)]
    lines += [(str(name), _plain(value)) for name, value in (record.get("environment") or {}).items()]
    lines += [(f"clip {name}", _plain(value)) for name, value in (record.get("inputs") or {}).items()]
    return lines


def _plain(value: Any) -> str:
    """Nested JSON on one line, without its punctuation."""
    if isinstance(value, dict):
        return "; ".join(f"{name} {_plain(inner)}" for name, inner in value.items() if inner not in ("", None))
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    return str(value)


def _steps(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Cost by kind of step, in order of first appearance."""
    kinds: dict[str, dict[str, Any]] = {}
    for step in steps:
        kind = kinds.setdefault(
            str(step["step"]), {"step": step["step"], "count": 0, "cached": 0, "wall": 0.0, "cpu": 0.0, "peak_mib": 0.0}
        )
        kind["count"] += 1
        kind["cached"] += bool(step.get("cached"))
        for name in ("wall", "cpu"):
            kind[name] += float(step.get(name) or 0)
        kind["peak_mib"] = max(kind["peak_mib"], float(step.get("peak_mib") or 0))
    return list(kinds.values())


def _attacks(run: Run) -> list[tuple[str, list[tuple[list[str], str]]]]:
    """The table in blocks, one an attack: its name, and for each defense the cells and the verdict."""
    layout = columns(run)
    blocks: dict[str, list[tuple[list[str], str]]] = {}
    for row in records(run.summary):
        blocks.setdefault(attack_name(row), []).append(([show(row) for _, show in layout], row["verdict"]))
    return list(blocks.items())


def _suite(run: Run) -> dict[str, Any] | None:
    """The worst case under a fixed suite of attackers; None in other runs."""
    suite = run.record.get("suite")
    found = scores(run) if suite else []
    if not suite or not found:
        return None
    tables = [
        ("Worst case", score_table(run, found)),
        ("On every clip", clip_table(run)),
        ("What attacks cost the attacker", cost_table(run)),
    ]
    return {"name": suite["name"], "tables": tables, "reading": suite_reading(run)}


def _curves(run: Run) -> list[dict[str, Any]]:
    """Defenses at equal strength and effect against fidelity, by attack."""
    found = []
    for panel in panels(run):
        if run.record.get("suite") and not panel.swept:
            continue  # there the worst case ranks defenses
        tables = [curve_table(panel) if panel.swept else None, equal_budget(panel), equal_psnr(panel)]
        found.append(
            {
                "attack": panel.attack,
                "tables": [table for table in tables if table is not None],
                "apart": not_compared(panel),
                "reading": reading(panel),
                "swept": panel.swept,
            }
        )
    return found


def _definitions(run: Run) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What the metrics of the table mean, and what the other metrics of this run mean."""
    present = set(run.results["metric"])
    shown: list[tuple[str, str]] = [("net DSR", words.NET_DSR)] if "dsr" in present else []
    rest: list[tuple[str, str]] = []
    for name, metric in METRICS.items():
        if name in present:
            unit = f" [{metric.unit}]" if metric.unit else ""
            text = f"{metric.definition} ({metric.aggregation})"
            near = name in words.LABELS or name in dsr_parts(run.results)
            (shown if near else rest).append((f"{words.label(name)}{unit}", text))
    return shown, rest
