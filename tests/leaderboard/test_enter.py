"""Published frames in a plan."""

from pathlib import Path

from vdf_bench.leaderboard.enter import Frames, plan_with
from vdf_bench.leaderboard.suites import SUITES

SMOKE = SUITES["vdf-bench-v1-smoke"]


def cells(sha256="1" * 64, **more):
    plan = plan_with(SMOKE.request(), "mine", {("synth-a", 12.75): Frames(Path("frames.npy"), sha256, **more)})
    own = {cell.purifier + cell.capture: cell for cell in plan.cells if cell.arm == "defended"}
    clean = {cell.purifier + cell.capture: cell for cell in plan.cells if cell.arm == "clean"}
    assert own.keys() == clean.keys() and len(own) == len(SMOKE.attacks)
    return plan, [(own[key], clean[key]) for key in own]


def test_frames_stand_where_a_defense_would():
    plan, pairs = cells()
    assert not [step for step in plan.steps.values() if step.name == "protect" or "noise" in step.label]
    for own, clean in pairs:
        assert own.defense == "mine" and own.attacker == clean.attacker
        step = plan.steps[own.steps["protected"]]
        assert (step.name, step.params, step.inputs) == ("submitted", {"sha256": "1" * 64}, {"clip": own.steps["clip"]})
        assert own.steps["frames"] == own.steps["protected"] and own.steps["head"] != clean.steps["head"]


def test_keys_follow_the_pixels_not_the_place():
    keys = [pair[0].steps["judge.clone"] for pair in cells()[1]]
    assert keys == [pair[0].steps["judge.clone"] for pair in cells()[1]]
    assert not set(keys) & {pair[0].steps["judge.clone"] for pair in cells("2" * 64)[1]}


def test_unchanged_frames_are_attacked_once():
    plan, pairs = cells(clean=True)
    for own, clean in pairs:
        assert plan.steps[own.steps["protected"]].name == "submitted"
        for role in ("frames", "capture", "head", "rendering"):
            assert own.steps[role] == clean.steps[role]


def test_what_was_not_submitted_is_no_cell():
    plan = plan_with(SMOKE.request(), "mine", {})
    assert {cell.arm for cell in plan.cells} == {"clean"}
