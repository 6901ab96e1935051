"""From a request to cells and steps."""

from __future__ import annotations

import numpy as np
import pytest

from vdf_bench.attackers.attacker import Attacker, every_attacker
from vdf_bench.core.budget import Budget
from vdf_bench.core.errors import UserError
from vdf_bench.judges.cost import ATTACKER_STEPS
from vdf_bench.plan import Request, build_plan
from vdf_bench.plan.presets import preset
from vdf_bench.stages import clip as clip_step
from vdf_bench.stages import decode, protect
from vdf_bench.stages.load import load_clip
from vdf_bench.stages.packing import pack_clip, unpack_clip

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
    assert steps["builtin/vote/repair", "clean"].params == {
        "parser": "builtin", "policy": "repair", "vote": 2, "landmarker": "builtin"
    }  # fmt: skip


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


def test_what_an_attacker_pays_for_is_judged_with_it():
    plan = planned("builtin", "builtin/on=jpeg/finetuned=noise", chains=("resize",), defenses=("none",))
    plain, adaptive = (plan.steps[cell.steps["judge.clone"]] for cell in plan.cells)
    assert set(plain.params["seconds"]) == {"purify", "capture", "fit", "drive"}
    assert set(adaptive.params["seconds"]) == {"purify", "teach", "view", "capture", "fit", "drive"}
    names = {what: plan.steps[adaptive.inputs[role]].name for what, role in adaptive.params["seconds"].items()}
    assert (names["teach"], names["view"], names["purify"]) == ("harden", "purify", "purify")
    assert set(ATTACKER_STEPS) == {*names, "edit"}


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


def test_a_clip_may_be_given_a_length(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "talk.mp4").write_bytes(b"video")
    (tmp_path / "odd@5s").write_bytes(b"another")
    texts = ("synth-a", "synth-a@2s", "synth-a@50f", "talk.mp4@1.5s", "odd@5s")
    plan = planned("builtin", clips=texts)
    clips = {cell.clip: plan.steps[cell.steps["clip"]] for cell in plan.cells}
    assert {name: step.params["frames"] for name, step in clips.items()} == {
        "synth-a": 16, "synth-a@2s": 50, "synth-a@50f": 50, "talk@1.5s": 38, "odd@5s": 16
    }  # fmt: skip
    assert clips["synth-a@2s"].params["clip"] == "synth-a"
    assert clips["talk@1.5s"].where["clip"] == str(tmp_path / "talk.mp4")
    assert set(plan.inputs) == {"talk@1.5s", "odd@5s"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("synth-a@5", "not a length: give seconds as in @5s"),
        ("synth-a@", "not a length"),
        ("synth-a@-2s", "not a length"),
        ("synth-a@0.1s", "2 frames long: give 16 to 15000"),
        ("synth-a@99999s", "give 16 to 15000"),
        ("synth-z@5s", "not found"),
        ("nowhere.mp4@5s", "not found"),
    ],
)
def test_a_length_that_is_none_is_one_line(text, said):
    with pytest.raises(UserError, match=said) as refusal:
        planned("builtin", clips=(text,))
    assert "\n" not in str(refusal.value)


def test_shorter_clips_begin_longer_ones(monkeypatch):
    """Rendered people perform anew at every length asked of the renderer: the step cuts."""
    monkeypatch.setattr(clip_step, "WHOLE", 24)
    asked = {"provider": "synth", "clip": "synth-a", "size": 32, "exact": "synth-a@"}
    short, long = (unpack_clip(clip_step.run({**asked, "frames": n}, {})) for n in (16, 24))
    np.testing.assert_array_equal(short.frames, long.frames[:16])
    np.testing.assert_array_equal(short.truth.labels, long.truth.labels[:16])
    np.testing.assert_array_equal(short.truth.pose.rotation, long.truth.pose.rotation[:16])
    np.testing.assert_array_equal(short.audio, long.audio[: len(short.audio)])
    assert (len(short), len(short.audio), short.identity) == (16, 16 * 640, long.identity)


def test_a_file_shorter_than_its_length_is_refused_by_name(monkeypatch):
    there = load_clip("synth-a", 32, 16)
    monkeypatch.setattr(decode, "load_file", lambda *_: there)
    asked = {"clip": "talk.mp4", "size": 32, "frames": 125, "landmarker": "builtin", "exact": "talk@5s"}
    with pytest.raises(UserError, match=r"'talk@5s' has only 16 frames"):
        decode.run(asked, {})


def test_a_share_is_protected_and_the_rest_published_as_it_was():
    whole, half = (planned("builtin", protected_share=share) for share in (1.0, 0.5))
    (first,), (second,) = ([s for s in plan.steps.values() if s.name == "protect"] for plan in (whole, half))
    assert "share" not in first.params, "keys of whole clips stay"
    assert second.params == {**first.params, "share": 0.5}
    whole_clip = pack_clip(load_clip("synth-a", 32, 9))
    made = protect.run(second.params, {"clip": whole_clip})
    changed = (made.arrays["frames"] != whole_clip.arrays["frames"]).any(axis=(1, 2, 3))
    assert changed.tolist() == [True] * 4 + [False] * 5
    assert len(made.meta["seconds"]) == 4


def test_floors_share_the_work_of_the_defense():
    budgets = Budget.parse_all("linf=8,psnr>=0,34,38")
    plan = build_plan(Request(preset("quick"), ("vdf",), (), clips=("synth-a",), budgets=budgets, controls=()))
    made = [step for step in plan.steps.values() if step.name == "protect"]
    held = [step for step in plan.steps.values() if step.name == "floor"]
    assert len(made) == 1 and len(held) == 2
    assert {step.inputs["bounded"] for step in held} == {made[0].key}
    judges = [step for step in plan.steps.values() if step.name == "judge" and step.params["seconds"]]
    for step in judges:  # what protection costs is the defense's work, not the harness's
        paid = step.params["seconds"].get("protect")
        assert paid is None or plan.steps[step.inputs[paid]].name == "protect"
    assert any("protect" in step.params["seconds"] for step in judges)
