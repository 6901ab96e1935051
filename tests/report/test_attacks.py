"""Worst cases over attackers, their names and their tables."""

import io
import json
import math

import numpy as np
import pytest

from vdf_bench.report.attack_plots import heat_figure, strengths
from vdf_bench.report.attacks import attacked, attackers, clip_table, cost_table, heat, score_table, scores, worst
from vdf_bench.report.load import load_run

SUITE = {
    "name": "AutoPurify 1 fast",
    "version": 1,
    "tier": "fast",
    "exhaustive": False,
    "attacks": [
        {"name": "as published", "chain": "identity", "capture": "builtin/strict", "why": "nothing"},
        {"name": "JPEG", "chain": "jpeg:75", "capture": "builtin/strict", "why": "compress"},
        {"name": "other parser", "chain": "identity", "capture": "heldout/strict", "why": "swap"},
    ],
}


@pytest.fixture
def folder(tmp_path, make):
    chains = ("identity", "jpeg:75", "jpeg:50", "jpeg:30")
    found = make.write_run(tmp_path / "run", [f"synth-{letter}" for letter in "abcde"], purifiers=chains)
    record = json.loads((found / "run.json").read_text())
    (found / "run.json").write_text(json.dumps({**record, "suite": SUITE}))
    return found


@pytest.fixture
def run(folder):
    return load_run(folder)


def test_a_suite_names_and_orders_its_attackers(run):
    assert [attacker.name for attacker in attackers(run)] == ["as published", "JPEG", "other parser"]
    pairs = attacked(run)
    assert set(pairs["attack"]) == {"as published", "JPEG", "other parser"}
    assert (pairs.loc[pairs["attack"] == "other parser", "capture"] == "heldout/strict").all()
    assert (pairs.loc[pairs["attack"] == "JPEG", "purifier"] == "jpeg:75").all()


def test_without_a_suite_attackers_are_called_by_what_they_do(make, tmp_path):
    run = load_run(make.write_run(tmp_path / "run", ["synth-a"], purifiers=("identity", "jpeg:75")))
    names = [attacker.name for attacker in attackers(run)]
    assert names == ["builtin/strict", "jpeg:75, builtin/strict", "heldout/strict", "jpeg:75, heldout/strict"]


def test_the_worst_attacker_counts_on_every_clip(run):
    pairs = attacked(run)
    least = worst(pairs)
    for row in least.to_dict("records"):
        cell = (
            pairs[["defense", "victim", "target", "clip", "seed"]]
            == [row[n] for n in ("defense", "victim", "target", "clip", "seed")]
        ).all(axis=1)
        assert row["delta"] == pairs.loc[cell, "delta"].min()
    found = {(s.subject["defense"], s.subject["victim"], s.subject["target"]): s for s in scores(run)}
    score = found["vdf", "gaussian", "composite"]
    # The fixture's VDF holds as published (.9) and falls to another parser (.05).
    assert score.worst < 0.15 < 0.3 < score.mean
    assert score.by[0] == "other parser"
    assert score.ran == 3
    assert score.broken <= score.cells == 10
    assert found["occlude", "gaussian", "composite"].worst > 0.9
    assert math.isfinite(score.low) and score.low <= score.worst <= score.high and score.wide


def test_a_tie_goes_to_the_earlier_attacker(run):
    pairs = attacked(run).assign(delta=0.0)
    assert set(worst(pairs)["attack"]) == {"as published"}


def test_an_attack_made_for_a_defense_is_one_column(make, tmp_path):
    import pandas as pd

    from vdf_bench.results import write_results

    folder = make.write_run(tmp_path / "run", ["synth-a"], purifiers=("identity",))
    rows = pd.read_parquet(folder / "results.parquet").to_dict("records")
    for row in rows:
        row["capture"] = row["capture"].replace("heldout/strict", "builtin/finetuned=vdf/strict")
    write_results(rows, folder / "results.parquet")
    told = [{"name": "fine-tuned", "chain": "identity", "capture": "builtin/finetuned={defense}/strict", "why": ""}]
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**record, "suite": {**SUITE, "attacks": told}}))
    assert set(attacked(load_run(folder))["capture"]) == {"builtin/finetuned=vdf/strict"}


def test_tables_and_maps_agree(run):
    heads, rows = score_table(run, scores(run))
    assert all(len(row) == len(heads) for row in rows)
    assert any(row[0].endswith("(c)") for row in rows)
    heads, rows = clip_table(run)
    # Two defended defenses, three victims with targets, five clips, two seeds; the fixture's void clip is left out.
    assert len(rows) == 2 * (2 * 5 + 4) * 2 and all(len(row) == len(heads) for row in rows)
    heads, rows = cost_table(run)
    assert [row[0] for row in rows] == ["as published", "JPEG", "other parser"]
    assert rows[0][-1] == "+0.0"
    title, labels, names, cells = heat(run)[0]
    assert (title, names) == ("gaussian, composite frames", ["as published", "JPEG", "other parser"])
    assert cells.shape == (len(labels), 3)
    vdf = cells[labels.index("vdf 12.75/255")]
    assert vdf[0] > 0.8 > 0.4 > vdf[1] > vdf[2]


def test_what_was_not_run_leaves_a_hole(run):
    kept = ~((run.results["capture"] == "heldout/strict") & (run.results["defense"] == "vdf"))
    part = type(run)(run.folder, run.results[kept], run.record)
    _, labels, names, cells = heat(part)[0]
    assert np.isnan(cells[labels.index("vdf 12.75/255"), names.index("other parser")])
    assert np.isfinite(cells[labels.index("pgd 12.75/255")]).all()
    assert heat_figure(part) is not None


def test_strengths_of_one_purifier_make_a_curve(run):
    found = strengths(run)
    assert {each.purifier for each in found} == {"jpeg"}
    first = found[0]
    assert first.parameter == "quality"
    assert [x for x, _ in first.lines["vdf 12.75/255"]] == [30, 50, 75]
    assert "noise 12.75/255" in first.control
    assert first.plain["vdf 12.75/255"] == pytest.approx(
        attacked(run)
        .query("attack == 'as published' and defense == 'vdf' and victim == 'gaussian' and target == 'composite'")[
            "delta"
        ]
        .mean(),
        abs=0.02,
    )


def test_the_page_and_the_terminal_tell_the_worst_case(folder):
    from rich.console import Console

    from vdf_bench import report

    page = report.build(folder).read_text()
    assert "AutoPurify 1 fast" in page and "Worst case" in page
    assert (folder / "plots" / "attackers.png").is_file() and (folder / "plots" / "strength.svg").is_file()
    console = Console(width=100, record=True, file=io.StringIO())
    report.print_summary(folder, console)
    text = console.export_text()
    assert "worst case over 3 attacks" in text and "other parser" in text
    assert "under AutoPurify 1 fast" in text
