"""From a request to cells and steps."""

from __future__ import annotations

import pytest

from vdf_bench.errors import UserError
from vdf_bench.plan import Attacker, Request, build_plan, every_attacker
from vdf_bench.presets import preset

TINY = preset("quick").resized(32, 16)


def planned(*captures, chains=("identity",), **asked):
    """The plan of a defense, its clean twin and one victim."""
    asked = {"defenses": ("noise",), "victims": ("triplane",), "controls": (), **asked}
    return build_plan(Request(preset=TINY, attackers=every_attacker(chains, captures), **asked))


def captures(plan):
    """Capture text and arm -> capture step."""
    return {(cell.capture, cell.arm): plan.steps[cell.steps["capture"]] for cell in plan.cells}


def test_attackers_are_canonical_and_each_is_run_once():
    found = every_attacker(("identity", "jpeg", "jpeg:75"), ("builtin", "builtin/scale=1"), "strict")
    assert found == (Attacker("identity", "builtin/strict"), Attacker("jpeg:75", "builtin/strict"))
    assert Attacker() == Attacker.parse("identity", "builtin")
    loose = (Attacker("jpeg", "builtin"), Attacker("jpeg:75", "builtin/repair"))
    plan = build_plan(Request(preset=TINY, attackers=loose, victims=(), defenses=("none",), controls=()))
    assert [(cell.purifier, cell.capture) for cell in plan.cells] == [("jpeg:75", "builtin/repair")]


def test_every_attacker_meets_every_arm_and_its_own_clean_twin():
    plan = planned("builtin", "builtin/vote", "heldout/scale=0.6")
    steps = captures(plan)
    assert set(steps) == {
        (text, arm)
        for text in ("builtin/repair", "builtin/vote/repair", "heldout/scale=0.6/repair")
        for arm in ("clean", "control")
    }
    assert len({step.key for step in steps.values()}) == 6
    for cell in plan.cells:
        judged = plan.steps[cell.steps["judge.capture"]]
        assert judged.inputs["clean_capture"] == steps[cell.capture, "clean"].key
    assert steps["builtin/vote/repair", "clean"].params == {"parser": "builtin", "policy": "repair", "vote": 2}


def test_a_plain_parser_keeps_its_key_beside_others():
    alone, among = captures(planned("builtin")), captures(planned("builtin/vote", "builtin"))
    assert alone["builtin/repair", "control"].key == among["builtin/repair", "control"].key


def test_a_purified_view_is_a_purify_step_that_chains_share():
    plan = planned("builtin/on=jpeg", chains=("identity", "jpeg"))
    cells = {(cell.purifier, cell.arm): cell for cell in plan.cells}
    viewing = cells["identity", "control"]
    step = plan.steps[viewing.steps["capture"]]
    assert step.inputs["frames"] == viewing.steps["protected"], "the victim trains on the frames as they are"
    assert step.inputs["view"] == cells["jpeg:75", "control"].steps["frames"]
    twice = plan.steps[cells["jpeg:75", "control"].steps["capture"]]
    assert plan.steps[twice.inputs["view"]].inputs["frames"] == twice.inputs["frames"]


def test_attackers_of_the_library_are_checked_too():
    with pytest.raises(UserError, match="did you mean 'builtin'"):
        build_plan(Request(preset=TINY, attackers=(Attacker("identity", "buildin"),)))


def test_a_parser_is_taught_on_others_under_the_defense_that_the_text_names():
    taught = "builtin/finetuned=noise@8/repair"
    for clip, studied in (("synth-a", ["synth-g", "synth-h"]), ("synth-h", ["synth-g", "synth-f"])):
        plan = planned("builtin/finetuned=noise@8", clips=(clip,), defenses=("noise", "occlude"))
        steps = captures(plan)
        lesson = plan.steps[steps[taught, "clean"].inputs["parser"]]
        assert lesson.name == "harden"
        assert {step.inputs["parser"] for step in steps.values()} == {lesson.key}, "clean twins run the same parser"
        clips = [plan.steps[lesson.inputs[f"clip.{k}"]] for k in range(2)]
        assert [step.params["clip"] for step in clips] == studied
        protected = [plan.steps[lesson.inputs[f"protected.{k}"]] for k in range(2)]
        assert [step.params["linf"] for step in protected] == [8 / 255, 8 / 255]
        assert [step.inputs["clip"] for step in protected] == [step.key for step in clips]
