"""What clean clones are held to: empty, foggy and still fields are the victim's fault."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from vdf_bench.judges import judge_all
from vdf_bench.judges.declared import declared_metrics
from vdf_bench.judges.field import Field, alpha_outside
from vdf_bench.judges.gates import GATES, judge_gates, why_void
from vdf_bench.judges.observe import observe

#: On the good side of every bound.
GOOD = {gate.metric: gate.bound + (0.01 if gate.side == "at least" else -0.01) for gate in GATES}


def results(values):
    return judge_gates({"metric": name, "value": value} for name, value in values.items())


def test_gates_are_metrics_with_a_reason():
    assert {gate.metric for gate in GATES} == {
        "head_psnr", "lip_correlation", "dsr_identity", "alpha_head", "alpha_outside", "frame_change_ratio",
    }  # fmt: skip
    for gate in GATES:
        metric = declared_metrics()[gate.metric]
        assert metric.lower < gate.bound < metric.upper
        assert gate.why


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.metric)
def test_gates_follow_direction(gate):
    assert why_void("trained", "", results(GOOD)) is None
    bad = {**GOOD, gate.metric: gate.bound + (-0.01 if gate.side == "at least" else 0.01)}
    assert [result.gate.metric for result in results(bad) if not result.ok] == [gate.metric]
    assert gate.metric in why_void("trained", "", results(bad))


def test_what_was_not_measured_is_told_but_voids_nothing():
    opaque = {name: value for name, value in GOOD.items() if not name.startswith("alpha")}
    found = {result.gate.metric: result.record() for result in results(opaque)}
    assert found["alpha_head"]["value"] is None
    assert found["alpha_head"]["ok"] is None
    assert why_void("trained", "", results(opaque)) is None


def test_a_clean_twin_that_was_not_trained_voids_whatever_its_gates_say():
    assert why_void("frozen", "alpha_head=0.10", results(GOOD)) == "clean twin frozen: alpha_head=0.10"


@pytest.mark.usefixtures("landmarker")
@pytest.mark.parametrize(("with_truth", "outside"), [(True, 0.5), (False, 0.5)])
def test_fog_is_measured_where_the_person_is_not(kit, evidence, with_truth, outside):
    clip, truth = kit["scene"](with_truth=with_truth)
    head = truth.labels[evidence.split.heldout] > 0
    foggy = replace(evidence.rendering, alpha=np.where(head, 1, outside).astype(np.float32))
    seen = observe(replace(evidence, clip=clip, rendering=foggy))
    assert alpha_outside(seen) == pytest.approx(outside)
    rows = [asdict(row) for row in judge_all(seen, [Field()], "clone")]
    assert {result.gate.metric for result in judge_gates(rows) if result.ok is False} == {"alpha_outside"}
    assert alpha_outside(observe(replace(evidence, rendering=replace(foggy, alpha=None)))) is None
