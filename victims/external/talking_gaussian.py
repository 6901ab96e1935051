"""``external.talkinggaussian``: TalkingGaussian (ECCV 2024), by its own checkout."""

from __future__ import annotations

from typing import ClassVar

from vdf_bench.core.cards import Card, Parameters
from vdf_bench.victims.external import rad
from vdf_bench.victims.external.official import LineageParameters, Official
from vdf_bench.victims.external.system import BAR, Job, Step, System

#: Steps of the two branches; the fusion always takes 10 000 more.
TOTAL = 100_000
#: Its schedules count back from the last step: fewer make them negative.
LEAST = 14_000


def _plan(job: Job) -> list[Step]:
    out = f"output/{job.name}"
    where = ("-s", f"data/{job.name}", "-m", out, "--audio_extractor", job.features)
    branch = (*where, "--iterations", str(job.steps(50_000, TOTAL, least=LEAST)))
    face = ("--init_num", "2000", "--densify_grad_threshold", "0.0005")

    def train(name: str, *arguments: str) -> Step:
        saved = {f"{out}/chkpnt_{name}_latest.pth": 1}
        return Step(f"train {name}", "train", ("python", f"train_{name}.py", *arguments), saved, BAR)

    shown = {f"{out}/test/ours_None/renders/out.mp4": 1}
    return [
        *rad.preprocessing(job),
        *rad.audio_features(job),
        rad.teeth_masks(job),
        train("mouth", *branch),
        train("face", *branch, *face),
        train("fuse", *where, "--opacity_lr", "0.001"),
        Step("render", "drive", ("python", "synthesize_fuse.py", *where, "--eval"), shown, BAR, keeps=True),
    ]


class TalkingGaussian(Official):
    """Trains TalkingGaussian's mouth and face branches, fuses them, and renders the test split."""

    card: ClassVar[Card] = Card(
        name="external.talkinggaussian",
        title="TalkingGaussian (official)",
        summary=(
            "Runs the user's own checkout of TalkingGaussian (no licence file; its files carry the non-commercial 3DGS "
            "header): mouth, face, fusion, test rendering. Corrupted landmarks or masks send its sampling into endless "
            "loops, which the watchdog ends. Emits a video: no opacity, no depth."
        ),
        source="Li et al., TalkingGaussian: Structure-Persistent 3D Talking Head Synthesis via Gaussian Splatting",
        url="https://github.com/Fictionarry/TalkingGaussian",
        year=2024,
        needs=("checkout:talkinggaussian",),
        cost="hours",
        tags=("official",),
    )
    parameters_model: ClassVar[type[Parameters]] = LineageParameters
    system: ClassVar[System] = System(
        name="talkinggaussian",
        url="https://github.com/Fictionarry/TalkingGaussian",
        commit="9bd34f7",
        markers=("train_mouth.py", "train_face.py", "train_fuse.py", "synthesize_fuse.py"),
        modules={
            "torch": "{python} -m pip install torch==1.12.1+cu113 --extra-index-url https://download.pytorch.org/whl/cu113",
            "diff_gaussian_rasterization": "{python} -m pip install {repo}/submodules/diff-gaussian-rasterization",
            "simple_knn._C": "{python} -m pip install {repo}/submodules/simple-knn",
            "gridencoder": "{python} -m pip install {repo}/gridencoder",
            "mmcv": "{python} -m pip install openmim && {python} -m mim install mmcv-full==1.7.1 prettytable",
        },
        weights=(rad.TEETH_WEIGHT, *rad.WEIGHTS),
        programs={"ffmpeg": ("video",)},
        hours=8,
        writes=("data/{name}", "output/{name}"),
        prepare=rad.prepare("hair-and-mouth"),
        plan=_plan,
        video=lambda job: f"output/{job.name}/test/ours_None/renders/out.mp4",
        notes={"capture": rad.STRETCHED, "video": rad.STRETCHED},
    )
