"""The shipped networks on real clips, against MediaPipe; skipped where either is absent."""

import os
from pathlib import Path

import numpy as np
import pytest

from vdf_bench.models.landmarker import load_landmarker
from vdf_bench.parsers.network import load_parser
from vdf_bench.training import gates

pytestmark = pytest.mark.real
CLIPS = Path(os.environ.get("VDF_BENCH_CLIPS", "clips"))
TASK = Path(os.environ.get("VDF_BENCH_WEIGHTS", "weights")) / "face_landmarker.task"


def frames_of(path, count=6):
    import av

    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    height, width = frames[0].shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    chosen = np.linspace(0, len(frames) - 1, count).astype(int)
    return np.stack([frames[i][top : top + edge, left : left + edge] for i in chosen])


@pytest.fixture(scope="module")
def references():
    """Frames (T, S, S, 3) and MediaPipe mesh (T, 478, 2) of each clip."""
    mediapipe = pytest.importorskip("mediapipe", reason="mediapipe is not installed")
    clips = sorted(path for path in CLIPS.glob("*.mp*") if path.suffix in (".mp4", ".mpg")) if CLIPS.is_dir() else []
    if not clips:
        pytest.skip(f"no clips in {CLIPS}; set VDF_BENCH_CLIPS")
    if not TASK.is_file():
        pytest.skip(f"no {TASK}; set VDF_BENCH_WEIGHTS")
    tasks = mediapipe.tasks
    options = tasks.vision.FaceLandmarkerOptions(base_options=tasks.BaseOptions(str(TASK)), num_faces=1)
    found = {}
    with tasks.vision.FaceLandmarker.create_from_options(options) as landmarker:
        for path in clips:
            frames = frames_of(path)
            meshes = []
            for frame in frames:
                image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(frame))
                (face,) = landmarker.detect(image).face_landmarks
                meshes.append([(point.x, point.y) for point in face])
            found[path.stem] = frames, np.float32(meshes) * frames.shape[1]
    return found


@pytest.mark.parametrize("size", [128, 256])
def test_faces_of_real_people(references, size):
    parser, landmarker = load_parser("builtin"), load_landmarker()
    overlaps, errors = {}, {}
    for name, (frames, mesh) in references.items():
        small, points = gates.resize(frames, size), mesh * (size / frames.shape[1])
        overlaps[name] = gates.real_face_iou(parser, small, points)
        errors[name] = gates.real_landmark_nme(landmarker, small, points)
        assert (landmarker.detect(small)[1] > 0.5).mean() > 0.9, name
    assert np.mean(list(overlaps.values())) >= gates.GATES["real_face_iou"], overlaps
    assert np.mean(list(errors.values())) <= gates.GATES["real_landmark_nme"], errors
