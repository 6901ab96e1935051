"""Metrics of third parties stand wherever those of the shipped judges do, and need no judge installed to be read."""

from __future__ import annotations

import json
from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

from vdf_bench import report
from vdf_bench.core.errors import UserError
from vdf_bench.core.metrics import EFFECT_STAGES, RESERVED, Definition
from vdf_bench.judges.declared import declared_metrics
from vdf_bench.report.load import load_run
from vdf_bench.results import write_results

GRAIN = Definition("grain", "protect", "levels", "down", 0, 255, "mean over frames", "how <grainy> it is", judge="eye")
CHARM = Definition("charm", "clone", "", "up", 0, 1, "", "whether the clone charms", judge="heart")
HUSH = Definition("hush", "clone", "", "up", 0, 1, "", "what only explains others", shown=False, judge="heart")
#: A judge of another package that declares the first of them.
SOURCE = """
from vdf_bench.core.cards import Card
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import BaseJudge

class Eye(BaseJudge):
    card = Card(name="eye", title="Eye", summary="It looks.")
    stage = "protect"
    metrics = (Metric("grain", "protect", "levels", "down", 0, 255, "mean over frames", "how <grainy> it is"),)

    def measure(self, evidence):
        yield self.measurement("grain", 2.5, len(evidence.clip))
"""


def with_further(rows):
    """The rows, and beside them those of other judges: one of each protection, two of each clone."""
    more = []
    for row in rows:
        if row["metric"] not in ("psnr", "dsr"):
            continue
        for one in [GRAIN] if row["metric"] == "psnr" else [CHARM, HUSH]:
            value = {"grain": 4.25, "charm": 0.875 if row["arm"] == "clean" else 0.125, "hush": 0.5}[one.name]
            told = {"stage": one.stage, "metric": one.name, "unit": one.unit, "better": one.better, "value": value}
            more.append({**row, **told})
    return [*rows, *more]


def rewrite(folder, rows=None, **record):
    if rows is not None:
        write_results(rows, folder / "results.parquet")
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **record}))
    return folder


def terminal(folder):
    stream = StringIO()
    report.print_summary(folder, Console(file=stream, width=100))
    return stream.getvalue()


@pytest.fixture
def folder(small, make):
    rows = with_further(make.rows(["synth-a", "synth-b"], 1, ("identity",)))
    known = [one.record() for one in declared_metrics().values()]
    return rewrite(small, rows, metrics=[*known, *(one.record() for one in (CHARM, GRAIN, HUSH))])


def test_they_stand_in_every_table(folder):
    report.build(folder)
    said = terminal(folder)
    assert said.index("More metrics") < said.index("of the protected clips") < said.index("grain [levels] ↓")
    assert "charm ↑" in said
    assert "0.875 → 0.125" in said
    assert "4.25" in said
    summary = pd.read_csv(folder / "summary.csv")
    assert (summary["grain"] == 4.25).all()
    victims = summary[(summary["victim"] != "") & (summary["void"] == 0)]
    assert (victims["charm_delta"] == -0.75).all()
    assert "hush" not in summary
    for name in ("summary.md", "summary.tex"):
        text = (folder / name).read_text()
        assert "charm" in text
        assert "0.875" in text
        assert "4.25" in text
    assert r"charm $\uparrow$" in (folder / "summary.tex").read_text()


def test_the_page_shows_and_defines_them(folder):
    report.build(folder)
    page = (folder / "report.html").read_text()
    numbers = page.partition('<section id="numbers"')[2].partition("</section>")[0]
    assert '<th scope="col">grain [levels] ↓</th>' in numbers
    assert "0.875 → 0.125" in numbers
    told = page.partition('<section id="definitions"')[2]
    assert "<dt>grain [levels]</dt><dd>how &lt;grainy&gt; it is (mean over frames); judge eye</dd>" in told
    assert "whether the clone charms" in told
    assert told.index("<summary>") < told.index("what only explains others"), "folded, but there"


def test_folders_of_older_versions_ask_the_judges_that_are_installed(folder, install):
    install("eyes", SOURCE, {"eye": "Eye"})
    record = json.loads((folder / "run.json").read_text())
    del record["metrics"]
    (folder / "run.json").write_text(json.dumps(record))
    run = load_run(folder)
    assert run.metrics["grain"] == GRAIN
    assert run.metrics["psnr"] == declared_metrics()["psnr"]
    unknown = run.metrics["charm"]
    assert "not installed" in unknown.definition
    assert (unknown.better, unknown.stage, unknown.judge) == ("up", "clone", "")
    report.build(folder)
    assert "charm ↑" in terminal(folder)


def test_what_the_run_recorded_holds_whatever_is_installed_now(folder):
    known = json.loads((folder / "run.json").read_text())["metrics"]
    rewrite(folder, metrics=[{**one, "definition": "as it was then"} for one in known])
    assert {one.definition for one in load_run(folder).metrics.values()} == {"as it was then"}


def test_a_damaged_record_is_one_line(folder):
    rewrite(folder, metrics=[{"name": "psnr"}])
    with pytest.raises(UserError, match="damaged"):
        _ = load_run(folder).metrics
    rewrite(folder, metrics=["psnr"])
    with pytest.raises(UserError, match="damaged"):
        load_run(folder)


def test_a_run_without_dsr_names_the_judge_that_answers(folder, make):
    rows = [row for row in make.rows(["synth-a"], 1, ("identity",)) if not row["metric"].startswith("dsr")]
    report.build(rewrite(folder, rows))
    said = " ".join(terminal(folder).split())
    assert "No answer: only the judge dsr decides whether the clone fails; add dsr to --judge and run again." in said
    assert "27." in said, "the rest is there"
    assert "only the judge dsr decides" in (folder / "report.html").read_text()


def test_any_single_metric_makes_a_report(folder, make):
    every = with_further(make.rows(["synth-a"], 1, ("identity",)))
    for name in dict.fromkeys(row["metric"] for row in every):
        rewrite(folder, [row for row in every if row["metric"] == name])
        assert "What the numbers mean" in terminal(folder)
        assert name in load_run(folder).metrics
        if name in ("psnr", "parse_iou", "charm"):
            report.build(folder)


def test_no_metric_may_take_the_name_of_another_column(folder):
    run = load_run(folder)
    metrics = {name for name in run.metrics if run.metrics[name].stage in EFFECT_STAGES}
    others = {name for name in run.summary.columns if not any(name.startswith(metric) for metric in metrics)}
    assert {"verdict", "cells", "clips", "access"} <= others & RESERVED
