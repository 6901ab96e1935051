"""A real recogniser on real clips: one talker's clips agree, different talkers' do not."""

from __future__ import annotations

import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from vdf_bench.core.errors import UserError
from vdf_bench.recognisers.arcface import ONNX_THRESHOLD, OnnxModel
from vdf_bench.runs.calibrate import calibrate, embeddings, threshold_of

CLIPS = Path(os.environ.get("VDF_BENCH_CLIPS", "clips"))
WEIGHTS = Path(os.environ.get("VDF_BENCH_WEIGHTS", "weights"))
#: GRID's file names do not tell its talkers; two of these are the same.
TALKERS = {
    "a": ("grid_lbax4n.mpg",), "b": ("grid_lrwp9a.mpg",), "c": ("grid_pwij3p.mpg", "grid_swwp2s.mpg"),
    "d": ("obama_address_20s.mp4",),
}  # fmt: skip


@pytest.fixture(scope="module")
def recogniser():
    names = ("recogniser.onnx", "w600k_r50.onnx", "mobilefacenet_y1.onnx")
    found = next((WEIGHTS / name for name in names if (WEIGHTS / name).is_file()), None)
    if found is None:
        pytest.skip(f"no recogniser in {WEIGHTS}; set VDF_BENCH_WEIGHTS")
    missing = [name for clips in TALKERS.values() for name in clips if not (CLIPS / name).is_file()]
    if missing:
        pytest.skip(f"no {missing[0]} in {CLIPS}; set VDF_BENCH_CLIPS")
    return found


@pytest.mark.real
def test_talkers_are_told_apart(recogniser):
    model = OnnxModel(recogniser, ONNX_THRESHOLD)
    seen = {clip: embeddings(model, CLIPS / clip, frames=4) for clips in TALKERS.values() for clip in clips}
    owner = {clip: who for who, clips in TALKERS.items() for clip in clips}
    same = [(seen[clip] @ seen[clip].T)[np.triu_indices(len(seen[clip]), 1)] for clip in seen]
    strangers = []
    for one, two in combinations(seen, 2):
        (same if owner[one] == owner[two] else strangers).append((seen[one] @ seen[two].T).ravel())
    same, strangers = np.concatenate(same), np.concatenate(strangers)
    told = (
        f"same {same.mean():.2f} (at least {same.min():.2f}), strangers {strangers.mean():.2f} ± {strangers.std():.2f}"
    )
    print(told, f"(at most {strangers.max():.2f})")  # noqa: T201 (with -s)
    assert same.mean() - strangers.mean() > 0.6, told
    assert strangers.max() < ONNX_THRESHOLD < same.min(), told
    people = [np.concatenate([seen[clip] for clip in clips]) for clips in TALKERS.values()]
    found = threshold_of(people)
    assert strangers.max() < found.threshold < same.min(), found


def test_threshold_has_the_false_accept_rate_that_it_claims():
    """Strangers whose cosines are normal by construction: fresh ones pass about once in a thousand."""
    rng = np.random.default_rng(0)

    def people(count):
        faces = rng.normal(size=(count, 1, 128)) + 0.3 * rng.normal(size=(count, 4, 128))
        return faces / np.linalg.norm(faces, axis=2, keepdims=True)

    found = threshold_of(list(people(24)))
    fresh = people(400)[:, 0]
    cosines = (fresh @ fresh.T)[np.triu_indices(400, 1)]
    assert 1e-4 < (cosines > found.threshold).mean() < 4e-3
    assert found.people == 24 and found.pairs == 276
    assert found.refused == 0 and found.same_lowest > found.threshold
    assert "24 people" in found.basis


def test_calibration_refuses_too_few_people(tmp_path):
    with pytest.raises(UserError, match="needs 3 people"):
        calibrate(tmp_path / "any.onnx", [[tmp_path / "a.mp4"], [tmp_path / "b.mp4"]])
