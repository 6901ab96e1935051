"""One self-contained HTML page: the answer, the numbers, the pictures, and then what they rest on."""

from __future__ import annotations

import base64
from importlib import resources
from typing import TYPE_CHECKING, Any

from vdf_bench.core.text import duration
from vdf_bench.report import words
from vdf_bench.report.alt import plot_text
from vdf_bench.report.answer import answers, no_answer
from vdf_bench.report.attacks import clip_table, cost_table, score_table, scores, suite_reading
from vdf_bench.report.curves import curve_table, equal_budget, equal_psnr, not_compared, reading
from vdf_bench.report.figures import OPEN, cards, page_figures
from vdf_bench.report.split import FURTHER, split
from vdf_bench.report.stages import HEADS, READING, paths
from vdf_bench.report.tables import attack_name, columns, dsr_parts, further, records, sample
from vdf_bench.report.terminal import basis, gate_sentence, gates_sentence
from vdf_bench.report.transfer import READING as TRANSFER
from vdf_bench.report.transfer import matrices
from vdf_bench.stats import FAILS, STILL

if TYPE_CHECKING:
    from pathlib import Path as File

    from markupsafe import Markup

    from vdf_bench.report.answer import Answer
    from vdf_bench.report.curves import Table
    from vdf_bench.report.plots import Plot
    from vdf_bench.report.record import Run
    from vdf_bench.report.stages import Path
    from vdf_bench.report.track import Terms

#: Rows of the table by attack that are open when the page opens; further attacks fold.
OPEN_ROWS = 24
#: Gates that the page lists.
GATES = 200
#: Sentences of the answer that stand alone; more are summarised first.
SENTENCES = 6
#: Verdict -> what it says of the clone in the table, and of the attacker in the answer.
CLONED = {"fails": "no", "partly": "in part", "still": "yes", "void": "void", "unknown": words.DASH}
#: Plots that stand beside the worst cases and the stage trace; the others are curves.
_PLACES = {"attackers": "worst", "strength": "worst", "stages": "stages", "traces": "traces"}


def write_page(run: Run, plots: list[Plot]) -> File:
    """Write ``report.html`` into the run folder, and beside it sheets for attacks that one page does not hold.

    Args:
        run: the run.
        plots: from :func:`vdf_bench.report.plots.write_plots`.

    Returns:
        The page.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("vdf_bench.report", "")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"duration": duration, "number": words.number, "budget": words.budget, "code": _code}
    sheets = split(_attacks(run), _paths(run), _curves(run))
    shared = {
        "css": resources.files("vdf_bench.report").joinpath("page.css").read_text(encoding="utf-8"),
        "terms": run.terms,
        "heads": _heads(run),
        "stage_heads": HEADS,
        "stage_reading": READING,
        "n": sample(run.summary) if len(run.summary) else "",
        "sheets": sheets,
    }
    for old in run.folder.iterdir():  # of a larger matrix that was here before
        if FURTHER.fullmatch(old.name):
            old.unlink()
    for sheet in sheets[1:]:
        html = environment.get_template("sheet.html.jinja").render(sheet=sheet, **shared)
        (run.folder / sheet.file).write_text(html, encoding="utf-8", newline="\n")
    figures, more = page_figures(run)
    shown, rest = _definitions(run)
    said = answers(run)
    html = environment.get_template("page.html.jinja").render(
        **shared,
        sheet=sheets[0],
        listed=GATES,
        record={"preset": None, "left_out": [], "notes": [], "command": "", **run.record},
        lead=_lead(said, run.terms),
        no_answer=no_answer(run),
        cards=cards(run),
        figures=figures,
        open_figures=OPEN,
        more_pictures=more,
        strips=run.terms.strips,
        answers=said,
        ledger=_ledger(said, run.terms) if len(said) > SENTENCES else [],
        open_rows=OPEN_ROWS,
        suite=_suite(run),
        transfer=matrices(run),
        transfer_reading=TRANSFER,
        plots=_plots(run, plots),
        stages=run.terms.stages,
        claims=_claims(run),
        gates=[(gate, gate_sentence(gate)) for gate in run.record.get("gates") or []],
        gates_asked=gates_sentence(run, why=True),
        void=int(run.summary["void"].sum()) if len(run.summary) else 0,
        steps=_steps(run.record.get("steps") or []),
        definitions=shown,
        more_definitions=rest,
        record_lines=_record_lines(run.record),
        outcomes=[(name, text) for name, text in words.OUTCOMES.items() if (run.results["outcome"] == name).any()],
        basis=basis(run),
        caution=run.terms.caution,
        thresholds=(words.percent(FAILS, False), words.percent(STILL, False)),
    )
    path = run.folder / sheets[0].file
    path.write_text(html, encoding="utf-8", newline="\n")
    return path


def _code(text: str) -> Markup:
    """What stands between backticks as code, everything escaped."""
    from markupsafe import Markup, escape

    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(str(text).split("`"))
    )


def _lead(answers: list[Answer], terms: Terms) -> str:
    judged = [answer.verdict for answer in answers if answer.verdict in ("fails", "partly", "still")]
    if not judged:
        return "This run holds no answer: no victim worked, or none could be judged."
    failed, still, part = judged.count("fails"), judged.count("still"), judged.count("partly")
    if len(judged) == 1:
        return {
            "fails": f"Not with the attacker of this run: {terms.lost}.",
            "partly": f"In part: the attacker of this run {terms.made}s some of what it is asked for.",
            "still": f"Yes: the attacker of this run still {terms.made}s.",
        }[judged[0]]
    several = len({answer.against for answer in answers}) > 1
    counted = words.count(len(judged), "pairing") + " of a defense with an attacker" if several else ""
    counted = counted or f"the {len(judged)} defenses"
    if not still and not part:
        return f"Not with the attackers of this run: {terms.lost} in each of {counted}."
    if not failed and not part:
        return f"Yes: the person is still {terms.asks[:-1]} in each of {counted}."
    return (
        f"It depends on {'defense and attacker' if several else 'the defense'}: of {counted}, {still} still let the "
        f"person be {terms.asks[:-1]}, {part} in part, and {failed} stopped it."
    )


def _ledger(answers: list[Answer], terms: Terms) -> list[tuple[str, list[tuple[str, str, list[str]]]]]:
    """Every attacker with the defenses that it gets past, and those that it does not: the worst news first."""
    ledger: dict[str, dict[str, list[str]]] = {}
    for answer in answers:
        names = ledger.setdefault(answer.against, {}).setdefault(answer.verdict, [])
        if answer.defense not in names:
            names.append(answer.defense)
    return [
        (against, [(verdict, text, found[verdict]) for verdict, text in terms.told.items() if verdict in found])
        for against, found in ledger.items()
    ]


def _plots(run: Run, plots: list[Plot]) -> dict[str, list[dict[str, str]]]:
    """Plots by section, with what they show in words."""
    found: dict[str, list[dict[str, str]]] = {"worst": [], "stages": [], "traces": [], "curves": []}
    for plot in plots:
        name = plot.svg.stem
        uri = f"data:image/svg+xml;base64,{base64.b64encode(plot.svg.read_bytes()).decode()}"
        entry = {"name": name, "title": plot.title, "caption": plot.caption, "uri": uri, "alt": plot_text(run, name)}
        found[_PLACES.get(name, "curves")].append(entry)
    return found


def _paths(run: Run) -> list[tuple[str, list[Path]]]:
    """The stage trace in blocks, one an attack."""
    blocks: dict[str, list[Path]] = {}
    for path in paths(run):
        blocks.setdefault(path.attack, []).append(path)
    return list(blocks.items())


def _claims(run: Run) -> str:
    """Where the page of claims lies that this run was made for, from here; empty where there is none."""
    for place in ("claims.html", "../claims.html"):
        if (run.folder / place).is_file():
            return place
    return ""


def _record_lines(record: dict[str, Any]) -> list[tuple[str, str]]:
    """What is needed to repeat the run, as name and value."""
    keys = ("preset", "seeds", "budget", "drive", "surrogate", "parameters", "identities")
    lines = [(name, _plain(record[name])) for name in keys if record.get(name)]
    lines += [("plug-in", text) for text in _third_party(record.get("plugins") or [])]
    lines += [(str(name), _plain(value)) for name, value in (record.get("environment") or {}).items()]
    lines += [(f"clip {name}", _plain(value)) for name, value in (record.get("inputs") or {}).items()]
    return lines


def _third_party(plugins: list[dict[str, str]]) -> list[str]:
    """Components that took part and are not this project's, each with its package and version."""
    return [
        f"{one.get('kind')} {one.get('name')}: {one.get('distribution')} {one.get('version')}"
        for one in plugins
        if one.get("distribution") != "vdf-bench"
    ]


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


def _heads(run: Run) -> list[str]:
    defense, *rest = (name for name, _ in columns(run))
    return [defense, run.terms.asks, *rest]


def _attacks(run: Run) -> list[tuple[str, list[tuple[list[str], str]]]]:
    """The table in blocks, one an attack: its name, and for each defense the cells and the verdict."""
    layout = columns(run)
    layout.insert(1, (run.terms.asks, lambda row: CLONED[row["verdict"]]))
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
        ("On every clip", *clip_table(run)),
        ("What attacks cost the attacker", *cost_table(run)),
    ]
    return {"name": suite["name"], "worst": score_table(run, found), "tables": tables, "reading": suite_reading(run)}


def _curves(run: Run) -> list[dict[str, Any]]:
    """Defenses at equal strength and effect against fidelity, by attack."""
    found = []
    for panel in run.panels:
        if run.record.get("suite") and not panel.swept:
            continue  # there the worst case ranks defenses
        ranked = [_tied(table, panel.effects[0].label) for table in (equal_budget(panel), equal_psnr(panel)) if table]
        tables = [*([curve_table(panel)] if panel.swept else []), *ranked]
        found.append(
            {
                "attack": panel.attack,
                "tables": tables,
                "not_compared": not_compared(panel),
                "reading": reading(panel),
                "swept": panel.swept,
            }
        )
    return found


def _tied(table: Table, label: str) -> Table:
    """Rows that say the same in every column, merged into one; the heading names what the columns hold."""
    (title, *heads), rows = table
    names: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    for name, *cells in rows:
        names.setdefault((name.endswith(" (c)"), tuple(cells)), []).append(name)
    return [f"{label} {title}", *heads], [[", ".join(found), *cells] for (_, cells), found in names.items()]


def _definitions(run: Run) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What the metrics of the table mean, and what the other metrics of this run mean."""
    near = {*words.LABELS, run.terms.success, *dsr_parts(run), *(one.name for one in further(run))}
    shown: list[tuple[str, str]] = [("net DSR", run.terms.net)] if run.terms.success in run.metrics else []
    rest: list[tuple[str, str]] = []
    for name, metric in run.metrics.items():
        unit = f" [{metric.unit}]" if metric.unit else ""
        text = metric.definition + (f" ({metric.aggregation})" if metric.aggregation else "")
        text += f"; judge {metric.judge}" if metric.shown and metric.judge else ""
        (shown if name in near else rest).append((f"{words.label(name)}{unit}", text))
    return shown, rest
