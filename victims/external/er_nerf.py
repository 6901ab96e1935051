"""``external.er-nerf``: ER-NeRF (ICCV 2023), by its own checkout."""

from __future__ import annotations

from typing import ClassVar

from vdf_bench.core.cards import Card, Parameters
from vdf_bench.victims.external import rad
from vdf_bench.victims.external.official import LineageParameters, Official
from vdf_bench.victims.external.system import Job, Step, System

#: Where its workspaces lie.
FOLDER = "trial"


def _plan(job: Job) -> list[Step]:
    training = rad.train_and_render(job, FOLDER, first=100_000, total=125_000, patch=32)
    return [*rad.preprocessing(job), *rad.audio_features(job), *training]


class ErNerf(Official):
    """Trains ER-NeRF's head and renders it over the captured torso, as its head-only evaluation does."""

    card: ClassVar[Card] = Card(
        name="external.er-nerf",
        title="ER-NeRF (official)",
        summary=(
            "Runs the user's own checkout of ER-NeRF (MIT): head, lip fine-tuning, and the head-only test rendering "
            "over the captured torso. Emits a video: no opacity, no depth."
        ),
        source="Li et al., Efficient Region-Aware Neural Radiance Fields for High-Fidelity Talking Portrait Synthesis",
        url="https://github.com/Fictionarry/ER-NeRF",
        year=2023,
        needs=("checkout:er-nerf",),
        cost="hours",
        tags=("official",),
    )
    parameters_model: ClassVar[type[Parameters]] = LineageParameters
    system: ClassVar[System] = System(
        name="er-nerf",
        url="https://github.com/Fictionarry/ER-NeRF",
        commit="0cf72d8",
        markers=("main.py", "nerf_triplane/provider.py", "data_utils/process.py"),
        modules={
            "torch": "{python} -m pip install torch==1.12.1+cu113 --extra-index-url https://download.pytorch.org/whl/cu113",
            "cv2": "{python} -m pip install -r {repo}/requirements.txt",
            "gridencoder": "cd {repo} && bash scripts/install_ext.sh",
            "raymarching": "cd {repo} && bash scripts/install_ext.sh",
            "face_alignment": "{python} -m pip install face-alignment",
        },
        weights=rad.WEIGHTS,
        programs={"ffmpeg": ("video",)},
        hours=12,
        writes=("data/{name}", "trial/{name}"),
        prepare=rad.prepare(),
        plan=_plan,
        video=lambda job: rad.nerf_video(job, FOLDER),
        notes={"capture": rad.PROXIES, "video": rad.PROXIES},
    )
