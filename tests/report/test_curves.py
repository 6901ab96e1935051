"""Curves over budgets, and the traces of defenses, in the report of a run."""

from __future__ import annotations

import json

import pytest

from vdf_bench import report
from vdf_bench.report.curves import curve_table, equal_budget, equal_psnr, not_compared
from vdf_bench.report.load import load_run
from vdf_bench.results import write_results
from vdf_bench.results.traces import FILE, trace_rows, write_traces


def sweep(make, folder, victims=True):
    """A run of three budgets: at half the bound a defense does 0.7 of the harm at 6 dB more."""
    rows = make.rows(["synth-a", "synth-b"], seeds=1, purifiers=("identity",))
    rows = [row for row in rows if row["capture"] in ("", make.CAPTURES[0])]
    kept = {("", ""), make.ATTACKS[0]} if victims else {("", "")}
    rows = [row for row in rows if (row["victim"], row["target"]) in kept]
    weaker = []
    for halvings in (1, 2):
        for row in rows:
            if row["linf"]:
                value = row["value"]
                value += 6.0 * halvings if row["metric"] == "psnr" else 0.0
                value *= 0.7**halvings if row["metric"] == "dsr" else 1.0
                weaker.append({**row, "linf": row["linf"] / 2**halvings, "value": value})
    folder.mkdir()
    write_results(rows + weaker, folder / "results.parquet")
    (folder / "run.json").write_text(json.dumps(make.record(["synth-a", "synth-b"], 1)), encoding="utf-8")
    place = {"clip": "synth-a", "seed": 0, "floor": 0.0}
    logs = [
        trace_rows({**place, "defense": name, "linf": linf}, {"iterations": [30.0, 2.0], "share": [0.9, 1.0]}, [1, 1])
        for name in ("vdf", "pgd")
        for linf in (12.75, 6.375)
    ]
    write_traces((row for log in logs for row in log), folder / FILE)
    return folder


@pytest.fixture(scope="module")
def swept(make, tmp_path_factory):
    folder = sweep(make, tmp_path_factory.mktemp("sweep") / "run")
    report.build(folder)
    return load_run(folder)


def test_every_defense_has_a_curve(swept):
    (first,) = swept.panels
    assert [curve.defense for curve in first.curves] == ["pgd", "vdf", "noise"]
    assert [curve.control for curve in first.curves] == [False, False, True]
    heads, rows = curve_table(first)
    assert heads[:4] == ["defense", "budget", "net DSR [%]", "head PSNR drop [dB]"]
    assert len(rows) == 9
    assert {row[0] for row in rows} == {"pgd", "vdf", "noise (c)"}


def test_defenses_are_ranked_at_equal_strength(swept):
    (panel,) = swept.panels
    heads, rows = equal_budget(panel)
    assert heads == ["at equal L∞", "3.188/255", "6.375/255", "12.75/255"]
    assert [row[0] for row in rows] == ["vdf", "pgd", "noise (c)"], "the strongest first, controls last"
    assert [row[-1].partition(" ")[2] for row in rows] == ["(1)", "(2)", ""]
    heads, rows = equal_psnr(panel)
    assert heads == ["at equal PSNR", "30 dB", "33 dB", "36 dB", "39 dB"]
    places = {row[0]: [cell.partition(" ")[2] for cell in row] for row in rows}
    assert [places[name][2] for name in ("vdf", "pgd", "noise (c)")] == ["(1)", "(2)", ""]
    assert [places[name][4] for name in ("vdf", "pgd", "noise (c)")] == ["(1)", "", ""]
    assert {row[0]: row[4] for row in rows}["pgd"] == "–", "pgd ends at 38 dB, and nothing is extrapolated"
    assert not_compared(panel) == []


def test_defenses_at_one_budget_are_ranked_without_a_curve(make, tmp_path, capsys):
    folder = make.write_run(tmp_path / "run", ["synth-a", "synth-b"], seeds=1, purifiers=("identity",))
    report.build(folder)
    first, *_ = load_run(folder).panels
    assert not first.swept
    heads, rows = equal_budget(first)
    assert heads == ["at equal L∞", "12.75/255"]
    assert [row[0] for row in rows] == ["vdf", "pgd", "noise (c)"]
    assert not_compared(first) == []
    assert not (folder / "plots" / "curves.png").exists()
    report.print_summary(folder)
    assert "Defenses compared" in capsys.readouterr().out


def test_the_page_and_the_terminal_tell_the_curves(swept, capsys):
    for name in ("curves", "traces"):
        assert (swept.folder / "plots" / f"{name}.png").stat().st_size > 10_000
    assert not (swept.folder / "plots" / "fidelity.png").exists()
    page = (swept.folder / "report.html").read_text(encoding="utf-8")
    assert "at equal L∞" in page
    assert "at equal PSNR" in page
    report.print_summary(swept.folder)
    out = capsys.readouterr().out
    assert "Protection against fidelity" in out
    assert max(map(len, out.splitlines())) <= 100


def test_a_run_without_victims_is_told_by_its_captures(make, tmp_path, capsys):
    folder = sweep(make, tmp_path / "run", victims=False)
    report.build(folder)
    run = load_run(folder)
    assert set(run.summary["outcome"]) == {"captured"}
    assert not (run.summary["head_recall"].isna()).any()
    report.print_summary(folder)
    assert "No victim was run" in capsys.readouterr().out
