"""``external.instag``: InsTaG (CVPR 2025), by its own checkout."""

from __future__ import annotations

import os
from typing import ClassVar, Literal

from pydantic import Field

from vdf_bench.core.cards import Card, Parameters
from vdf_bench.victims.external import rad
from vdf_bench.victims.external.official import ENTRY, Official
from vdf_bench.victims.external.system import BAR, Job, Step, System, Weight


def _plan(job: Job) -> list[Step]:
    data, out = f"data/{job.name}", f"output/{job.name}"
    lite = job.checkout.sapiens_python
    path = os.pathsep.join([str(lite.parent) if lite is not None else "", os.environ.get("PATH", os.defpath)])
    # The script holds the flags and the steps (10 k face, 10 k mouth, 2 k fused) of the published adaptation.
    adapt = ("bash", "scripts/train_xx_few.sh", data, out, job.checkout.gpu)
    saved = {f"{out}/chkpnt_{name}_latest.pth": 1 for name in ("face", "mouth", "fuse")}
    shown = {f"{out}/test/ours_None/renders/out.mp4": 1}
    render = ("python", "synthesize_fuse.py", "-S", data, "-M", out, "--eval", "--audio_extractor", job.features)
    return [
        *rad.preprocessing(job),
        *rad.audio_features(job),
        rad.teeth_masks(job),
        Step("geometry", "prepare", ("bash", "data_utils/sapiens/run.sh", f"./{data}"), environment={"PATH": path}),
        Step("adapt", "train", adapt, saved, BAR, keeps=True),
        Step("render", "drive", render, shown, BAR, keeps=True),
    ]


class InstagParameters(Parameters):
    """What feeds it."""

    entry: Literal["capture", "video"] = Field("capture", description=ENTRY)
    features: Literal["ave", "deepspeech", "esperanto", "hubert"] = Field(
        "ave", description="audio features; must be what scripts/train_xx_few.sh is set to"
    )


class Instag(Official):
    """Adapts InsTaG's pretrained motion field to the first seconds of the clip, and renders the test split."""

    card: ClassVar[Card] = Card(
        name="external.instag",
        title="InsTaG (official)",
        summary=(
            "Runs the user's own checkout of InsTaG (no licence file; its files carry the non-commercial 3DGS header): "
            "Sapiens geometry, few-second adaptation, test rendering. Emits a video: no opacity, no depth."
        ),
        source="Li et al., InsTaG: Learning Personalized 3D Talking Head from Few-Second Video",
        url="https://github.com/Fictionarry/InsTaG",
        year=2025,
        needs=("checkout:instag",),
        cost="hours",
        tags=("official",),
    )
    parameters_model: ClassVar[type[Parameters]] = InstagParameters
    system: ClassVar[System] = System(
        name="instag",
        url="https://github.com/Fictionarry/InsTaG",
        commit="42f68f8",
        markers=("scripts/train_xx_few.sh", "synthesize_fuse.py", "data_utils/split.py"),
        modules={
            "torch": "{python} -m pip install torch==1.13.1+cu117 --extra-index-url https://download.pytorch.org/whl/cu117",
            "diff_gaussian_rasterization": "{python} -m pip install {repo}/submodules/diff-gaussian-rasterization",
            "simple_knn._C": "{python} -m pip install {repo}/submodules/simple-knn",
            "gridencoder": "{python} -m pip install {repo}/gridencoder",
            "mmcv": "{python} -m pip install openmim && {python} -m mim install mmcv-full==1.7.1 prettytable",
        },
        weights=(
            *(
                Weight(
                    f"output/pretrain_ave/chkpnt_ema_{branch}_latest.pth",
                    "unzip pretrain_ave.zip -d {repo}/output (from the link under Checkpoints in its README)",
                )
                for branch in ("face", "mouth")
            ),
            Weight("data_utils/sapiens", "cd {repo} && bash scripts/prepare_sapiens.sh"),
            rad.TEETH_WEIGHT,
            *rad.WEIGHTS,
        ),
        programs={"ffmpeg": ("video",), "bash": ("capture", "video")},
        hours=4,
        writes=("data/{name}", "output/{name}"),
        prepare=rad.prepare("hair-and-mouth"),
        plan=_plan,
        video=lambda job: f"output/{job.name}/test/ours_None/renders/out.mp4",
        notes={"capture": rad.STRETCHED, "video": rad.STRETCHED},
        sapiens=True,
    )
