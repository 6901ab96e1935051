"""The stages together, the arrays they are kept as, and the folder that official systems read."""

from __future__ import annotations

import json
import wave

import numpy as np
import pytest
import torch
from PIL import Image

from vdf_bench.capture.layout import write_layout
from vdf_bench.capture.pipeline import capture_clip
from vdf_bench.core.capture import Capture
from vdf_bench.core.errors import UserError
from vdf_bench.core.interfaces import CaptureRefused

from .conftest import COUNT, SIZE, face_modes, mean_face

SOUND = np.sin(np.arange(COUNT * 640) / 9).astype(np.float32) * 0.1


def _capture(person, **kwargs) -> Capture:
    return capture_clip(person.frames, SOUND, person, person, (mean_face(), face_modes()), **kwargs)


def test_composes_the_stages(person):
    capture = _capture(person)
    assert capture.valid.all() and len(capture.pose) == COUNT
    assert capture.mel.shape == (COUNT, 16, 80) and capture.mouth_audio.shape == (COUNT, 2)
    background = capture.labels == 0
    np.testing.assert_array_equal(capture.gt[background], np.broadcast_to(capture.plate, capture.gt.shape)[background])
    assert all(np.isfinite(value) for value in capture.scalars.values())
    for key in ("audio_r", "focal_over_size", "plate_filled_share", "detection_rate", "head_share"):
        assert key in capture.scalars


def test_arrays_bring_it_back(person):
    capture = _capture(person)
    arrays = capture.to_arrays()
    again = Capture.from_arrays(arrays)
    assert again.scalars == capture.scalars and again.pose.focal == capture.pose.focal
    assert arrays.keys() == again.to_arrays().keys()
    for name, value in again.to_arrays().items():
        assert value.dtype == arrays[name].dtype
        np.testing.assert_array_equal(value, arrays[name])


def test_policies(person):
    person.score[[0, 5]] = 0
    with pytest.raises(CaptureRefused, match="no_face@frame 0"):
        _capture(person, policy="strict")
    repaired, dropped = _capture(person, policy="repair"), _capture(person, policy="drop")
    assert {0, 5} <= set(repaired.split.train) and not {0, 5} & set(dropped.split.train)
    np.testing.assert_array_equal(repaired.landmarks[0], person.points[1])
    person.score[:] = 0
    with pytest.raises(CaptureRefused, match="no_face@all frames"):
        _capture(person)


def test_parsing_attack_leaves_pose_intact(person):
    clean = _capture(person)
    person.labels = np.where(np.isin(person.labels, (1, 17)), 0, person.labels).astype(np.uint8)
    attacked = _capture(person)
    np.testing.assert_array_equal(attacked.pose.rotation, clean.pose.rotation)
    assert attacked.scalars["head_share"] == 0 and attacked.scalars["headless_rate"] == 1
    # The face went into the plate, and from there into every training picture.
    centre = person.points.mean(axis=(0, 1)).astype(int)
    np.testing.assert_array_equal(attacked.plate[centre[1], centre[0]], [220, 170, 150])


def test_eyes_elsewhere(person):
    class Bright:
        def parse(self, frames):
            assert frames.min() == 255
            return person.labels

    view = np.full_like(person.frames, 255)
    capture = capture_clip(person.frames, SOUND, Bright(), person, (mean_face(), face_modes()), view=view)
    np.testing.assert_array_equal(capture.frames, person.frames)


def test_layout(person, tmp_path):
    person.score[5] = 0
    capture = _capture(person, policy="drop")
    folder = tmp_path / "clip"
    write_layout(capture, folder)
    for name, suffix in [
        ("ori_imgs", "jpg"), ("ori_imgs", "lms"), ("gt_imgs", "jpg"), ("parsing", "png"), ("torso_imgs", "png")
    ]:  # fmt: skip
        assert sorted(int(p.stem) for p in (folder / name).glob(f"*.{suffix}")) == list(range(COUNT))
    picture = np.asarray(Image.open(folder / "ori_imgs" / "3.jpg")).astype(int)
    assert np.abs(picture - person.frames[3]).mean() < 4
    np.testing.assert_array_equal(np.asarray(Image.open(folder / "torso_imgs" / "3.png")), capture.torso[3])
    np.testing.assert_allclose(np.loadtxt(folder / "ori_imgs" / "3.lms"), capture.landmarks[3], atol=1e-5)

    tables = {name: json.loads((folder / f"transforms_{name}.json").read_text()) for name in ("train", "val")}
    ids = [frame["img_id"] for name in ("train", "val") for frame in tables[name]["frames"]]
    assert sorted(ids) == [i for i in range(COUNT) if i != 5]
    assert [frame["img_id"] for frame in tables["val"]["frames"]] == capture.split.heldout.tolist()
    assert tables["train"]["cx"] == SIZE / 2 and tables["train"]["focal_len"] == capture.pose.focal

    track = torch.load(folder / "track_params.pt", weights_only=True)
    assert {key: tuple(value.shape) for key, value in track.items()} == {
        "id": (1, 100), "exp": (COUNT, 79), "euler": (COUNT, 3), "trans": (COUNT, 3), "focal": (1,),
        "vertices": (1, 8192, 3),
    }  # fmt: skip
    # The official script makes the matrix from these angles; ours must be the same one.
    theta, phi, psi = track["euler"][9].double().tolist()
    cos, sin = np.cos, np.sin
    x = np.array([[1, 0, 0], [0, cos(theta), sin(theta)], [0, -sin(theta), cos(theta)]])
    y = np.array([[cos(phi), 0, -sin(phi)], [0, 1, 0], [sin(phi), 0, cos(phi)]])
    z = np.array([[cos(psi), -sin(psi), 0], [sin(psi), cos(psi), 0], [0, 0, 1]])
    rotation, translation = x @ y @ z, track["trans"][9].double().numpy() / 10
    frame = next(f for f in tables["train"]["frames"] if f["img_id"] == 9)
    matrix = np.array(frame["transform_matrix"])
    np.testing.assert_allclose(matrix[:3, :3], rotation.T, atol=1e-5)
    np.testing.assert_allclose(matrix[:3, 3], -rotation.T @ translation, atol=1e-5)
    # Seen by that camera (looking along -z, y up) the nose lands on its landmark.
    nose = rotation @ mean_face()[30] + track["trans"][9].double().numpy()
    pixel = SIZE / 2 + capture.pose.focal * np.array([nose[0], -nose[1]]) / -nose[2]
    np.testing.assert_allclose(pixel, person.points[9, 30], atol=1.5)

    assert (folder / "au.csv").read_text().splitlines()[0].endswith(", AU45_r")
    assert len((folder / "au.csv").read_text().splitlines()) == COUNT + 1
    with wave.open(str(folder / "aud.wav")) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (16_000, len(SOUND))
    assert np.load(folder / "aud_mel.npy").shape == (COUNT, 16, 80)
    trace = json.loads((folder / "capture.json").read_text())
    assert trace["scalars"] == capture.scalars and trace["valid"][5] is False

    with pytest.raises(UserError, match="not an empty folder"):
        write_layout(capture, folder)
