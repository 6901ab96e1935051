"""The summary in the terminal: the answer first, then the table, then what it rests on; 100 columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from vdf_bench.judges.gates import EDIT_GATES, GATES
from vdf_bench.report import words
from vdf_bench.report.answer import answers, no_answer
from vdf_bench.report.attacks import clip_table, cost_table, score_table, scores, suite_reading
from vdf_bench.report.curves import curve_table, equal_budget, equal_psnr, not_compared, reading
from vdf_bench.report.further import further_tables
from vdf_bench.report.tables import attack_name, dsr_parts, headline, identities, records
from vdf_bench.report.track import IMAGES
from vdf_bench.report.transfer import matrices
from vdf_bench.stats import FAILS, MIN_UNITS, STILL, UNPURIFIED, WIDE_UNITS

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from vdf_bench.report.record import Run

WIDTH = 100
#: Sentences before the rest is left to the page.
SENTENCES = 12
#: Rows of the worst case on every clip, and tables of further metrics, before the rest is left to the page.
CELLS = 12
#: Further metrics side by side.
BESIDE = 4
#: Parts of DSR that have room here; the page has all.
MAX_PARTS = 4
_PARTS = {"dsr_identity": "id", "dsr_quality": "qual"}
#: Columns of edits that have no room here.
_WIDE = ("edit L1", "edit SSIM", "edit LPIPS", "portraits × seeds")
_STYLES = {"fails": "green", "partly": "yellow", "still": "red", "void": "dim", "unknown": "dim"}


def print_run(run: Run, console: Console | None = None) -> None:
    """Print the summary of a run."""
    from rich.console import Console, Group

    out = console or Console()
    parts: list[RenderableType] = [
        *_answers(run),
        *(_suite(run) or _tables(run)),
        *_further(run),
        *_curves(run),
        *_footer(run),
    ]
    out.print(Group(*parts), width=min(WIDTH, out.width), soft_wrap=False)


def _text(line: str, style: str = "", indent: int = 0) -> RenderableType:
    """A wrapped paragraph; names of clips and components are never read as markup."""
    from rich.padding import Padding
    from rich.text import Text

    return Padding(Text(line, style), (0, 0, 0, indent))


def _answers(run: Run) -> list[RenderableType]:
    found = answers(run)
    lines = [_text(answer.text, f"bold {_STYLES[answer.verdict]}") for answer in found[:SENTENCES]]
    if len(found) > SENTENCES:
        lines.append(_text(f"… and {len(found) - SENTENCES} more; the page and summary.md have them all.", "dim"))
    return lines or [_text(no_answer(run), "bold")]


def _tables(run: Run) -> list[RenderableType]:
    """One small table per attack, so that white-box and transfer never stand in one column; one heading for all."""
    summary = run.summary
    if not len(summary):
        return []
    if run.terms is IMAGES:
        return _edit_tables(run)
    groups = [rows for _, rows in summary.groupby(["victim", "target", "access", "capture", "purifier"], sort=False)]
    parts = [p for p in dsr_parts(run) if summary[f"{p}_delta"].map(math.isfinite).any()][:MAX_PARTS]
    return [_heading(parts), *(_table(rows, parts, identities(run)) for rows in groups)]


def _edit_tables(run: Run) -> list[RenderableType]:
    """One table per editor, access and purifier."""
    from rich.text import Text

    layout = [column for column in headline(run) if column[0] not in _WIDE]
    lines: list[RenderableType] = [""]
    for _, rows in run.summary.groupby(["victim", "access", "purifier"], sort=False):
        found = records(rows)
        cells = [[show(row) for _, show in layout] for row in found]
        lines += [Text(attack_name(found[0]), "bold"), _simple_table([name for name, _ in layout], cells), ""]
    for matrix in matrices(run):
        lines += [Text(f"Transfer, {matrix.title}", "bold"), _simple_table(matrix.heads, matrix.rows), ""]
    return lines


def _further(run: Run) -> list[RenderableType]:
    """What judges want shown beside the columns above."""
    from rich.text import Text

    tables = further_tables(run, BESIDE)
    lines: list[RenderableType] = [Text("More metrics", "bold")] if tables else []
    for title, heads, rows in tables[:CELLS]:
        lines += [Text(title, "bold"), _simple_table(heads, rows), ""]
    if len(tables) > CELLS:
        lines.append(_text(f"… and {len(tables) - CELLS} more tables; the page has all of them.", "dim"))
    return lines


def _suite(run: Run) -> list[RenderableType]:
    """The worst case under a fixed suite of attackers; nothing in other runs. The page has every attack."""
    from rich.text import Text

    suite = run.record.get("suite")
    found = scores(run) if suite else []
    if not suite or not found:
        return []
    lines: list[RenderableType] = [
        "",
        Text(f"{suite['name']}: worst case over {len(suite['attacks'])} attacks", "bold"),
    ]
    lines.append(_simple_table(*score_table(run, found)))
    heads, rows = clip_table(run)
    lines += ["", Text("On every clip", "bold"), _simple_table(heads, rows[:CELLS])]
    if len(rows) > CELLS:
        lines.append(_text(f"… and {len(rows) - CELLS} more; the page has them all.", "dim"))
    heads, rows = cost_table(run)
    narrow = [head for head in heads if head != "what it tries"]
    kept = [[cell for head, cell in zip(heads, row, strict=True) if head in narrow] for row in rows]
    lines += ["", Text("What attacks cost the attacker", "bold"), _simple_table(narrow, kept)]
    return [*lines, _text(suite_reading(run), "dim"), ""]


def _columns(parts: list[str]) -> list[tuple[str, int]]:
    """Headings and widths: fixed, so that the tables line up and one heading serves all of them."""
    columns = [("defense", 12), ("outcome", 9), ("head PSNR [dB]\nΔ [95 % CI]", 18), ("net DSR [%]\n[95 % CI]", 11)]
    columns += [(f"{_PARTS.get(part, part.removeprefix('dsr_')[:4])}\n[%]", 4) for part in parts]
    return [*columns, ("lip r", 8), ("identity", 8), ("PSNR\nSSIM", 5), ("cost\n[s/fr.]", 7)]


def _grid(parts: list[str], heading: bool) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=heading, header_style="dim")
    for index, (head, width) in enumerate(_columns(parts)):
        table.add_column(Text(head), justify="left" if index < 2 else "right", width=width)
    return table


def _heading(parts: list[str]) -> RenderableType:
    from rich.console import Group
    from rich.rule import Rule

    return Group("", _grid(parts, heading=True), Rule(style="dim"))


def _table(rows: pd.DataFrame, parts: list[str], cosines: list[str]) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    table = _grid(parts, heading=False)
    for row in records(rows):
        table.add_row(*_cells(row, parts, cosines))
    return Group(Text(attack_name(records(rows)[0]), "bold"), table, "")


def _cells(row: dict[str, Any], parts: list[str], cosines: list[str]) -> list[Text]:
    from rich.text import Text

    def pair(metric: str) -> str:
        if not math.isfinite(row[metric]):
            return words.DASH
        return f"{words.ratio(row[f'{metric}_clean'])}→{words.ratio(row[metric])}"

    def ends(metric: str, digits: int, factor: float) -> str:
        text = words.interval(row[f"{metric}_low"], row[f"{metric}_high"], digits, factor).replace(", ", ",")
        return f"{text}*" if text and row[f"{metric}_wide"] else text

    bound = words.budget(row["linf"], row["floor"]).replace(" ", "\n", 1)
    name = f"{row['defense']}{' (c)' if row['arm'] == 'control' else ''}\n{bound}".rstrip()
    psnr = words.DASH
    if math.isfinite(row["head_psnr"]):
        psnr = f"{words.number(row['head_psnr_clean'], 1)}→{words.number(row['head_psnr'], 1)}\n"
        psnr += f"{words.number(row['head_psnr_delta'], 1, True)} {ends('head_psnr', 1, 1)}".rstrip()
    dsr = f"{words.number(100 * row['dsr_delta'], 0, True)}\n{ends('dsr', 0, 100)}".rstrip()
    shown = [name, row["outcome"].replace(", ", "\n"), psnr, dsr]
    shown += [words.number(100 * row[f"{part}_delta"], 0, True) for part in parts]
    # One recogniser judges a clip; a row of rendered and real clips shows the first one's here, the page all.
    who = next((metric for metric in cosines if math.isfinite(row[metric])), "identity")
    shown += [pair("lip_correlation"), pair(who)]
    fidelity = f"{words.number(row['psnr'], 1)}\n{words.ratio(row['ssim'], 3)}"
    shown += [fidelity if math.isfinite(row["psnr"]) else words.DASH, words.small(row["seconds_per_frame"])]
    cells = [Text(text) for text in shown]
    cells[3].stylize(f"bold {_STYLES[row['verdict']]}")
    return cells


def _curves(run: Run) -> list[RenderableType]:
    """Defenses at equal strength, and effect against fidelity where the run has several budgets."""
    from rich.text import Text

    # Under a suite the worst case ranks defenses.
    found = [panel for panel in run.panels if panel.swept or not run.record.get("suite")]
    swept = any(panel.swept for panel in found)
    title = "Protection against fidelity" if swept else "Defenses compared"
    lines: list[RenderableType] = [Text(title, "bold")] if found else []
    for panel in [panel for panel in found if panel.plain] or found:
        lines.append(_text(panel.attack, "bold"))
        tables = [curve_table(panel) if panel.swept else None, equal_budget(panel), equal_psnr(panel)]
        lines += [_simple_table(*table) for table in tables if table is not None]
        lines += [_text(line) for line in not_compared(panel)]
        lines += [_text(reading(panel), "dim"), ""] if reading(panel) else [""]
    return lines


def _simple_table(heads: list[str], rows: list[list[str]]) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for index, head in enumerate(heads):
        table.add_column(Text(head), justify="right" if index else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _footer(run: Run) -> list[RenderableType]:
    """What is missing, what is void, what the numbers mean."""
    lines: list[RenderableType] = []
    left = run.record.get("left_out") or []
    if left:
        lines.append(_text("Left out", "bold"))
        lines += [
            _text(f"{item.get('kind', '')} {item.get('name', '')}: {item.get('why', '')}", indent=2) for item in left
        ]
    void = int(run.summary["void"].sum()) if len(run.summary) else 0
    gates = run.failed_gates()
    if void or gates:
        missed = f"whose clean {run.terms.made} missed a gate, left out of every number"
        lines.append(_text(f"Void: {words.count(void, 'cell')} {missed}", "bold"))
        lines += [_text(gate_sentence(gate), indent=2) for gate in gates]
    notes = run.record.get("notes") or []
    if notes:
        lines.append(_text("Notes", "bold"))
        lines += [_text(str(note), indent=2) for note in notes]
    lines.append(_text("What the numbers mean", "bold"))
    meaning = [
        *(_EDIT_MEANING if run.terms is IMAGES else _MEANING),
        gates_sentence(run),
        basis(run),
        run.terms.caution,
    ]
    return [*lines, *(_text(line, "dim", 2) for line in meaning if line)]


_MEANING = (
    "Every effect is defended minus clean, through the same attacker with the same seed. Net DSR is the share of "
    "held-out frames on which the clone fails that the defense adds: from "
    f"{words.percent(FAILS, False)} the victim fails to clone, up to {words.percent(STILL, False)} "
    "it still clones. Head PSNR, lip r (lip correlation) and identity read clean→defended; the narrow columns "
    "after net DSR are its net parts, which overlap; PSNR and SSIM are of the protected video; (c) marks controls.",
    "White-box: the attacker parses with the network that the defense could differentiate. Transfer: with another.",
)
_EDIT_MEANING = (
    "Edits of the protected portrait are set against edits of the clean one through the same attacker. Net DSR (L2) is "
    "the share of changes whose masked L2 exceeds .05 (RGB in [-1,1]): the edit is another one, not always a useless "
    "one. Identity reads clean → protected: cosine between portrait and edit. PSNR and SSIM are of the protected "
    "portrait.",
    "White-box: the attacker edits with the network that the defense could differentiate. Transfer: with another.",
)


def gate_sentence(gate: dict[str, Any]) -> str:
    """``synth-a, triplane (composite), seed 0: head_psnr 21.3, needs at least 25``."""
    where = f"{gate.get('clip', '?')}, {gate.get('victim', '?')}"
    where += f" ({gate['target']})" if gate.get("target") else ""
    where += f" after {gate['purifier']}" if gate.get("purifier") not in (None, *UNPURIFIED) else ""
    name = f"{where}, seed {gate.get('seed', '?')}: {gate.get('gate', '?')}"
    if gate.get("value") is None:
        return f"{name} not measured"
    value, threshold = float(gate["value"]), float(gate.get("threshold", math.nan))
    return f"{name} {value:.3g}, needs {gate.get('side', 'at least')} {threshold:.3g}"


def gates_sentence(run: Run, why: bool = False) -> str:
    """What clean clones were held to, with the reasons if ``why``, and what could not be measured."""
    gates = EDIT_GATES if run.terms is IMAGES else GATES
    asked = "; ".join(f"{gate} ({gate.why})" for gate in gates) if why else ", ".join(map(str, gates))
    blind = [gate for gate in run.record.get("gates") or [] if gate.get("ok", False) is None]
    names = ", ".join(dict.fromkeys(f"{gate.get('gate')} of {gate.get('victim')}" for gate in blind))
    return f"Gates of every clean {run.terms.made}: {asked}.{f' Not measured: {names}.' if names else ''}"


def basis(run: Run) -> str:
    """n, seeds, frames and how intervals were made."""
    summary = run.summary
    if not len(summary):
        return ""
    rows = run.results[run.results["stage"].isin(["clone", "edit"]) & (run.results["outcome"] != "void")]
    what = "edits" if run.terms is IMAGES else "held-out frames"
    frames = f", {int(rows['n'].median())} {what} each" if len(rows) else ""
    units, clips, seeds = int(summary["units"].max()), int(summary["clips"].max()), int(summary["seeds"].max())
    people = f" of {words.count(units, 'person').replace('persons', 'people')}" if units != clips else ""
    text = f"n = {words.count(clips, run.terms.clips)}{people}, {words.count(seeds, 'seed')}{frames}."
    if units < MIN_UNITS:
        return (
            f"{text} Fewer than {MIN_UNITS} people: no interval can be given, read differences as single observations."
        )
    wide = f" * marks one from fewer than {WIDE_UNITS}." if units < WIDE_UNITS else ""
    return f"{text} Brackets: 95 % bootstrap intervals over clips of different people.{wide}"
