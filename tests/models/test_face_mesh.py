"""MediaPipe's five points, with a stand-in for the optional package; the real one where it is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vdf_bench.assets.third_party import path_of
from vdf_bench.core.errors import UserError
from vdf_bench.models.arcface import TEMPLATE
from vdf_bench.models.embedder import similarity
from vdf_bench.models.face_mesh import FIVE, load_face_mesh


def stand_in(faces):
    """A package that finds one upright face in every other frame: left eye left, mouth below."""
    points = [SimpleNamespace(x=0.0, y=0.0) for _ in range(478)]
    for index, (x, y) in zip(FIVE, [(0.3, 0.4), (0.6, 0.4), (0.45, 0.55), (0.35, 0.7), (0.55, 0.7)], strict=True):
        points[index] = SimpleNamespace(x=x, y=y)
    landmarker = SimpleNamespace(detect=lambda image: SimpleNamespace(face_landmarks=[points] if image.any() else []))
    return SimpleNamespace(
        Image=lambda image_format, data: data,
        ImageFormat=SimpleNamespace(SRGB=1),
        tasks=SimpleNamespace(
            BaseOptions=lambda path: faces.append(path),
            vision=SimpleNamespace(
                FaceLandmarkerOptions=lambda base_options, num_faces: None,
                FaceLandmarker=SimpleNamespace(create_from_options=lambda options: landmarker),
            ),
        ),
    )


def test_five_points_are_the_pictures_pixels(monkeypatch, tmp_path):
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path))
    asked = []
    package = stand_in(asked)
    package.__spec__ = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "mediapipe", package)
    with pytest.raises(UserError, match="weights fetch face_landmarker"):
        load_face_mesh()
    path_of("face_landmarker").write_bytes(b"bundle")
    mesh = load_face_mesh()
    assert asked == [str(path_of("face_landmarker"))]
    frames = np.zeros((2, 100, 200, 3), np.uint8)
    frames[1] = 9
    points, seen = mesh.five_points(frames)
    assert seen.tolist() == [False, True]
    assert points[1] == pytest.approx(np.array([[60, 40], [120, 40], [90, 55], [70, 70], [110, 70]]))
    assert not points[0].any()
    # The picture's left eye goes to the template's left eye: the face is not turned over.
    (to_crop,) = similarity(points[1:], TEMPLATE)
    assert to_crop[0, 0] > 0 and to_crop[1, 1] > 0


def test_without_the_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"vdf-bench\[mediapipe\]"):
        load_face_mesh()


@pytest.mark.real
def test_the_real_bundle_agrees_with_the_shipped_landmarker():
    pytest.importorskip("mediapipe", reason="mediapipe is not installed")
    if not (Path(os.environ.get("VDF_BENCH_WEIGHTS", "weights")) / "face_landmarker.task").is_file():
        pytest.skip("no face_landmarker.task; set VDF_BENCH_WEIGHTS")
    from skimage.data import astronaut

    from vdf_bench.models.embedder import five_points
    from vdf_bench.models.landmarker import load_landmarker

    frames = astronaut()[None, :300, 80:380]
    points, seen = load_face_mesh().five_points(frames)
    assert seen.all()
    ours = five_points(load_landmarker().detect(frames)[0])
    assert np.linalg.norm(points - ours, axis=2).max() < 12
