"""``external.gaussiantalker``: GaussianTalker (ACM MM 2024), by its own checkout."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from vdf_bench.core.cards import Card, Parameters
from vdf_bench.victims.external import rad
from vdf_bench.victims.external.official import ENTRY, Official
from vdf_bench.victims.external.system import BAR, Job, Step, System

COARSE, FINE = 7_999, 10_000
#: It saves at multiples of this alone.
SAVES = 500
CONFIG = "arguments/64_dim_1_transformer.py"


def _fine_steps(job: Job) -> int:
    return job.steps(FINE, COARSE + FINE, multiple=SAVES)


def _config(job: Job) -> str:
    """The published configuration, or one of ours over it where steps are scaled: it overrules the command line."""
    fine = _fine_steps(job)
    if fine == FINE:
        return CONFIG
    ours = job.root / f"{job.name}.py"
    stages = f"dict(iterations={fine}, coarse_iterations={job.steps(COARSE, COARSE + FINE)})"
    ours.write_text(f"_base_ = {CONFIG!r}\nOptimizationParams = {stages}\n")
    return ours.name


def _prepare(job: Job) -> None:
    """The lineage's folder, and the sound of either part: without it the rendered video is thrown away."""
    from vdf_bench.capture.layout import write_wav
    from vdf_bench.core.clip import FPS, SAMPLE_RATE

    rad.prepare()(job)
    hop = SAMPLE_RATE // int(FPS)
    audio = job.capture.audio
    for name, frames in (("train", job.capture.split.train), ("novel", job.capture.split.heldout)):
        samples = (frames[:, None] * hop + np.arange(hop)).ravel()
        write_wav(audio[np.minimum(samples, len(audio) - 1)], job.data / f"aud_{name}.wav")


def _plan(job: Job) -> list[Step]:
    model, config, fine = f"output/{job.name}/model", _config(job), _fine_steps(job)
    where = ("-s", f"data/{job.name}", "--model_path", model, "--configs", config)
    saved = {f"{model}/point_cloud/iteration_{fine}/*": None}
    train = ("python", "train.py", *where, "--port", str(job.port))
    render = ("python", "render.py", *where, "--iteration", str(fine), "--batch", "16", "--skip_train")
    return [
        *rad.preprocessing(job),
        *rad.audio_features(job),
        Step("train", "train", train, saved, BAR),
        Step("render", "drive", render, {_video(job): None}, BAR, keeps=True),
    ]


def _video(job: Job) -> str:
    """Some versions leave the video, others only what they muxed from it."""
    return f"output/{job.name}/model/test/ours_{_fine_steps(job)}/renders/*renders.m*"


class GaussianTalkerParameters(Parameters):
    """What feeds it."""

    entry: Literal["capture", "video"] = Field("capture", description=ENTRY)
    features: Literal["deepspeech"] = Field("deepspeech", description="audio features")


class GaussianTalker(Official):
    """Trains GaussianTalker's coarse and fine stages and renders the test split."""

    card: ClassVar[Card] = Card(
        name="external.gaussiantalker",
        title="GaussianTalker (official)",
        summary=(
            "Runs the user's own checkout of GaussianTalker (Inria 3DGS licence: not for commercial use): coarse and "
            "fine stage, test rendering. It starts itself again at a loss that is no number; twice is allowed. From "
            "our capture it grows on an ellipsoid instead of the Basel face. Emits a video: no opacity, no depth."
        ),
        source="Cho et al., GaussianTalker: Real-Time High-Fidelity Talking Head Synthesis with 3D Gaussian Splatting",
        url="https://github.com/cvlab-kaist/GaussianTalker",
        year=2024,
        needs=("checkout:gaussiantalker",),
        cost="hours",
        tags=("official",),
    )
    parameters_model: ClassVar[type[Parameters]] = GaussianTalkerParameters
    system: ClassVar[System] = System(
        name="gaussiantalker",
        url="https://github.com/cvlab-kaist/GaussianTalker",
        commit="8ec613b",
        markers=("train.py", "render.py", CONFIG),
        modules={
            "torch": "{python} -m pip install torch==1.13.1+cu117 --extra-index-url https://download.pytorch.org/whl/cu117",
            "diff_gaussian_rasterization": (
                "{python} -m pip install -e {repo}/submodules/custom-bg-depth-diff-gaussian-rasterization"
            ),
            "simple_knn._C": "{python} -m pip install -e {repo}/submodules/simple-knn",
            "mmcv": "{python} -m pip install mmcv==1.6.0",
            "wandb": "{python} -m pip install -r {repo}/requirements.txt",
        },
        weights=rad.WEIGHTS,
        programs={"ffmpeg": ("capture", "video")},
        hours=10,
        writes=("data/{name}", "output/{name}"),
        prepare=_prepare,
        plan=_plan,
        video=_video,
        restart=re.compile(r"re-?exec"),
        notes={"capture": f"{rad.PROXIES}; it grew on an ellipsoid, not on the Basel face", "video": rad.PROXIES},
    )
