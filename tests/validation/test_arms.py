"""From a result table to the properties of arms."""

from __future__ import annotations

import pandas as pd
import pytest

from vdf_bench.core.budget import Budget
from vdf_bench.plan import Request
from vdf_bench.plan.presets import preset
from vdf_bench.validation.arms import BOUND, LEVELS, TRANSFER, WHITE_BOX, arm_properties, prepare_validation, repetition

CLIPS = ("a", "b", "c")
#: Net DSR that vdf has at each bound.
DOSE = dict(zip(LEVELS, (0.1, 0.6, 0.95, 1.0), strict=True))


def rows(dsr=None):
    """A table that holds; ``dsr`` replaces effects by (defense, bound, capture)."""
    dsr = {("noise", BOUND, WHITE_BOX.capture): 0.0, ("occlude", 0.0, WHITE_BOX.capture): 1.0} | {
        ("vdf", level, WHITE_BOX.capture): effect for level, effect in DOSE.items()
    } | {("vdf", BOUND, TRANSFER.capture): 0.0} | (dsr or {})  # fmt: skip
    table = []
    for i, clip in enumerate(CLIPS):
        for seed in (0, 1):
            arms = [(*key, "control" if key[0] != "vdf" else "defended", value) for key, value in dsr.items()]
            arms += [("none", 0.0, who.capture, "clean", 0.0) for who in (WHITE_BOX, TRANSFER)]
            for defense, linf, capture, arm, effect in arms:
                if seed and (capture == TRANSFER.capture or linf not in (0.0, BOUND)):
                    continue
                if linf not in (0.0, BOUND) and clip == "c":
                    continue
                cell = {"clip": clip, "defense": defense, "linf": linf, "floor": 0.0, "purifier": "identity",
                        "capture": capture, "target": "composite", "victim": "gaussian", "seed": seed, "arm": arm,
                        "outcome": "trained", "code": "", "stage": "clone", "unit": "", "better": "up",
                        "n": 24}  # fmt: skip
                table.append(cell | {"metric": "dsr", "value": effect})
                table.append(cell | {"metric": "head_psnr", "value": 32 + 0.1 * i + 0.05 * seed - 15 * effect})
    return pd.DataFrame(table)


def properties_of(df):
    return {found.name: found for found in arm_properties(df, {clip: clip for clip in CLIPS})}


def test_a_sound_table_holds():
    found = properties_of(rows())
    assert all(one.ok for one in found.values()), [one.measured for one in found.values() if not one.ok]
    assert found["more does more"].figures["net_dsr"] == pytest.approx(list(DOSE.values()))
    assert found["seeds agree on the order"].figures["tau"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("cell", "effect", "name"),
    [
        (("noise", BOUND, WHITE_BOX.capture), 0.4, "noise is harmless"),
        (("occlude", 0.0, WHITE_BOX.capture), 0.7, "a hidden face is lost"),
        (("vdf", 6.0, WHITE_BOX.capture), 0.0, "more does more"),
        (("vdf", BOUND, TRANSFER.capture), 0.9, "white-box beats transfer"),
    ],
)
def test_one_wrong_arm_fails_its_property(cell, effect, name):
    assert not properties_of(rows({cell: effect}))[name].ok


def test_void_cells_prove_nothing():
    void = rows().assign(outcome="void")
    assert not any(one.ok for one in properties_of(void).values())


def test_the_plan_holds_every_arm_once(tmp_path):
    request = Request(
        preset=preset("quick"), victims=("gaussian",), clips=("synth-a", "synth-b", "synth-c"), seeds=(0, 1)
    )
    run = prepare_validation(request, tmp_path)
    assert run.request.budgets == (Budget(BOUND / 255),)
    place = [(c.clip, c.defense, c.linf, c.capture, c.seed) for c in run.plan.cells]
    assert len(place) == len(set(place))
    # Three clips, two seeds, four arms; another parser's clean and vdf cells; three more bounds on two clips.
    assert len(place) == 3 * 2 * 4 + 3 * 2 + 2 * 3
    order = list(run.plan.steps)
    assert all(order.index(i) < order.index(key) for key, s in run.plan.steps.items() for i in s.inputs.values())
    again = repetition(run)
    assert again.store.root != run.store.root
    assert {step.name for step in again.plan.steps.values()} == {"clip", "protect", "capture", "fit", "drive"}
