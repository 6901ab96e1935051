"""Stand-in checkouts that the user's file names."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from vdf_bench.core import registry
from vdf_bench.core.interfaces import FitSetting

_SPEC = importlib.util.spec_from_file_location("standin", Path(__file__).with_name("standin.py"))
standin = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(standin)

FILES = {
    "synctalk": ["nerf_triplane/checkpoints/audio_visual_encoder.pth"],
    "talkinggaussian": ["data_utils/easyportrait/fpn-fp-512.pth"],
    "instag": [
        "data_utils/easyportrait/fpn-fp-512.pth",
        "output/pretrain_ave/chkpnt_ema_face_latest.pth",
        "output/pretrain_ave/chkpnt_ema_mouth_latest.pth",
    ],
    "mimictalk": [
        "deep_3drecon/BFM/01_MorphableModel.mat",
        "deep_3drecon/BFM/BFM_model_front.mat",
        "checkpoints/240210_real3dportrait_orig/secc2plane_torso_orig/config.yaml",
        "checkpoints/240112_icl_audio2secc_vox2_cmlr/config.yaml",
        "checkpoints/pretrained_ckpts/mit_b0.pth",
    ],
}


@pytest.fixture(scope="session")
def speaking(capture):
    """The ball of a head, with a voice."""
    tone = 0.1 * np.sin(np.arange(len(capture) * 640) / 7)
    return replace(capture, audio=tone.astype(np.float32))


@pytest.fixture
def bench(tmp_path, monkeypatch, speaking):
    """Builds a stand-in, tells the user's file of it, and trains on it."""
    return Bench(tmp_path, monkeypatch, speaking)


class Bench:
    def __init__(self, folder, monkeypatch, capture):
        self.folder, self.capture = folder, capture
        self.work = folder / "work"
        monkeypatch.setenv("VDF_BENCH_EXTERNAL", str(folder / "external.toml"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        self.patch = monkeypatch

    def checkout(self, system, fate=None, weights=True, **keys):
        """A checkout of ``system`` and its section of the file; further ``keys`` as TOML values."""
        repo = self.folder / system
        standin.build(system, repo, fate)
        count = len(self.capture)
        track = {"euler": torch.zeros(count, 3), "trans": torch.zeros(count, 3), "focal": torch.ones(1)}
        torch.save(track, repo / "track_params.pt")
        if weights:
            from vdf_bench.victims.external import rad

            for name in [*FILES.get(system, []), *([] if system == "mimictalk" else [w.path for w in rad.WEIGHTS])]:
                path = repo / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"weights")
        values = {"repo": str(repo), "python": sys.executable, "workdir": str(self.work), **keys}
        values |= {"sapiens_python": sys.executable} if system == "instag" else {}
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        (self.folder / "external.toml").write_text("\n".join([f"[{system}]", *lines]) + "\n")
        return repo

    def victim(self, system, grace=0.3, **parameters):
        made = registry.create("victims", f"external.{system}", parameters)
        self.patch.setattr(type(made), "grace", grace)
        return made

    def fit(self, system, setting=None, **parameters):
        return self.victim(system, **parameters).fit(self.capture, setting or FitSetting())
