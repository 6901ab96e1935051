"""Attacks on attribute editors: loss, region, turns, stopping rule, and what each defense does with them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.color import lab2rgb, rgb2lab

from vdf_bench.core import registry
from vdf_bench.core.budget import Budget
from vdf_bench.core.errors import UserError
from vdf_bench.defenses.cmua.universal import training_portraits, universal_perturbation
from vdf_bench.defenses.common.editing import EditingObjective, edited_region, masked_l2
from vdf_bench.defenses.common.lab import to_lab, to_rgb
from vdf_bench.defenses.common.parameters import EditingParameters

EDITORS = [name for name in registry.names("defenses") if "editor" in registry.load("defenses", name).surrogates]


def run(name, frames, setting, **parameters):
    defense = registry.create("defenses", name, {key: str(value) for key, value in parameters.items()})
    return list(defense.protect(iter(frames), setting)), defense.log()


def error(out, frames):
    return sum(float((a - b).square().mean()) for a, b in zip(out, frames, strict=True))


def test_masked_l2_is_that_of_the_field():
    """CMUA's evaluate.py, written with numpy on [-1, 1] pictures."""
    rng = np.random.default_rng(0)
    clean, edit, spoilt = (2 * rng.random((3, 8, 8)) - 1 for _ in range(3))
    mask = np.abs(edit - clean).sum(0) > 0.5
    expected = (((spoilt - edit) * mask) ** 2).sum() / (mask.sum() * 3)
    clean, edit, spoilt = (torch.from_numpy((picture + 1) / 2) for picture in (clean, edit, spoilt))
    region = edited_region(edit, clean)
    assert np.array_equal(region.numpy(), mask)
    assert float(masked_l2(spoilt, edit, region)) == pytest.approx(expected)
    assert float(masked_l2(spoilt, edit, torch.zeros_like(region))) == 0


def test_region_at_the_editors_size():
    picture = torch.zeros(3, 16, 16)
    edit = torch.zeros(3, 8, 8)
    edit[:, 2:4, 5] = 0.2
    assert edited_region(edit, picture).nonzero().tolist() == [[2, 5], [3, 5]]


def test_steps_look_at_one_edit_after_another(editor, frames):
    objective = EditingObjective(editor, EditingParameters())
    prepared = objective.prepare(frames[0])
    assert editor.asked == ["white", "black"]
    for _ in range(3):
        objective.judge(frames[1], prepared)
    assert editor.asked[2:] == ["white", "black", "white"]


def test_stopping_rule_spends_steps_on_what_is_not_spoilt(editor, frames):
    objective = EditingObjective(editor, EditingParameters(editor_stop=True))
    prepared = objective.prepare(frames[0])
    assert not objective.judge(frames[0], prepared).success
    distances = objective.measure(frames[4], prepared)
    weak, strong = sorted(distances, key=distances.get)
    between = EditingParameters(editor_stop=True, editor_l2=(distances[weak] + distances[strong]) / 2)
    objective = EditingObjective(editor, between)
    result = objective.judge(frames[4], prepared)
    whole = torch.ones_like(prepared.regions[weak])
    expected = masked_l2(editor.edit(frames[4][None], weak)[0], prepared.edited[weak], whole)
    assert not result.success
    assert float(result.loss) == pytest.approx(-float(expected))
    easy = EditingObjective(editor, EditingParameters(editor_stop=True, editor_l2=distances[weak] / 2))
    assert easy.judge(frames[4], prepared).success


def test_an_edit_that_changes_nothing_is_not_waited_for(editor, frames):
    editor.edits = ("white",)
    editor.edit = lambda pictures, edit: pictures
    prepared = EditingObjective(editor, EditingParameters()).prepare(frames[0])
    assert not prepared.regions
    out, log = run("pgd", frames[:1], replace_editor(editor))
    assert log["success"] == [1.0]
    assert (out[0] - frames[0]).abs().max() <= 1 / 255 + 1e-6


def replace_editor(editor, seed=7):
    from vdf_bench.core.interfaces import Setting

    return Setting(budget=Budget(6.4 / 255), size=editor.size, seed=seed, editor=editor)


@pytest.mark.parametrize("name", EDITORS)
def test_edits_differ_more_than_by_random_signs(name, frames, editing, editor):
    noise, _ = run("noise", frames[:2], editing)
    out, log = run(name, frames[:2], editing, **({"people": 4, "batch": 2} if name == "cmua" else {}))
    objective = EditingObjective(editor, EditingParameters())
    for index in range(2):
        prepared = objective.prepare(frames[index])
        ours, theirs = (objective.measure(each[index], prepared) for each in (out, noise))
        assert log["l2"][index] == pytest.approx(min(ours.values()))
        assert min(ours.values()) > 1.5 * min(theirs.values())


def test_disrupting_takes_its_ten_steps_unless_told_to_stop(frames, editing):
    _, whole = run("pgd", frames[:2], editing)
    assert whole["iterations"] == [10, 10]
    _, stopped = run("pgd", frames[:2], editing, editor_stop=True, editor_l2=whole["l2"][0] / 4)
    assert stopped["success"] == [1, 1]
    assert max(stopped["iterations"]) < 10


@pytest.mark.parametrize("name", ["grasp", "grasp-noprojection"])
def test_grasp_gives_back_what_success_does_not_need(name, frames, editing):
    target = 0.5 * min(run("pgd", frames[:2], editing)[1]["l2"])
    pgd, _ = run("pgd", frames[:2], editing, editor_stop=True, editor_l2=target)
    out, log = run(name, frames[:2], editing, editor_l2=target)
    assert log["success"] == [1, 1]
    assert max(log["first"]) < 40
    assert error(out, frames[:2]) < error(pgd, frames[:2])
    assert 0 < min(log["conflict_rate"]) <= max(log["conflict_rate"]) <= 1


def test_more_steps_of_grasp_never_show_more_once_it_protects(frames, editing):
    target = 0.5 * min(run("pgd", frames[:2], editing)[1]["l2"])
    errors = [
        error(run("grasp", frames[:2], editing, editor_l2=target, editor_steps=k)[0], frames[:2]) for k in (25, 40)
    ]
    assert errors[1] <= errors[0]


def test_lab_is_scikit_images_and_comes_back(frames):
    picture = frames[0]
    expected = rgb2lab(picture.numpy(), channel_axis=0)
    np.testing.assert_allclose(to_lab(picture).numpy(), expected, atol=2e-2)
    np.testing.assert_allclose(to_rgb(to_lab(picture)).numpy(), picture.numpy(), atol=1e-4)
    np.testing.assert_allclose(to_rgb(torch.from_numpy(expected)), lab2rgb(expected, channel_axis=0), atol=1e-3)


def test_anti_forgery_moves_colour_and_hardly_lightness(frames, editing):
    out, _ = run("anti-forgery", frames[:1], editing, editor_step_size=0.2, editor_steps=3)
    moved = (to_lab(out[0]) - to_lab(frames[0])).square().mean((1, 2)).sqrt()
    assert moved[0] < 0.5 * moved[1:].min()


def test_universal_is_one_for_all_and_sees_no_protected_picture(frames, editing):
    parameters = registry.load("defenses", "cmua").parameters_model(people=2, editor_steps=2)
    delta = universal_perturbation(editing.editor, editing, parameters)
    assert not torch.equal(universal_perturbation(editing.editor, replace(editing, seed=8), parameters), delta)
    middle = [torch.full((3, 32, 32), level / 255) for level in (100, 140)]
    out, log = run("cmua", middle, editing, people=2, editor_steps=2)
    for picture, clean in zip(out, middle, strict=True):
        assert torch.allclose(picture - clean, delta, atol=1e-6)
    assert log["iterations"] == [0, 0]
    beforehand = registry.load("defenses", "cmua")(parameters).prepare(editing)
    assert torch.equal(torch.from_numpy(beforehand["perturbation"]), delta)
    other = {"perturbation": np.zeros((3, 32, 32), np.float32)}
    untouched, _ = run("cmua", middle, replace(editing, prepared=other), people=2, editor_steps=2)
    assert torch.equal(untouched[0], middle[0])


def test_universal_is_made_on_other_people_each_time():
    first, again = training_portraits(2, 32, 0), training_portraits(2, 32, 0)
    assert torch.equal(first, again)
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, training_portraits(2, 32, 1))


@pytest.mark.parametrize("name", EDITORS)
def test_without_a_network_it_says_so_in_a_line(name, frames, editing):
    with pytest.raises(UserError, match=rf"^defense {name} differentiates .*Setting\.editor must.*"):
        next(registry.create("defenses", name).protect(iter(frames), replace(editing, editor=None)))
