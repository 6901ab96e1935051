"""Weights are checked before they are used."""

import json
import shutil

import pytest
import torch

from vdf_bench.assets import shipped
from vdf_bench.assets.folders import WEIGHTS_VARIABLE
from vdf_bench.core.errors import UserError
from vdf_bench.parsers.network import load_parser, new_parser


@pytest.fixture
def copy(tmp_path):
    for suffix in ("safetensors", "json"):
        shutil.copy(shipped.SHIPPED / f"builtin.{suffix}", tmp_path)
    return tmp_path


def test_every_shipped_file_has_a_true_card():
    names = sorted(path.stem for path in shipped.SHIPPED.glob("*.safetensors"))
    assert {"builtin", "heldout", "landmarker", "id-synth", "face-shape"} <= set(names)
    for name in names:
        state = shipped.load_shipped(name)
        assert all(value.dtype != torch.float16 and torch.isfinite(value).all() for value in state.values())
        card = shipped.card(name)
        assert card["licence"] == "Apache-2.0"
        assert card["bytes"] <= shipped.SHIPPED_LIMIT


def test_one_flipped_bit_is_refused(copy):
    path = copy / "builtin.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="SHA-256"):
        shipped.load_shipped("builtin", copy)


def test_a_huge_file_is_refused_before_it_is_read(copy):
    with (copy / "builtin.safetensors").open("wb") as file:
        file.truncate(shipped.SHIPPED_LIMIT + 1)
    with pytest.raises(UserError, match="larger"):
        shipped.load_shipped("builtin", copy)


def test_absent_weights_and_cards_say_how_to_get_them(copy):
    with pytest.raises(UserError, match="models train nobody"):
        shipped.load_shipped("nobody", copy)
    (copy / "builtin.json").write_text("{")
    with pytest.raises(UserError, match=r"builtin\.json"):
        shipped.load_shipped("builtin", copy)


def test_saving_keeps_values_and_describes_them(tmp_path):
    state = {"a": torch.randn(3, 4), "n": torch.tensor([7])}
    shipped.save_shipped("x", state, {"licence": "Apache-2.0"}, tmp_path)
    back = shipped.load_shipped("x", tmp_path)
    assert torch.allclose(back["a"], state["a"], atol=2e-3) and back["n"].item() == 7
    assert json.loads((tmp_path / "x.json").read_text())["bytes"] == (tmp_path / "x.safetensors").stat().st_size


def test_official_bisenet_checkpoint_loads_by_its_own_key_names(tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    network = new_parser("bisenet").network
    state = network.state_dict()
    for key in ("cp.resnet.conv1.weight", "cp.resnet.layer4.1.bn2.running_var", "cp.arm16.conv.bn.weight",
                "cp.arm32.conv_atten.weight", "cp.arm32.bn_atten.bias", "cp.conv_head16.conv.weight",
                "cp.conv_avg.conv.weight", "ffm.convblk.conv.weight", "ffm.conv1.weight", "ffm.conv2.weight",
                "conv_out.conv.conv.weight", "conv_out.conv_out.weight", "conv_out16.conv.bn.running_mean",
                "conv_out32.conv_out.weight"):  # fmt: skip
        assert key in state
    assert state["conv_out.conv_out.weight"].shape == (19, 256, 1, 1)
    # A stand-in of the same format: random numbers under the official names.
    torch.save({key: torch.randn_like(value) if value.is_floating_point() else value for key, value in state.items()}
               | {key: value.abs() + 1 for key, value in state.items() if key.endswith("running_var")},
               tmp_path / "79999_iter.pth")  # fmt: skip
    parser = load_parser("bisenet")
    assert parser.edges == (512, 512) and not parser.training
    assert parser(torch.rand(1, 3, 64, 64)).shape == (1, 19, 64, 64)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"cos\nsystem\n(S'true'\ntR."])
def test_a_broken_or_hostile_checkpoint_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    (tmp_path / "79999_iter.pth").write_bytes(content)
    with pytest.raises(UserError, match="79999_iter"):
        load_parser("bisenet")


def test_a_checkpoint_of_another_network_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    torch.save({"weight": torch.zeros(3)}, tmp_path / "79999_iter.pth")
    with pytest.raises(UserError, match="bisenet"):
        load_parser("bisenet")


def test_an_absent_checkpoint_names_its_source(tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    with pytest.raises(UserError, match="zllrunning"):
        load_parser("bisenet")
