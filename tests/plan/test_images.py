"""The images track in plans: who protects against whom, which cells there are, and what is refused."""

import pytest

from vdf_bench.attackers.attacker import Attacker
from vdf_bench.core.errors import UserError
from vdf_bench.plan import Request, build_plan
from vdf_bench.plan.clips import ClipSource, expand
from vdf_bench.plan.presets import preset
from vdf_bench.plan.protector import protectors

EDITORS = ("attgan-synth", "stargan-synth")


def request(**more):
    given = {"defenses": ("pgd",), "victims": ("editors",), "controls": (), "clips": ("portraits:2",)}
    return Request(**{"preset": preset("quick").still(), "track": "images", **given, **more})


def arms(plan):
    return sorted({(cell.defense, cell.victim, cell.arm) for cell in plan.cells})


def test_a_bare_defense_is_white_box_against_each_editor():
    assert arms(build_plan(request())) == [
        ("none", "attgan-synth", "clean"),
        ("none", "stargan-synth", "clean"),
        ("pgd@attgan-synth", "attgan-synth", "defended"),
        ("pgd@stargan-synth", "stargan-synth", "defended"),
    ]


def test_all_surrogates_give_the_transfer_matrix():
    defended = [arm for arm in arms(build_plan(request(defenses=("pgd@all",)))) if arm[2] == "defended"]
    assert defended == [(f"pgd@{a}", b, "defended") for a in EDITORS for b in EDITORS]


def test_a_parser_attack_is_carried_over_to_editors():
    assert ("vdf@builtin", "attgan-synth", "defended") in arms(build_plan(request(defenses=("vdf",))))


def test_an_editor_attack_is_carried_over_to_talking_heads():
    plan = build_plan(Request(preset=preset("quick"), defenses=("pgd@stargan-synth",), victims=("gaussian",)))
    defended = {cell.defense for cell in plan.cells if cell.arm == "defended"}
    assert defended == {"pgd@stargan-synth"}
    made = [step for step in plan.steps.values() if step.name == "protect" and step.params["defense"] == "pgd"]
    assert [step.params["editor"]["victim"] for step in made] == ["stargan-synth"]


def test_controls_and_the_clean_arm_are_attacked_by_every_editor():
    plan = build_plan(request(controls=("noise",)))
    assert {cell.victim for cell in plan.cells if cell.defense == "noise"} == set(EDITORS)
    assert len([cell for cell in plan.cells if cell.arm == "clean"]) == 2 * 2


def test_the_clean_twin_goes_through_the_same_purifier():
    plan = build_plan(request(attackers=(Attacker("identity"), Attacker("jpeg:50"))))
    for cell in plan.cells:
        twin = plan.steps[cell.steps["judge.edit"]].inputs["clean_edits"]
        own = next(c for c in plan.cells if c.arm == "clean" and c.attacker == cell.attacker)
        assert twin == own.steps["edits"]


def test_what_arms_share_is_planned_once():
    plan = build_plan(request(defenses=("pgd@all",)))
    kinds = [step.name for step in plan.steps.values()]
    assert kinds.count("clip") == 2
    assert kinds.count("protect") == 2 * 2
    assert kinds.count("edit") == 2 * (2 + 4)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("vdf@stargan-synth", "attacks parsers, not editors"),
        ("noise@builtin", "has no surrogate"),
        ("pgd@nowhere", "unknown surrogate 'nowhere'"),
        ("pgd@heldout", "unknown surrogate 'heldout'"),
        ("pgd@gaussian", "unknown surrogate 'gaussian'"),
    ],
)
def test_an_impossible_surrogate_is_refused_in_one_line(text, told):
    with pytest.raises(UserError, match=told) as refusal:
        protectors(text, "images", EDITORS)
    assert "\n" not in str(refusal.value)


def test_all_surrogates_need_an_editor_in_the_run():
    with pytest.raises(UserError, match="this run has none"):
        protectors("pgd@all", "video", ("gaussian",))


@pytest.mark.parametrize(("track", "victim"), [("images", "gaussian"), ("video", "stargan-synth")])
def test_victims_of_the_other_track_are_refused(track, victim):
    with pytest.raises(UserError, match="--track"):
        build_plan(Request(preset=preset("quick"), victims=(victim,), track=track))


def test_every_head_and_no_editor_is_in_a_video_run_of_all():
    plan = build_plan(Request(preset=preset("quick"), defenses=("noise",), victims=("all",)))
    assert {"gaussian", "triplane", "hashgrid"} <= {cell.victim for cell in plan.cells}
    assert not {cell.victim for cell in plan.cells} & set(EDITORS)


def test_portraits_are_counted_out():
    assert expand(request()) == ("portrait-000", "portrait-001")
    assert len(expand(request(clips=()))) == preset("quick").portraits
    for text in ("portraits:0", "portraits:999", "portraits:x"):
        with pytest.raises(UserError, match="portraits:1 to"):
            expand(request(clips=(text,)))


def test_what_a_defense_makes_beforehand_is_made_once_for_all_clips():
    plan = build_plan(request(defenses=("cmua",)))
    kinds = [step.name for step in plan.steps.values()]
    assert (kinds.count("prepare"), kinds.count("protect")) == (2, 4)
    for step in plan.steps.values():
        if step.name == "protect":
            assert plan.steps[step.inputs["prepared"]].params["surrogate"] == step.params["surrogate"]


def test_a_portrait_is_a_clip_of_one_frame():
    plan = build_plan(request())
    assert {step.params["frames"] for step in plan.steps.values() if step.name == "clip"} == {1}
    assert ClipSource.parse("portrait-000").provider == "portraits"
