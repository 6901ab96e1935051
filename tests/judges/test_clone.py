"""Judges of the clone: a perfect clone passes, occluded, frozen, strange and silent ones fail, each by its own part."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vdf_bench.core.interfaces import Rendering
from vdf_bench.judges import judge_all
from vdf_bench.judges.declared import declared_metrics
from vdf_bench.judges.dsr import DefenseSuccess, fails_lips, masked_l2, shrink
from vdf_bench.judges.field import Field, depth_error
from vdf_bench.judges.gates import judge_gates
from vdf_bench.judges.identity import Identity
from vdf_bench.judges.lips import Lips
from vdf_bench.judges.observe import observe
from vdf_bench.judges.outcome import classify
from vdf_bench.stages.packing import pack_rendering, unpack_rendering

pytestmark = pytest.mark.usefixtures("landmarker")
JUDGES = [Field(), Identity(), Lips(), DefenseSuccess()]


def judged(evidence):
    rows = judge_all(evidence, JUDGES, "clone")
    assert len({row.metric for row in rows}) == len(rows)
    return {row.metric: row.value for row in rows}


def with_clone(evidence, rgb, alpha=None):
    rendering = evidence.rendering
    return replace(evidence, rendering=replace(rendering, rgb=rgb, alpha=rendering.alpha if alpha is None else alpha))


def test_perfect_clone_defends_nobody(evidence):
    values = judged(evidence)
    assert {name: values[name] for name in values if name.startswith("dsr")} == dict.fromkeys(
        ("dsr", "dsr_identity", "dsr_lips", "dsr_quality", "dsr_l2"), 0.0
    )
    exact = {"head_psnr": 100, "frame_psnr": 100, "head_psnr_to_clean": 100, "head_ssim": 1, "depth_mae": 0}
    exact |= {"alpha_head": 1, "frame_change_ratio": 1, "face_rate": 1, "m_lmd": 0, "lip_correlation": 1}
    exact |= {"mouth_energy": 1, "alpha_outside": 0}
    for name, value in exact.items():
        assert values[name] == pytest.approx(value, abs=1e-4), name
    assert values["identity"] > 0.99
    assert classify(evidence) == ("trained", "")
    assert all(verdict.ok for verdict in judge_gates(map(asdict, judge_all(evidence, JUDGES, "clone"))))


def test_occluded_clone_fails_everywhere(evidence):
    values = judged(with_clone(evidence, np.full_like(evidence.rendering.rgb, 90)))
    assert all(values[name] == 1 for name in ("dsr", "dsr_identity", "dsr_lips", "dsr_quality", "dsr_l2"))
    assert values["face_rate"] == 0
    assert values["identity"] == 0
    assert values["lip_correlation"] == 0
    assert values["m_lmd"] > 10


def test_frozen_face_is_recognised_yet_fails(evidence):
    """The identity part alone calls a static face out of the plate a success."""
    still = np.repeat(evidence.rendering.rgb[:1], len(evidence.rendering.rgb), 0)
    frozen = with_clone(evidence, still, np.zeros_like(evidence.rendering.alpha))
    values = judged(frozen)
    assert values["dsr_identity"] == 0
    assert values["dsr_lips"] == values["dsr_quality"] == values["dsr"] == 1
    assert classify(frozen) == ("frozen", "alpha_head=0.00")
    outcome, code = classify(with_clone(evidence, still))
    assert (outcome, code) == ("frozen", "frame_change_ratio=0.00")


def test_clone_that_is_a_video_only_is_judged_without_opacity_and_depth(evidence):
    video = replace(evidence, rendering=Rendering(evidence.rendering.rgb))
    whole, values = judged(evidence), judged(video)
    assert whole.keys() - values.keys() == {"alpha_head", "alpha_outside", "depth_mae"}
    assert all(values[name] == whole[name] for name in values)
    assert classify(video) == ("trained", "")
    still = np.repeat(evidence.rendering.rgb[:1], len(evidence.rendering.rgb), 0)
    assert classify(replace(evidence, rendering=Rendering(still))) == ("frozen", "frame_change_ratio=0.00")
    packed = unpack_rendering(pack_rendering(video.rendering, {}))
    assert (packed.depth, packed.alpha) == (None, None)
    np.testing.assert_array_equal(packed.rgb, evidence.rendering.rgb)


def test_stranger_fails_identity_only(evidence):
    rgb = evidence.rendering.rgb.copy()
    rgb[..., 1:] = rgb[..., 1:] // 3 * 2  # reddened
    values = judged(with_clone(evidence, rgb))
    assert values["dsr_identity"] == 1
    assert values["dsr_lips"] == 0


def test_still_lips_fail_lips_only(evidence, kit):
    """The head moves on, the mouth does not."""
    held = evidence.split.heldout
    shift = np.round(3 * np.sin(np.arange(len(evidence.clip)) / 5)).astype(int)
    rgb = np.stack([kit["draw"](3, s)[0] for s in shift[held]])
    values = judged(with_clone(evidence, rgb))
    assert values["dsr_lips"] == values["dsr"] == 1
    assert values["dsr_identity"] == 0
    assert values["mouth_energy"] < 0.1
    assert values["lip_correlation"] == 0


def test_half_of_the_frames_destroyed_counts_half(evidence):
    rgb = evidence.rendering.rgb.copy()
    destroyed = len(rgb) // 2
    rgb[:destroyed] = 0
    values = judged(with_clone(evidence, rgb))
    share = destroyed / len(rgb)
    for name in ("dsr", "dsr_identity", "dsr_quality", "dsr_l2"):
        assert values[name] == pytest.approx(share), name
    assert values["face_rate"] == pytest.approx(1 - share)


def test_failed_fit_has_floor_values(evidence):
    failed = replace(evidence, rendering=None, outcome="diverged", code="nan@iteration 3")
    values = judged(failed)
    assert all(values[name] == 1 for name in ("dsr", "dsr_identity", "dsr_lips", "dsr_quality", "dsr_l2"))
    assert values["alpha_head"] == values["face_rate"] == values["identity"] == values["mouth_energy"] == 0
    held = evidence.split.heldout
    heads = evidence.clip.truth.labels[held] > 0
    backdrop = np.stack([evidence.clip.truth.plate] * len(held))
    frame_mse = [
        ((backdrop[t][heads[t]].astype(float) - evidence.clip.frames[held][t][heads[t]]) ** 2).mean()
        for t in range(len(held))
    ]
    assert values["head_psnr"] == pytest.approx(np.mean(10 * np.log10(255**2 / np.array(frame_mse))), abs=1e-3)
    assert classify(failed) == ("diverged", "nan@iteration 3")
    assert classify(replace(failed, outcome="refused", code="no_face@frame 1")) == ("refused", "no_face@frame 1")


def test_refused_in_both_arms_still_has_values(evidence):
    values = judged(replace(evidence, capture=None, clean_capture=None, rendering=None, clean_rendering=None))
    assert values["dsr"] == 1


def test_the_network_sees_each_frame_once(evidence, landmarker):
    judged(evidence)
    held = len(evidence.split.heldout)
    assert landmarker.frames_seen == 2 * held + 32


def test_undefended_cell_without_a_twin_is_its_own(evidence):
    values = judged(replace(evidence, protected=evidence.clip.frames, clean_capture=None, clean_rendering=None))
    assert values["dsr_l2"] == 0
    assert values["head_psnr_to_clean"] == 100


SICK = {
    "black": lambda rgb: np.zeros_like(rgb),
    "constant": lambda rgb: np.full_like(rgb, 200),
    "noise": lambda rgb: np.random.default_rng(0).integers(0, 256, rgb.shape).astype(np.uint8),
    "same": lambda rgb: rgb,
}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    picture=st.sampled_from(sorted(SICK)),
    scene=st.sampled_from(sorted(SICK)),
    alpha=st.sampled_from([0.0, 1.0, np.nan, np.inf]),
    depth=st.sampled_from([0.0, 5.0, np.nan, np.inf]),
    truth=st.booleans(),
)
def test_no_degenerate_cell_gives_nan_or_leaves_bounds(evidence, picture, scene, alpha, depth, truth):
    clip = evidence.clip.with_frames(SICK[scene](evidence.clip.frames))
    if not truth:
        clip = replace(clip, truth=None)
    shape = evidence.rendering.alpha.shape
    rendering = Rendering(
        SICK[picture](evidence.rendering.rgb), np.full(shape, depth, np.float32), np.full(shape, alpha, np.float32)
    )
    cell = replace(evidence, clip=clip, rendering=rendering)
    for row in judge_all(cell, JUDGES, "clone"):
        metric = declared_metrics()[row.metric]
        assert np.isfinite(row.value)
        assert metric.lower <= row.value <= metric.upper
    classify(cell)


def test_depth_error_ignores_distance_but_not_relief():
    rng = np.random.default_rng(0)
    truth = rng.uniform(8, 9, (2, 10, 10)).astype(np.float32)
    head = np.ones(truth.shape, bool)
    assert depth_error(truth + 3, truth, head) == pytest.approx(0, abs=1e-6)
    flat = np.full_like(truth, 4)
    board = np.mean([np.abs(t - np.median(t)).mean() for t in truth])
    assert depth_error(flat, truth, head) == pytest.approx(board, rel=1e-5)
    assert depth_error(np.zeros_like(truth), truth, head) == pytest.approx(board, rel=1e-5)
    half = truth.copy()
    half[:, :5] = 0
    assert 0 < depth_error(half, truth, head) < board


def test_masked_l2_is_the_mean_square_in_minus_one_to_one():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 256, (2, 3, 6, 7, 3)).astype(np.uint8)
    mask = rng.random((3, 6, 7)) > 0.5
    x, y = a / 127.5 - 1, b / 127.5 - 1
    by_hand = [np.mean((x[t][mask[t]] - y[t][mask[t]]) ** 2) for t in range(3)]
    assert masked_l2(a, b, mask) == pytest.approx(by_hand, rel=1e-5)
    assert masked_l2(a, b, np.zeros_like(mask)).tolist() == [0, 0, 0]


def test_one_noisy_block_does_not_condemn_a_clone_that_follows():
    assert shrink(0.1, 0.75) > 0.3
    assert shrink(0.5, 0.0) < 0.3
    assert shrink(1.0, 1.0) < 1


def test_lip_rule_is_robust_on_short_blocks(evidence):
    """Noisy but honest lips (correlation about .75) rarely fail; unrelated ones mostly do."""
    honest, unrelated = (_failure_rate(evidence, r) for r in (0.75, 0.0))
    assert honest < 0.05
    assert unrelated > 0.7


def _failure_rate(evidence, r, trials=150):
    seen = observe(evidence)
    rng = np.random.default_rng(0)
    smooth = np.exp(-0.5 * (np.arange(-4, 5) / 1.2) ** 2)
    count = len(evidence.split.heldout)
    blocks = list(evidence.split.each_block())
    rates = []
    for _ in range(trials):
        truth, noise = (np.convolve(rng.normal(size=count + 8), smooth, "valid") for _ in range(2))
        clone = r * truth + np.sqrt(1 - r * r) * noise
        for x in (truth, clone):
            for block in blocks:
                x[block] -= x[block].mean()
        lips = seen.lips._replace(clone=0.05 * clone, truth=0.05 * truth)
        trial = observe(evidence)
        trial = replace(trial)
        trial.__dict__.update(seen.__dict__ | {"lips": lips})
        rates.append(fails_lips(trial, 0.3, 0.25).mean())
    return float(np.mean(rates))
