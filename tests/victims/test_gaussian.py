"""What only ``gaussian`` does: two sets, a bounded curriculum, motion that stays where it belongs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from vdf_bench.core import registry
from vdf_bench.core.interfaces import Drive, FitSetting
from vdf_bench.victims.common import training
from vdf_bench.victims.common.code import Code
from vdf_bench.victims.common.head import View
from vdf_bench.victims.common.scene import find_scene
from vdf_bench.victims.common.targets import make_targets
from vdf_bench.victims.gaussian.curriculum import OPENING, Curriculum
from vdf_bench.victims.gaussian.field import GaussianField
from vdf_bench.victims.gaussian.mouth import interiors
from vdf_bench.victims.gaussian.sizes import sizes


def fit(capture, parameters=None, **setting):
    victim = registry.create("victims", "gaussian", {"count": "600", **(parameters or {})})
    return victim.fit(capture, FitSetting(**setting))


def field_of(head):
    tensors = {name: torch.from_numpy(np.array(value)) for name, value in head.state().items() if name != "code"}
    field = GaussianField.blank(tensors)
    field.load_state_dict(tensors)
    return field


def code_of(head):
    return Code.restore(head.state())


@pytest.fixture(scope="module")
def trained(capture):
    return fit(capture, iterations=200)


def test_window_slides_from_shut_to_open():
    bounds = np.array([OPENING.at(0.0, 1.0, share) for share in np.linspace(0, 0.49, 20)])
    assert bounds[0, 0] <= 0 and bounds[-1, 1] >= 1
    assert (np.diff(bounds, axis=0) >= 0).all()
    assert OPENING.at(0.2, 0.2, 0.0)[1] > 0.2


def test_curriculum_draws_from_the_window():
    opening = np.linspace(0, 0.2, 50, dtype=np.float32)
    curriculum = Curriculum(opening, np.linspace(0.2, 0.3, 50, dtype=np.float32))
    random = np.random.default_rng(0)
    for share in (0.0, 0.2, 0.4):
        low, high = OPENING.at(0.0, 0.2, share)
        drawn = [curriculum.draw(share, random) for _ in range(6)]
        assert all(low <= opening[frame] <= high for k, frame in enumerate(drawn) if k % 3 != 2)
    assert curriculum.hits == 0 and curriculum.notes() == []


@pytest.mark.parametrize("opening", [np.full(20, 0.05), np.where(np.arange(20) == 7, 40.0, 0.05)])
def test_curriculum_without_frames_in_its_window_goes_on_and_says_so(opening):
    curriculum = Curriculum(opening.astype(np.float32), np.linspace(0.2, 0.3, 20, dtype=np.float32))
    random = np.random.default_rng(0)
    drawn = [curriculum.draw(share, random) for share in np.linspace(0, 1, 60, endpoint=False)]
    assert set(drawn) <= set(range(20)) and 0 < curriculum.hits < 60
    assert f"cap hit {curriculum.hits} times" in curriculum.notes()[0]


def test_a_mouth_that_never_opens_is_trained_to_the_end(capture):
    # Shut: no parsed inside, lips that do not move.
    labels = np.where(capture.labels == 11, 1, capture.labels).astype(np.uint8)
    still = np.tile(capture.mouth.min(0), (len(capture), 1))
    shut = replace(capture, labels=labels, mouth=still)
    head = fit(shut, iterations=60)
    assert any("cap hit" in note for note in head.notes)
    assert any("inside of the mouth" in note for note in head.notes)
    assert head.state()["mouth.position"].shape == (0, 3)
    frames = shut.split.heldout[:2]
    pose = replace(shut.pose, rotation=shut.pose.rotation[frames], translation=shut.pose.translation[frames])
    drawn = head.render(Drive(pose, shut.mouth[frames], shut.eyes[frames], shut.backdrop(frames)))
    assert np.isfinite(drawn.alpha).all() and np.isfinite(drawn.depth).all()


def test_clean_captures_leave_no_note(trained):
    assert trained.notes == ()


def test_inside_of_the_mouth_is_parsed_or_inside_the_lips(capture):
    parsed, filmed = (interiors(capture, make_targets(capture, target)) for target in ("composite", "full"))
    np.testing.assert_array_equal(parsed, capture.labels[capture.split.train] == 11)
    blind = replace(capture, labels=np.zeros_like(capture.labels))
    assert not interiors(blind, make_targets(blind, "composite")).any()
    np.testing.assert_array_equal(interiors(blind, make_targets(blind, "full")), filmed)
    assert filmed.any() and (filmed <= parsed | ~filmed.any((1, 2))[:, None, None]).mean() > 0.99


def test_mouth_lies_behind_a_face_that_lets_it_through(trained, capture):
    field = field_of(trained)
    assert len(field.mouth) == round(600 / 3500 * (3500 // 14)) and len(field.face) > 600
    scene = find_scene(capture, capture.split.train)
    assert field.mouth.position[:, 2].median() < scene.landmarks[48:68, 2].mean()
    widest = int(capture.mouth[:, 0].argmax())
    code = torch.from_numpy(code_of(trained)(capture.mouth[[widest]], capture.eyes[[widest]])[0])
    rotation, translation = (torch.from_numpy(a[widest]) for a in (capture.pose.rotation, capture.pose.translation))
    with torch.no_grad():
        layers = field(View(rotation, translation, capture.pose.focal, capture.size, code))
    hole = capture.labels[widest] == 11
    assert layers.mouth is not None
    inside, outside = (layers.face.transmittance.numpy()[part].mean() for part in (hole, capture.labels[widest] == 1))
    assert inside > 0.4 and inside > 5 * outside
    image, through = layers.fuse()
    assert (through <= layers.face.transmittance).all() and through.numpy()[hole].mean() < 0.2
    assert torch.equal(image, layers.face.image + layers.face.transmittance[..., None] * layers.mouth.image)


@pytest.mark.parametrize("motion", ["both", "planes", "embedding"])
def test_motion_of_the_mouth_stays_around_the_mouth(motion, trained, capture):
    head = trained if motion == "both" else fit(capture, {"motion": motion}, iterations=100)
    field, code = field_of(head), code_of(head)
    widest, shut = int(capture.mouth[:, 0].argmax()), int(capture.mouth[:, 0].argmin())
    codes = torch.from_numpy(code(capture.mouth[[shut, widest]], capture.eyes[[shut, shut]]))
    place = field.face.position
    with torch.no_grad():
        one, two = (field.face_motion(place, each).position for each in codes)
        moved = (two - one).norm(dim=1).numpy()
    marks = find_scene(capture, capture.split.train).landmarks
    spot = place.detach().numpy()
    front = spot[:, 2] > 0
    mouth = front & (np.abs(spot[:, :2] - marks[48:68, :2].mean(0)) < 0.3).all(1)
    forehead = front & (spot[:, 1] > marks[17:27, 1].mean() + 0.1)
    assert mouth.sum() > 20 and forehead.sum() > 20
    assert moved[mouth].mean() > 3 * moved[forehead].mean()


@pytest.mark.parametrize("parameters", [{"motion": "planes"}, {"motion": "embedding"}, {"appearance": "false"}])
def test_every_kind_of_motion_restores(parameters, capture):
    victim = registry.create("victims", "gaussian", {"count": "100", **parameters})
    head = victim.fit(capture, FitSetting(iterations=4))
    frames = capture.split.heldout[:1]
    pose = replace(capture.pose, rotation=capture.pose.rotation[frames], translation=capture.pose.translation[frames])
    drive = Drive(pose, capture.mouth[frames], capture.eyes[frames], capture.backdrop(frames))
    again = victim.restore(head.state()).render(drive)
    assert head.render(drive).rgb.tobytes() == again.rgb.tobytes()


def test_two_sets_resume_after_the_curriculum_and_the_split(capture, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(training, "TELL_SECONDS", 0.0)
    still = replace(capture, mouth=np.tile(capture.mouth.min(0), (len(capture), 1)))
    whole = fit(still, {"count": "200"}, iterations=20, seed=2)

    class Cut(Exception):
        pass

    def cut(share):
        if share > 0.6:
            raise Cut

    with pytest.raises(Cut):
        fit(still, {"count": "200"}, iterations=20, seed=2, scratch=tmp_path / "checkpoint", tell=cut)
    again = fit(still, {"count": "200"}, iterations=20, seed=2, scratch=tmp_path / "checkpoint")
    assert again.notes == whole.notes != ()
    one, two = whole.state(), again.state()
    assert len(one["mouth.position"]) and len(one["face.position"]) > 200
    assert all(one[key].tobytes() == two[key].tobytes() for key in one)


def test_sizes_grow_to_those_of_the_published_systems():
    small, large, paper = sizes(64, 100), sizes(256, 100), sizes(512, 6000, "paper")
    assert small.count < large.count < paper.limit == 50_000
    assert paper.iterations == 50_000 and sizes(128, 100).iterations < sizes(128, 450).iterations
    assert len(small.densify) < len(large.densify) < len(paper.densify)
    assert small.resized(600).limit == 675
