"""``--judge``: whoever is named judges, and nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from vdf_bench.core.errors import UserError
from vdf_bench.plan import Request, build_plan
from vdf_bench.plan.presets import preset
from vdf_bench.results import read_results

TINY = preset("quick").resized(32, 16)
SOURCE = """
import numpy as np

from vdf_bench.core.cards import Card
from vdf_bench.core.metrics import Metric
from vdf_bench.judges.base import BaseJudge

class Grain(BaseJudge):
    card = Card(name="grain", title="Grain", summary="How grainy the published frames are.")
    stage = "protect"
    metrics = (Metric("grain", "protect", "levels", "down", 0, 255, "mean over pixels", "mean absolute change"),)

    def measure(self, evidence):
        change = np.abs(evidence.protected.astype(int) - evidence.clip.frames).mean()
        yield self.measurement("grain", change, len(evidence.clip))

class Rival(Grain):
    card = Card(name="rival", title="Rival", summary="Another one of that name.")
"""


def planned(*judges, **asked):
    asked = {"defenses": ("noise",), "victims": ("triplane",), "controls": (), "judges": judges, **asked}
    return build_plan(Request(preset=TINY, **asked))


def test_named_judges_judge_alone():
    assert planned("dsr", "fidelity").judges == ["dsr", "fidelity"]
    assert {"dsr", "fidelity", "capture", "lips", "cost"} < set(planned("all").judges)


def test_nobody_is_cloned_where_nobody_looks_at_clones():
    assert not any(step.name == "fit" for step in planned("fidelity", "capture").steps.values())
    assert any(step.name == "fit" for step in planned("fidelity", "lips").steps.values())


def test_judges_that_contradict_each_other_can_be_chosen_between(install):
    install("grains", SOURCE, {"grain": "Grain", "rival": "Rival"})
    with pytest.raises(UserError, match="'grain' and 'rival' both declare the metric 'grain'"):
        planned("all")
    assert planned("rival").judges == ["rival"]


def test_another_choice_is_another_matrix(tmp_path):
    from vdf_bench.runs.run import prepare

    one, two = (
        prepare(Request(preset=TINY, defenses=("noise",), victims=(), judges=judges), tmp_path)
        for judges in (("fidelity",), ("fidelity", "capture"))
    )
    assert one.matrix != two.matrix


def test_a_judge_of_another_package_in_a_whole_run(install, tmp_path):
    install("grains", SOURCE, {"grain": "Grain"})
    out = tmp_path / "run"
    words = ["run", "--defense", "noise", "--judge", "grain,fidelity", "--size", "32", "--frames", "16", "--jobs", "1"]
    words = [sys.executable, "-m", "vdf_bench.commands.cli", *words, "--clip", "synth-a", "--out", str(out)]
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=300, check=False, env={**os.environ, "COLUMNS": "100"}
    )
    assert done.returncode == 0, done.stderr
    assert "grain [levels] ↓" in done.stdout
    assert "No victim was run" in done.stdout
    table = read_results(out)
    assert set(table["stage"]) == {"protect"}
    assert {"grain", "psnr"} <= set(table["metric"])
    record = json.loads((out / "run.json").read_text())
    (kept,) = (one for one in record["metrics"] if one["name"] == "grain")
    assert (kept["judge"], kept["unit"], kept["upper"]) == ("grain", "levels", 255)
    assert not [note for note in record["notes"] if "identity is judged" in note]
    assert pd.read_csv(out / "summary.csv")["grain"].notna().all()
    assert "mean absolute change (mean over pixels); judge grain" in (out / "report.html").read_text()
