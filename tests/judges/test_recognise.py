"""Recognisers by file, and LPIPS backbones: the loading paths are real; the third-party weights are not shipped."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from vdf_bench.assets.record import read_record, remember
from vdf_bench.assets.third_party import path_of
from vdf_bench.core.errors import UserError
from vdf_bench.core.files import file_sha256
from vdf_bench.judges import judge_all
from vdf_bench.judges.dsr import DefenseSuccess
from vdf_bench.judges.identity import Identity
from vdf_bench.judges.observe import Tools
from vdf_bench.models.arcface import align, load_arcface
from vdf_bench.models.perceptual import load_lpips, lpips_distances
from vdf_bench.models.supply import add
from vdf_bench.recognisers.arcface import ONNX_THRESHOLD, OnnxModel
from vdf_bench.recognisers.choice import choose


def third_party(name):
    path = Path(os.environ.get("VDF_BENCH_WEIGHTS", "")) / name
    if not path.is_file():
        pytest.skip(f"{name} is not in $VDF_BENCH_WEIGHTS")
    return path


FIVE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])


def landmarks_at(five):
    points = np.zeros((1, 68, 2), np.float32)
    points[0, 36:42], points[0, 42:48], points[0, 30], points[0, 48], points[0, 54] = five
    return points


def astronaut():
    """scikit-image's public portrait and landmarks read off it by eye: eyes, nose tip, mouth corners."""
    from skimage.data import astronaut as picture

    five = np.array([[204.0, 110.0], [244.0, 108.0], [226.0, 131.0], [208.0, 151.0], [244.0, 150.0]])
    return picture(), five


def test_alignment_undoes_a_similarity():
    """A picture in ArcFace's frame, turned, scaled and moved, comes back."""
    rng = np.random.default_rng(0)
    original = affine_transform(
        rng.uniform(0, 255, (14, 14, 3)), [1 / 8, 1 / 8, 1], output_shape=(112, 112, 3), order=3
    )
    original = np.clip(original, 0, 255).astype(np.uint8)
    angle, scale, shift = 0.3, 1.4, np.array([40.0, -10.0])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    five = FIVE @ turn.T + shift  # array coordinates (x, y)
    back = np.linalg.inv(turn)[::-1, ::-1]
    moved = np.stack(
        [affine_transform(c, back, -back @ shift[::-1], (260, 260), order=1) for c in np.moveaxis(original, 2, 0)], -1
    )
    (crop,) = align(moved[None], (five + 0.5)[None], 112)
    inner = np.s_[20:90, 20:90]
    assert np.abs(crop[inner].astype(int) - original[inner]).mean() < 4


def test_bad_files_are_user_errors(tmp_path):
    with pytest.raises(UserError, match="not found"):
        OnnxModel(tmp_path / "absent.onnx", 0.4)
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(UserError, match="ONNX"):
        OnnxModel(broken, 0.4)
    state = tmp_path / "broken.pth"
    state.write_bytes(b"not a state dict")
    with pytest.raises(UserError, match="state dict of squeezenet"):
        load_lpips("squeeze", state)


def test_backbone_of_another_network_is_refused(tmp_path):
    import torch

    path = tmp_path / "other.pth"
    torch.save({"features.0.weight": torch.zeros(3)}, path)
    with pytest.raises(UserError, match="LPIPS-alex"):
        load_lpips("alex", path)


def test_alignment_is_that_of_insightface():
    """Against norm_crop, which finds its transform and samples by other means."""
    from insightface.utils.face_align import norm_crop

    picture, five = astronaut()
    picture = picture[:300, 40:420]  # not square
    five = five - [40, 0]
    (ours,) = align(picture[None], (five + 0.5)[None], 112)
    theirs = norm_crop(picture, five.astype(np.float32), 112)
    apart = np.abs(ours.astype(int) - theirs)
    assert apart.mean() < 1
    assert np.quantile(apart, 0.99) <= 8


def test_who_recognises_whom(tmp_path, monkeypatch):
    """Rendered heads keep id-synth; real people get the user's recogniser once it is there, the own before a pack's."""
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path))
    assert choose("auto", {}, real=True).metric == "identity"
    for name in ("buffalo_l", "recogniser"):
        path_of(name).write_bytes(b"onnx")
        chosen = choose("auto", {}, real=True)
        assert (chosen.file(), chosen.metric) == (path_of(name), "identity_arcface")
        assert chosen.threshold()[0] == ONNX_THRESHOLD
        assert "not calibrated" in chosen.threshold()[1]
        assert choose("auto", {}, real=False).card.name == "id-synth"
    file = path_of("recogniser")
    remember("recogniser", {"sha256": file_sha256(file), "threshold": {"value": 0.31, "basis": "measured"}})
    assert choose("auto", {}, real=True).threshold() == (0.31, "measured")
    assert choose("arcface", {"arcface": {"file": str(file)}}, real=False).threshold()[0] == 0.31
    assert choose("auto", {"arcface": {"threshold": "0.5"}}, real=True).threshold() == (0.5, "as set")
    file.write_bytes(b"another file")  # a threshold belongs to the bytes that it was measured on
    assert choose("auto", {}, real=True).threshold()[0] == ONNX_THRESHOLD
    with pytest.raises(UserError, match="did you mean 'arcface'"):
        choose("arcfase", {}, real=True)


def test_a_recogniser_without_a_file_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path))
    with pytest.raises(UserError, match="weights fetch buffalo_l"):
        choose("arcface", {}, real=True).load()


@pytest.fixture
def small_model(tmp_path):
    """A graph of a recogniser's form whose embedding is the mean of 16 px squares, as the network sees them."""
    from onnx import TensorProto, helper, save

    nodes = [
        helper.make_node("AveragePool", ["x"], ["pooled"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("Flatten", ["pooled"], ["y"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 112, 112])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 147])
    graph = helper.make_graph(nodes, "small", [x], [y])
    path = tmp_path / "small.onnx"
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def test_the_network_sees_normalised_rgb(small_model):
    frames = np.zeros((1, 112, 112, 3), np.uint8)
    frames[..., 0], frames[..., 1] = 255, 128
    (found,) = load_arcface(small_model).embed(frames, (FIVE + 0.5)[None])
    red, green, blue = found.reshape(3, 7, 7)[:, 1:-1, 1:-1]
    assert red == pytest.approx(1)
    assert green == pytest.approx(0.5 / 127.5, abs=1e-5)
    assert blue == pytest.approx(-1)


def test_real_people_get_a_column_of_their_own(evidence, landmarker, small_model, tmp_path, monkeypatch):
    """Rendered clips are measured as if the file were not there; two clips of a run are not mixed in one column."""
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path / "weights"))
    judges = [Identity(), DefenseSuccess()]
    real = replace(evidence, clip=replace(evidence.clip, truth=None))
    before = {row.metric: row.value for row in judge_all(evidence, judges, "clone")}
    add("recogniser", small_model)
    assert {row.metric: row.value for row in judge_all(evidence, judges, "clone")} == before
    rows = {row.metric: row.value for row in judge_all(real, judges, "clone")}
    assert rows["identity_arcface"] > 0.9
    assert "identity" not in rows
    chosen = choose("auto", {}, real=True)
    assert chosen.record()["sha256"] == file_sha256(small_model)
    assert "recogniser.onnx, threshold 0.4" in chosen.note(real=True)
    path_of("recogniser").unlink()
    assert "weights fetch buffalo_l" in choose("auto", {}, real=True).note(real=True)
    assert "identity" in {row.metric for row in judge_all(real, judges, "clone")}
    given = Tools(recogniser="arcface", parameters={"arcface": {"file": str(small_model)}})
    assert "identity_arcface" in {row.metric for row in judge_all(evidence, judges, "clone", given)}


@pytest.mark.real
def test_real_people_are_judged_by_the_registered_recogniser(evidence, landmarker, tmp_path, monkeypatch):
    source = third_party("mobilefacenet_y1.onnx")
    monkeypatch.setenv("VDF_BENCH_WEIGHTS", str(tmp_path))
    before = {row.metric for row in judge_all(evidence, [Identity()], "clone")}
    add("recogniser", source)
    assert read_record()["recogniser"]["sha256"] == file_sha256(source)
    assert {row.metric for row in judge_all(evidence, [Identity()], "clone")} == before == {"identity", "face_rate"}
    real = replace(evidence, clip=replace(evidence.clip, truth=None))
    rows = {row.metric: row.value for row in judge_all(real, [Identity(), DefenseSuccess()], "clone")}
    assert {"identity_arcface", "face_rate", "dsr_identity"} <= set(rows)
    assert "identity" not in rows


@pytest.mark.real
def test_onnx_recogniser_knows_a_face_again():
    model = OnnxModel(third_party("mobilefacenet_y1.onnx"), 0.4)
    picture, five = astronaut()
    small = affine_transform(picture.astype(float), [1.25, 1.25, 1], output_shape=(400, 400, 3), order=1)
    darker = (small * 0.8).astype(np.uint8)
    upside = picture[::-1].copy()
    face = model.embed(picture[None], landmarks_at(five))
    again = model.embed(darker[None], landmarks_at(five / 1.25))
    wrong = model.embed(upside[None], landmarks_at(five))

    def cosine(a, b):
        return float((a @ b.T).item() / np.linalg.norm(a) / np.linalg.norm(b))

    assert cosine(face, again) > 0.8
    assert cosine(face, wrong) < model.threshold


@pytest.mark.real
def test_recogniser_file_serves_identity_and_success_rate_alike(evidence, landmarker):
    path = third_party("mobilefacenet_y1.onnx")
    tools = Tools(recogniser="arcface", parameters={"arcface": {"file": str(path)}})
    values = {row.metric: row.value for row in judge_all(evidence, [Identity(), DefenseSuccess()], "clone", tools)}
    assert "identity" not in values  # cosines of two recognisers never share a column
    assert values["identity_arcface"] > 0.5
    assert values["dsr_identity"] == float(values["identity_arcface"] < 0.4)
    assert landmarker.frames_seen == 2 * len(evidence.split.heldout) + 32


@pytest.mark.real
def test_lpips_orders_distortions():
    path = third_party("squeezenet1_1_fp16.pth")
    picture, _ = astronaut()
    clean = picture[60:188, 160:288]
    noise = np.random.default_rng(0).normal(0, 1, clean.shape)
    slight, strong = (np.clip(clean + k * noise, 0, 255).astype(np.uint8) for k in (4, 30))
    same, near, far = lpips_distances("squeeze", np.stack([clean, slight, strong]), np.stack([clean] * 3), path)
    assert same == 0
    assert 0 < near < far < 2
