"""``external.mimictalk``: MimicTalk (NeurIPS 2024), by its own checkout."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from vdf_bench.core.cards import Card, Parameters
from vdf_bench.core.interfaces import FitFailed
from vdf_bench.victims.external import rad
from vdf_bench.victims.external.official import Official
from vdf_bench.victims.external.system import BAR, Job, Step, System, Weight

TOTAL = 2_000
#: Fewer updates save no checkpoint.
LEAST = 100
#: Frames of silence after the held-out sound: speech features come two a frame and may fall short by some.
TAIL = 10
ENVIRONMENT = {"PYTHONPATH": "."}


def _prepare(job: Job) -> None:
    """Videos of the training and of the held-out frames, the sound that drives, and the attacker's background."""
    from PIL import Image

    from vdf_bench.capture.layout import write_wav
    from vdf_bench.core.clip import FPS, SAMPLE_RATE

    capture, hop = job.capture, SAMPLE_RATE // int(FPS)
    if not capture.audio.any():
        raise FitFailed("refused", "no-audio@prepare")
    inputs = job.root / "inputs"
    sound = {}
    for name, frames in ((job.name, capture.split.train), ("heldout", capture.split.heldout)):
        samples = (frames[:, None] * hop + np.arange(hop)).ravel()
        sound[name] = capture.audio[np.minimum(samples, len(capture.audio) - 1)]
        rad.write_clip(inputs / f"{name}.mp4", capture.frames[frames], sound[name])
    write_wav(np.pad(sound["heldout"], (0, TAIL * hop)), inputs / "heldout.wav")
    Image.fromarray(capture.plate).save(inputs / "plate.png")


def _plan(job: Job) -> list[Step]:
    work, updates = f"checkpoints_mimictalk/{job.name}", job.steps(TOTAL, TOTAL, least=LEAST, multiple=LEAST)
    own = f"inputs/{job.name}.mp4"
    train: tuple[str, ...] = ("python", "inference/train_mimictalk_on_a_video.py", "--video_id", own)
    train += ("--max_updates", str(updates), "--work_dir", work)
    render: tuple[str, ...] = (
        "python",
        "inference/mimictalk_infer.py",
        "--torso_ckpt",
        work,
        "--drv_aud",
        "inputs/heldout.wav",
    )
    render += ("--drv_pose", "inputs/heldout.mp4", "--drv_style", own, "--bg_img", "inputs/plate.png")
    # Poses are the held-out frames' own, not carried over to where the first frame had the head.
    render += ("--map_to_init_pose", "False", "--out_mode", "final", "--out_name", "inputs/out.mp4")
    render += ("--seed", str(job.setting.seed))
    saved = {f"{work}/model_ckpt_steps_*.ckpt": None}
    return [
        Step("train", "train", train, saved, BAR, ENVIRONMENT),
        Step("render", "drive", render, {"inputs/out.mp4": 1}, BAR, ENVIRONMENT, keeps=True),
    ]


class MimicTalkParameters(Parameters):
    """What feeds it."""

    entry: Literal["video"] = Field("video", description="it always preprocesses the video itself")


class MimicTalk(Official):
    """Adapts the one-shot tri-plane of Real3D-Portrait to the training frames, and renders the held-out sound."""

    card: ClassVar[Card] = Card(
        name="external.mimictalk",
        title="MimicTalk (official)",
        summary=(
            "Runs the user's own checkout of MimicTalk (MIT, with NVIDIA-headed files of EG3D): its preprocessing by "
            "MediaPipe, low-rank adaptation, rendering by held-out sound and poses. It re-encodes the video before it "
            "looks at it. Emits a video: no opacity, no depth."
        ),
        source="Ye et al., MimicTalk: Mimicking a personalized and expressive 3D talking face in minutes",
        url="https://github.com/yerfor/MimicTalk",
        year=2024,
        needs=("checkout:mimictalk",),
        cost="hours",
        tags=("official",),
    )
    parameters_model: ClassVar[type[Parameters]] = MimicTalkParameters
    system: ClassVar[System] = System(
        name="mimictalk",
        url="https://github.com/yerfor/MimicTalk",
        commit="a79f90e",
        markers=("inference/train_mimictalk_on_a_video.py", "inference/mimictalk_infer.py", "modules/real3d"),
        modules={
            "torch": "{python} -m pip install torch==2.4.1 torchvision --index-url https://download.pytorch.org/whl/cu121",
            "pytorch3d": "{python} -m pip install 'git+https://github.com/facebookresearch/pytorch3d.git@stable'",
            "mediapipe": "{python} -m pip install -r {repo}/docs/prepare_env/requirements.txt",
            "mmcv": "{python} -m pip install openmim && {python} -m mim install mmcv==2.1.0",
        },
        weights=(
            Weight("deep_3drecon/BFM/01_MorphableModel.mat", "cp {bfm}/* {repo}/deep_3drecon/BFM/"),
            Weight("deep_3drecon/BFM/BFM_model_front.mat", "cp {bfm}/* {repo}/deep_3drecon/BFM/"),
            *(
                Weight(f"checkpoints/{path}", f"unzip {archive}.zip -d {{repo}}/checkpoints (links in its README)")
                for path, archive in (
                    ("240210_real3dportrait_orig/secc2plane_torso_orig", "240210_real3dportrait_orig"),
                    ("240112_icl_audio2secc_vox2_cmlr", "240112_icl_audio2secc_vox2_cmlr"),
                    ("pretrained_ckpts/mit_b0.pth", "pretrained_ckpts"),
                )
            ),
        ),
        # It muxes with the program at this very place, and without it deletes what it rendered.
        programs={"ffmpeg": ("video",), "/usr/bin/ffmpeg": ("video",)},
        hours=4,
        writes=(
            "inputs",
            "infer_out",
            "data/raw/videos",
            "data/raw/val_imgs",
            "data/processed/videos",
            "checkpoints_mimictalk/{name}",
        ),
        prepare=_prepare,
        plan=_plan,
        video=lambda job: "inputs/out.mp4",
        exact=False,
    )
