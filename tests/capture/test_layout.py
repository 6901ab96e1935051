"""The written folder, read back by the rules of the official loaders: what they compute must be what was captured."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

from vdf_bench.capture.layout import write_action_units, write_layout
from vdf_bench.capture.pipeline import capture_clip

from .conftest import COUNT, SIZE, face_modes, mean_face

SOUND = np.sin(np.arange(COUNT * 640) / 9).astype(np.float32) * 0.1


@pytest.fixture
def written(person, tmp_path):
    person.labels[:, 40:42, 30:34] = 11  # an open mouth
    person.labels[:, 10:12, 28:36] = 18  # a hat
    capture = capture_clip(person.frames, SOUND, person, person, (mean_face(), face_modes()))
    write_layout(capture, tmp_path / "clip")
    return capture, tmp_path / "clip"


def table(folder, part):
    return json.loads((folder / f"transforms_{part}.json").read_text())


def ngp_matrix(pose, scale=4.0):
    """RAD-NeRF's axes: rows cycled, second and third columns negated, position scaled."""
    matrix = np.eye(4)
    matrix[:3, :3] = pose[[1, 2, 0], :3] * [1, -1, -1]
    matrix[:3, 3] = pose[[1, 2, 0], 3] * scale
    return matrix


def official_rotation(euler):
    """The trackers' ``euler2rot``: all three angles turn the other way about x and y."""
    theta, phi, psi = euler.double().unbind(-1)
    one, zero = torch.ones_like(theta), torch.zeros_like(theta)

    def rows(*values):
        return torch.stack(values, -1).reshape(-1, 3, 3)

    x = rows(one, zero, zero, zero, theta.cos(), theta.sin(), zero, -theta.sin(), theta.cos())
    y = rows(phi.cos(), zero, -phi.sin(), zero, one, zero, phi.sin(), zero, phi.cos())
    z = rows(psi.cos(), -psi.sin(), zero, psi.sin(), psi.cos(), zero, zero, zero, one)
    return (x @ y @ z).numpy()


def rows_and_columns(folder, index):
    """Landmarks as the loaders take them: x indexes columns, but they call rows x."""
    points = np.loadtxt(folder / "ori_imgs" / f"{index}.lms")
    assert points.shape == (68, 2)
    return points[:, 1], points[:, 0]


def test_the_split_is_the_captures(written):
    capture, folder = written
    for part, ids in (("train", capture.split.train), ("val", capture.split.heldout)):
        content = table(folder, part)
        assert set(content) == {"focal_len", "cx", "cy", "frames"}
        assert int(content["cy"]) * 2 == SIZE and int(content["cx"]) * 2 == SIZE
        assert [frame["img_id"] for frame in content["frames"]] == ids.tolist()
        assert all(frame["aud_id"] == frame["img_id"] for frame in content["frames"])
        assert all(np.shape(frame["transform_matrix"]) == (4, 4) for frame in content["frames"])


def test_rays_of_the_nerf_lineage_meet_the_landmarks(written):
    """ER-NeRF, RAD-NeRF, SyncTalk: ``nerf_matrix_to_ngp`` and a pinhole along +z."""
    capture, folder = written
    content = table(folder, "train")
    for frame in content["frames"][::7]:
        pose = ngp_matrix(np.array(frame["transform_matrix"]))
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-6)
        assert 1 < np.linalg.norm(pose[:3, 3]) < 4  # the camera stands outside the box of half length 1
        world = (mean_face() / 10)[:, [1, 2, 0]] * 4
        assert np.abs(world).max() < 1  # and the face inside
        camera = (world - pose[:3, 3]) @ pose[:3, :3]
        pixels = SIZE / 2 + content["focal_len"] * camera[:, :2] / camera[:, 2:]
        expected = capture.pose.project(mean_face(), SIZE)[frame["img_id"]]
        np.testing.assert_allclose(pixels, expected, atol=1e-2)
        assert np.abs(pixels - capture.landmarks[frame["img_id"]]).mean() < 1.5


def test_cameras_of_talkinggaussian_are_the_captures(written):
    capture, folder = written
    for frame in table(folder, "val")["frames"]:
        camera = np.array(frame["transform_matrix"])
        camera[:3, 1:3] *= -1
        view = np.linalg.inv(camera)
        np.testing.assert_allclose(view[:3, :3], capture.pose.rotation[frame["img_id"]], atol=1e-5)
        np.testing.assert_allclose(view[:3, 3], capture.pose.translation[frame["img_id"]] / 10, atol=1e-5)


def test_tracking_agrees_with_the_matrices(written):
    """Task 9 makes the json from the tracker's angles; GaussianTalker reads the angles themselves."""
    capture, folder = written
    track = torch.load(folder / "track_params.pt", weights_only=True)
    shapes = {"id": (1, 100), "exp": (COUNT, 79), "euler": (COUNT, 3), "trans": (COUNT, 3), "focal": (1,)}
    assert {key: tuple(track[key].shape) for key in shapes} == shapes
    rotation, translation = official_rotation(track["euler"]), track["trans"].double().numpy()
    for part in ("train", "val"):
        content = table(folder, part)
        assert float(track["focal"][0]) == pytest.approx(content["focal_len"])
        for frame in content["frames"]:
            inverse = rotation[frame["img_id"]].T
            matrix = np.array(frame["transform_matrix"])
            np.testing.assert_allclose(matrix[:3, :3], inverse, atol=1e-5)
            np.testing.assert_allclose(matrix[:3, 3], -inverse @ translation[frame["img_id"]] / 10, atol=1e-5)
    mirror = np.diag([-1.0, 1.0, 1.0])
    np.testing.assert_allclose(-(mirror @ rotation), capture.pose.rotation, atol=1e-5)
    np.testing.assert_allclose(-translation * [-1, 1, 1], capture.pose.translation, atol=1e-5)
    # GaussianTalker grows its Gaussians on the mean of these; the face must lie about there.
    mesh = track["vertices"].mean(0).numpy()
    assert mesh.shape == (8192, 3)
    assert (np.abs(mesh).max(0) < 1.5).all() and (mesh.max(0) > np.abs(mean_face()).max(0) - 0.2).all()


def test_pictures(written):
    capture, folder = written
    for index in (0, COUNT - 1):
        assert Image.open(folder / "ori_imgs" / f"{index}.jpg").size == (SIZE, SIZE)
        gt = np.asarray(Image.open(folder / "gt_imgs" / f"{index}.jpg")).astype(int)
        assert np.abs(gt - capture.gt[index]).mean() < 4
        torso = np.asarray(Image.open(folder / "torso_imgs" / f"{index}.png"))
        assert torso.shape == (SIZE, SIZE, 4)
        np.testing.assert_array_equal(torso, capture.torso[index])
        blue, green, red = np.moveaxis(np.asarray(Image.open(folder / "parsing" / f"{index}.png"))[..., ::-1], -1, 0)
        head = (blue == 255) & (green == 0) & (red == 0)  # OpenCV's order, as the scripts compare
        np.testing.assert_array_equal(head, capture.head[index])
        np.testing.assert_array_equal((blue == 255) & (green == 255) & (red == 255), capture.labels[index] == 0)
        np.testing.assert_array_equal((blue == 0) & (green == 255) & (red == 0), capture.labels[index] == 14)
        np.testing.assert_array_equal((blue == 0) & (green == 0) & (red == 255), capture.labels[index] == 16)
    plate = np.asarray(Image.open(folder / "bc.jpg")).astype(int)
    assert plate.shape == (SIZE, SIZE, 3) and np.abs(plate - capture.plate).mean() < 6


def test_masks_of_talkinggaussian_and_instag(written, tmp_path):
    capture, _ = written
    write_layout(capture, tmp_path / "other", style="hair-and-mouth")
    mask = np.asarray(Image.open(tmp_path / "other" / "parsing" / "3.png").convert("RGB")) * 1.0
    red, green, blue = np.moveaxis(mask, -1, 0)
    face = (blue > 254) & (red == 0) & (green == 0)
    hair = (red < 1) & (green < 1) & (blue < 1)
    mouth = (red == 100) & (green == 100) & (blue == 100)
    np.testing.assert_array_equal(hair, capture.labels[3] == 17)
    np.testing.assert_array_equal(mouth, capture.labels[3] == 11)
    np.testing.assert_array_equal(face, capture.head[3] & ~hair & ~mouth)
    assert face.any() and hair.any() and mouth.any()


def test_rectangles_of_the_loaders_lie_in_the_frame(written):
    _, folder = written
    for index in range(0, COUNT, 5):
        x, y = rows_and_columns(folder, index)
        face = [int(x.min()), int(x.max()), int(y.min()), int(y.max())]
        assert 0 <= face[0] < face[1] <= SIZE and 0 <= face[2] < face[3] <= SIZE
        lips = slice(48, 60)
        left, right, top, bottom = int(x[lips].min()), int(x[lips].max()), int(y[lips].min()), int(y[lips].max())
        middle, across = (left + right) // 2, (top + bottom) // 2
        half = max(right - left, bottom - top) // 2
        assert half > 0
        rect = [middle - half, middle + half, across - half, across + half]  # TalkingGaussian does not clamp it
        assert 0 <= rect[0] < rect[1] <= SIZE and 0 <= rect[2] < rect[3] <= SIZE
        assert int(x[31:36].min()) < int(x.max())


def test_action_units_and_sound(written):
    capture, folder = written
    with (folder / "au.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == COUNT
    for unit in (1, 4, 5, 6, 7, 25, 45):
        values = np.array([float(row[f" AU{unit:02d}_r"]) for row in rows])
        assert ((values >= 0) & (values <= 5)).all()
    blink = np.array([float(row[" AU45_r"]) for row in rows])
    assert blink.max() <= 2 and np.corrcoef(blink, -capture.eyes)[0, 1] > 0.5
    write_action_units(capture, folder / "stretched.csv", stretch=True)
    with (folder / "stretched.csv").open(newline="") as file:
        stretched = np.array([float(row[" AU45_r"]) for row in csv.DictReader(file)])
    assert stretched[capture.split.train].max() == 2 and (np.argsort(stretched) == np.argsort(blink)).mean() > 0.5
    lips = np.array([float(row[" AU25_r"]) for row in rows])
    assert np.corrcoef(lips, capture.mouth[:, 0])[0, 1] > 0.9
    assert np.load(folder / "aud_mel.npy").shape == (COUNT, 16, 80)
    assert (folder / "aud.wav").stat().st_size == 44 + 2 * len(SOUND)
    np.testing.assert_array_equal(type(capture).from_arrays(capture.to_arrays()).audio, SOUND)
