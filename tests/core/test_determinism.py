"""The settings under which a device repeats itself: set inside, as they were outside, and worth their name."""

from __future__ import annotations

import os
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vdf_bench.core.artifact import Artifact
from vdf_bench.core.determinism import UNSETTLED, WORKSPACE, deterministic
from vdf_bench.execute.worker import compute
from vdf_bench.plan import Step
from vdf_bench.store import Store


def settings():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.get_float32_matmul_precision(),
        torch.backends.cudnn.benchmark,
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.allow_tf32,
    )


def test_settings_hold_inside_and_are_put_back(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    before = settings()
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    try:
        outside = settings()
        with pytest.raises(ZeroDivisionError), deterministic():
            assert settings() == (True, True, "highest", False, True, False)
            assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == WORKSPACE
            raise ZeroDivisionError
        assert settings() == outside
    finally:
        torch.backends.cudnn.benchmark = False
        torch.set_float32_matmul_precision("highest")
    assert settings() == before


def test_nothing_changes_where_they_are_not_asked_for():
    before = settings()
    with deterministic(False):
        assert settings() == before


def test_an_operation_without_a_deterministic_kernel_runs_and_warns_whoever_listens():
    values = torch.zeros(3)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with deterministic():
            values.put_(torch.tensor([1]), torch.tensor([2.0]))
            assert not told
            warnings.simplefilter("always")
            values.put_(torch.tensor([2]), torch.tensor([3.0]))
    assert f"put_ {UNSETTLED}" in str(told[0].message)
    np.testing.assert_array_equal(values, [0, 2, 3])


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_step_that_asks_for_a_device_runs_under_them(device, tmp_path, monkeypatch):
    def look(params, inputs):
        del params, inputs
        return Artifact({}, {"settled": torch.are_deterministic_algorithms_enabled()})

    monkeypatch.setitem(sys.modules, "vdf_bench.stages.look", SimpleNamespace(run=look))
    made = compute(Step("look", "look", {"device": device}, {}, ""), Store(tmp_path))
    assert made.meta["settled"] == (device == "cuda")
