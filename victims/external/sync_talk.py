"""``external.synctalk``: SyncTalk (CVPR 2024), by its own checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Literal

from pydantic import Field

from vdf_bench.core.cards import Card, Parameters
from vdf_bench.victims.external import rad
from vdf_bench.victims.external.official import ENTRY, Official
from vdf_bench.victims.external.system import Job, Step, System, Weight

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Where its workspaces lie.
FOLDER = "model"
#: Its tasks, which it numbers in an order of its own; poses go through optical flow and bundle adjustment.
TASKS: Final[Mapping[int, Mapping[str, str | int]]] = {
    1: {"aud.wav": 1},
    2: {"ori_imgs/*.jpg": "N"},
    3: {"parsing/*[0-9].png": "N"},
    4: {"bc.jpg": 1},
    5: {"gt_imgs/*.jpg": "N", "torso_imgs/*.png": "N", "face_mask/*.png": "N"},
    6: {"ori_imgs/*.lms": "N"},
    7: {"track_params.pt": 1},
    8: {"bundle_adjustment.pt": 1},
    9: {"bs.npy": 1},
    10: {"transforms_*.json": 2},
}


def _plan(job: Job) -> list[Step]:
    command = ("python", "data_utils/blendshape_capture/main.py", f"--path=data/{job.name}")
    blendshapes = Step("blendshapes", "prepare", command, {f"data/{job.name}/bs.npy": 1})
    prepared = [blendshapes] if job.entry == "capture" else rad.preprocessing(job, TASKS)
    training = rad.train_and_render(job, FOLDER, first=60_000, total=100_000, patch=64)
    return [*prepared, *rad.audio_features(job), *training]


class SyncTalkParameters(Parameters):
    """What feeds it."""

    entry: Literal["capture", "video"] = Field("capture", description=ENTRY)
    features: Literal["ave", "deepspeech", "hubert"] = Field("ave", description="audio features")


class SyncTalk(Official):
    """Trains SyncTalk and renders the head over the captured torso, without pasting it into the original frames."""

    card: ClassVar[Card] = Card(
        name="external.synctalk",
        title="SyncTalk (official)",
        summary=(
            "Runs the user's own checkout of SyncTalk (CC BY-NC 4.0: not for commercial use): training, lip "
            "fine-tuning and the test rendering without --portrait. Emits a video: no opacity, no depth."
        ),
        source="Peng et al., SyncTalk: The Devil is in the Synchronization for Talking Head Synthesis",
        url="https://github.com/ZiqiaoPeng/SyncTalk",
        year=2024,
        needs=("checkout:synctalk",),
        cost="hours",
        tags=("official",),
    )
    parameters_model: ClassVar[type[Parameters]] = SyncTalkParameters
    system: ClassVar[System] = System(
        name="synctalk",
        url="https://github.com/ZiqiaoPeng/SyncTalk",
        commit="d2427a3",
        markers=("main.py", "nerf_triplane/provider.py", "data_utils/blendshape_capture/main.py"),
        modules={
            "torch": "{python} -m pip install torch==1.12.1+cu113 --extra-index-url https://download.pytorch.org/whl/cu113",
            "cv2": "{python} -m pip install -r {repo}/requirements.txt",
            "gridencoder": "{python} -m pip install {repo}/gridencoder",
            "raymarching": "{python} -m pip install {repo}/raymarching",
            "freqencoder": "{python} -m pip install {repo}/freqencoder",
            "shencoder": "{python} -m pip install {repo}/shencoder",
            "mediapipe": "{python} -m pip install mediapipe",
        },
        weights=(
            Weight("nerf_triplane/checkpoints/audio_visual_encoder.pth", "git -C {repo} checkout -- nerf_triplane"),
            *rad.WEIGHTS,
        ),
        programs={"ffmpeg": ("video",)},
        hours=12,
        writes=("data/{name}", "model/{name}"),
        prepare=rad.prepare(),
        plan=_plan,
        video=lambda job: rad.nerf_video(job, FOLDER),
        # Without a face there is no first blendshape.
        hazards=((r"face_blendshapes\[0\][\s\S]*IndexError: list index out of range", "no_face"),),
    )
