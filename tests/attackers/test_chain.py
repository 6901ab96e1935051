"""Chains of purifiers: one canonical text for all ways to write them, and errors that help."""

from __future__ import annotations

import pytest
import torch

from vdf_bench.attackers.chain import build_chain, canonical_chain, parse_chain
from vdf_bench.core.budget import Budget
from vdf_bench.core.errors import UserError
from vdf_bench.core.interfaces import Setting


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("jpeg", "jpeg:75"),
        ("jpeg:75", "jpeg:75"),
        ("jpeg:quality=75", "jpeg:75"),
        ("jpeg:075,subsampling=4:2:0", "jpeg:75"),
        ("jpeg:90,subsampling=4:4:4", "jpeg:90,subsampling=4:4:4"),
        ("jpeg + resize:.5", "jpeg:75+resize:0.5"),
        ("resize:1.0", "resize:1"),
        ("identity", "identity"),
        ("identity+identity", "identity"),
        ("identity+jpeg+identity", "jpeg:75"),
        ("h264:preset=slow", "h264:23,preset=slow"),
        ("jpeg+jpeg:80", "jpeg:75+jpeg:80"),
        ("h264:23+h264:28", "h264:23+h264:28"),
        ("h265+vp9:40,preset=4", "h265:28+vp9:40,preset=4"),
        ("fps:24.0+fps:rate=29.97,method=blend", "fps:24+fps:29.97,method=blend"),
        ("crop-resize+bit-depth:4+gamma:1.0", "crop-resize:0.1+bit-depth:4+gamma:1"),
        ("gaussian-blur:size=11,sigma=1.50+median:5", "gaussian-blur:1.5+median:5"),
        ("temporal-median+frame-average:align=none", "temporal-median:2+frame-average:1,align=none"),
        ("mix-clean:5+frame-drop:4", "mix-clean:5+frame-drop:4"),
    ],
)
def test_canonical(text, canonical):
    assert canonical_chain(text) == canonical
    assert canonical_chain(canonical) == canonical


def test_parse():
    assert parse_chain("jpeg:80+resize") == [("jpeg", {"quality": "80"}), ("resize", {})]


def test_overrides_yield_to_what_is_written():
    overrides = {"jpeg": {"quality": "30", "subsampling": "4:4:4"}, "h264": {"crf": "40"}}
    assert canonical_chain("jpeg:80+resize", overrides) == "jpeg:80,subsampling=4:4:4+resize:0.5"
    assert canonical_chain("jpeg", overrides) == "jpeg:30,subsampling=4:4:4"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jpg", "did you mean 'jpeg'"),
        ("jpeg+resise:0.5", "did you mean 'resize'"),
        ("", "empty part"),
        ("jpeg+", "empty part"),
        ("jpeg:", "no value"),
        ("jpeg:75,quality=80", "quality twice"),
        ("identity:3", "needs a parameter name"),
        ("jpeg:101", "less than or equal to 100"),
        ("jpeg:high", "valid integer"),
        ("jpeg:qualty=3", "parameters of jpeg: quality, subsampling"),
        ("h265:52", "less than or equal to 51"),
        ("vp9:preset=slow", "valid integer"),
        ("h264:pix_fmt=rgb24", "'yuv420p' or 'yuv444p'"),
        ("gaussian-noise:-0.1", "greater than or equal to 0"),
        ("gaussian-noise:nan", "gaussian-noise.sigma"),
        ("gaussian-blur:size=10", "must be odd"),
        ("median:4", "must be odd"),
        ("bilateral:size=8", "must be odd"),
        ("bit-depth:9", "less than or equal to 8"),
        ("crop-resize:1", "less than 1"),
        ("gamma:0", "greater than or equal to 0.1"),
        ("fps:0", "greater than or equal to 1"),
        ("frame-drop:1", "would lose every frame"),
        ("temporal-median:-1", "greater than or equal to 0"),
        ("mix-clean:-1", "greater than or equal to 0"),
    ],
)
def test_errors(text, said):
    with pytest.raises(UserError, match=said):
        build_chain(text)


def test_links_run_in_order():
    frames = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    setting = Setting(budget=Budget(0.0), size=32)

    def run(text: str, given: torch.Tensor) -> torch.Tensor:
        return torch.stack(list(build_chain(text).purify(iter(given), setting)))

    assert torch.equal(run("jpeg+resize", frames), run("resize", run("jpeg", frames)))
    assert not torch.equal(run("jpeg+resize", frames), run("resize+jpeg", frames))
