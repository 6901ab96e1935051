"""What the RAD-NeRF lineage shares: the folder it trains from, its preprocessing tasks, and the defects of those.

ER-NeRF, TalkingGaussian, GaussianTalker and InsTaG number the tasks alike; SyncTalk has its own order.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vdf_bench.core.interfaces import FitFailed
from vdf_bench.victims.external.system import BAR, Entry, Job, Step, Weight

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from vdf_bench.capture.layout import ParsingStyle
    from vdf_bench.victims.external.system import Fix

#: Audio features by the name that trainings take: the file that loaders open, and the script that extracts it.
EXTRACTORS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "deepspeech": ("aud_ds.npy", ("data_utils/deepspeech_features/extract_ds_features.py", "--input")),
    "esperanto": ("aud_eo.npy", ("data_utils/wav2vec.py", "--save_feats", "--wav")),
    "hubert": ("aud_hu.npy", ("data_utils/hubert.py", "--wav")),
}
_VIDEO: Final[tuple[Entry, ...]] = ("video",)
_FETCH: Final = "wget 'https://github.com/YudongGuo/AD-NeRF/blob/master/data_util/{path}?raw=true' -O {{repo}}/{to}"
PROXIES: Final = "action units are proxies from our landmarks: blink and lips, all others at rest"
STRETCHED: Final = f"{PROXIES}; stretched so that training frames show closed eyes and a wide mouth"
#: Weights of the preprocessing, which only the entry ``video`` runs.
WEIGHTS: Final = (
    Weight(
        "data_utils/face_parsing/79999_iter.pth",
        _FETCH.format(path="face_parsing/79999_iter.pth", to="data_utils/face_parsing/79999_iter.pth"),
        _VIDEO,
    ),
    *(
        Weight(
            f"data_utils/face_tracking/3DMM/{name}",
            _FETCH.format(path=f"face_tracking/3DMM/{name}", to=f"data_utils/face_tracking/3DMM/{name}"),
            _VIDEO,
        )
        for name in ("exp_info.npy", "keys_info.npy", "sub_mesh.obj", "topology_info.npy")
    ),
    Weight(
        "data_utils/face_tracking/3DMM/01_MorphableModel.mat",
        "cp {bfm}/01_MorphableModel.mat {repo}/data_utils/face_tracking/3DMM/",
        _VIDEO,
    ),
    Weight(
        "data_utils/face_tracking/3DMM/3DMM_info.npy",
        "cd {repo}/data_utils/face_tracking && {python} convert_BFM.py",
        _VIDEO,
    ),
)
#: What each numbered task must make, below the clip's folder; N stands for the number of frames.
TASKS: Final[Mapping[int, Mapping[str, str | int]]] = {
    1: {"aud.wav": 1},
    3: {"ori_imgs/*.jpg": "N"},
    4: {"parsing/*.png": "N"},
    5: {"bc.jpg": 1},
    6: {"gt_imgs/*.jpg": "N", "torso_imgs/*.png": "N"},
    7: {"ori_imgs/*.lms": "N"},
    8: {"track_params.pt": 1},
    9: {"transforms_*.json": 2},
}


def prepare(style: ParsingStyle = "lineage") -> Fix:
    """Lay out the clip: our capture as the lineage's folder, or the frames as a video that loses nothing."""

    def lay_out(job: Job) -> None:
        from vdf_bench.capture.layout import write_layout

        if not job.capture.audio.any():
            raise FitFailed("refused", "no-audio@prepare")
        if job.entry == "capture":
            write_layout(job.capture, job.data, style)
        else:
            write_clip(job.data / f"{job.name}.mp4", job.capture.frames, job.capture.audio)

    return lay_out


def write_clip(path: Path, frames: NDArray[np.uint8], audio: NDArray[np.float32]) -> None:
    """Frames (T, S, S, 3) uint8 RGB and their sound, exactly.

    FFV1 in Matroska, whatever ``path`` is called: FFmpeg looks at what is inside.
    """
    from vdf_bench.video.encode import write_video

    exact = path.with_suffix(".mkv")
    write_video(exact, iter(frames), audio=audio, codec="ffv1")
    exact.rename(path)


def preprocessing(job: Job, tasks: Mapping[int, Mapping[str, str | int]] = TASKS) -> list[Step]:
    """The official tasks of the entry ``video``, run singly, as one that fails would otherwise be passed over."""
    if job.entry == "capture":
        return []
    fixes: dict[str, Fix] = {"track_params.pt": check_tracking, "transforms_*.json": split_honestly}
    steps = []
    for number, made in tasks.items():
        pattern = next(iter(made))
        makes = {f"data/{job.name}/{p}": len(job.capture) if n == "N" else int(n) for p, n in made.items()}
        command = ("python", "data_utils/process.py", f"data/{job.name}/{job.name}.mp4", "--task", str(number))
        steps.append(Step(f"task {number}", "prepare", command, makes, then=fixes.get(pattern)))
    return steps


def audio_features(job: Job) -> list[Step]:
    """The extractor of the features that the training will open; those computed while loading need none."""
    if job.features not in EXTRACTORS:
        return []
    _, script = EXTRACTORS[job.features]
    command = ("python", *script, f"data/{job.name}/aud.wav")
    return [Step("audio features", "prepare", command, then=settle_features)]


def settle_features(job: Job) -> None:
    """Name the features as loaders do (DeepSpeech's extractor writes ``aud.npy``), one row a frame.

    Raises:
        FitFailed: there are none, or they are not what they should be.
    """
    name = EXTRACTORS[job.features][0]
    wanted, plain = job.data / name, job.data / "aud.npy"
    if not wanted.is_file() and plain.is_file():
        plain.rename(wanted)
    if not wanted.is_file():
        raise FitFailed("refused", f"missing {name}@audio features")
    features = np.load(wanted, allow_pickle=False)
    count = len(job.capture)
    if features.ndim < 2 or len(features) < count // 2 or not np.isfinite(features).all():
        raise FitFailed("refused", f"broken {name}@audio features")
    if len(features) < count:  # windows at the end of the sound are left out
        tail = np.repeat(features[-1:], count - len(features), axis=0)
        np.save(wanted, np.concatenate([features, tail]))


def check_tracking(job: Job) -> None:
    """See that the tracker followed every frame, and keeps finite.

    Raises:
        FitFailed: it did not.
    """
    import torch

    track: dict[str, Any] = torch.load(job.data / "track_params.pt", map_location="cpu", weights_only=True)
    followed = len(track["euler"])
    if followed != len(job.capture):
        raise FitFailed("refused", f"{followed} of {len(job.capture)} poses@tracking")
    if not all(torch.isfinite(track[name]).all() for name in ("euler", "trans", "focal")):
        raise FitFailed("refused", "nan@tracking")


def split_honestly(job: Job) -> None:
    """Share out the frames as the capture's split has them, and add ``au.csv``, which no task makes.

    Raises:
        FitFailed: frames are missing from the tables, or their poses are no numbers.
    """
    from vdf_bench.capture.layout import write_action_units

    files = {part: job.data / f"transforms_{part}.json" for part in ("train", "val")}
    tables = {part: json.loads(path.read_text()) for part, path in files.items()}
    frames = {frame["img_id"]: frame for table in tables.values() for frame in table["frames"]}
    split = job.capture.split
    for part, ids in (("train", split.train), ("val", split.heldout)):
        if not all(int(i) in frames for i in ids):
            raise FitFailed("refused", f"{len(frames)} of {len(job.capture)} poses@transforms")
        chosen = [frames[int(i)] for i in ids]
        if not np.isfinite([frame["transform_matrix"] for frame in chosen]).all():
            raise FitFailed("refused", "nan@transforms")
        files[part].write_text(json.dumps({**tables[part], "frames": chosen}, indent=2) + "\n")
    write_action_units(job.capture, job.data / "au.csv")


def train_and_render(job: Job, folder: str, first: int, total: int, patch: int) -> list[Step]:
    """The three runs of ``main.py`` that ER-NeRF and SyncTalk share: head, lips, test rendering.

    Args:
        job: the clip at work.
        folder: where the workspace lies.
        first: published steps of the head.
        total: those after which the lips are done too.
        patch: edge of the patches on which the lips are tuned.
    """
    workspace = f"{folder}/{job.name}"
    run: tuple[str, ...] = ("python", "main.py", f"data/{job.name}", "--workspace", workspace, "-O")
    run += ("--asr_model", job.features, "--seed", str(job.setting.seed))
    head, lips = (("--iters", str(job.steps(steps, total))) for steps in (first, total))
    saved, shown = {f"{workspace}/checkpoints/*.pth": None}, {nerf_video(job, folder): None}
    tune = ("--finetune_lips", "--patch_size", str(patch))

    def forget(job: Job) -> None:  # trainings render too; what counts is the rendering that follows
        shutil.rmtree(job.root / workspace / "results", ignore_errors=True)

    return [
        Step("train head", "train", (*run, *head), saved, BAR),
        Step("finetune lips", "train", (*run, *lips, *tune), saved, BAR, then=forget),
        # It evaluates after rendering, and crashes there on a frame in which it finds no face.
        Step("render", "drive", (*run, "--test"), shown, BAR, keeps=True),
    ]


def nerf_video(job: Job, folder: str) -> str:
    """What :func:`train_and_render` renders; ``*_depth.mp4`` lies beside it."""
    return f"{folder}/{job.name}/results/*[0-9].mp4"


def teeth_masks(job: Job) -> Step:
    """EasyPortrait's masks of the teeth, which TalkingGaussian and InsTaG take out of the face."""
    return Step(
        "teeth masks",
        "prepare",
        ("python", "./data_utils/easyportrait/create_teeth_mask.py", f"./data/{job.name}"),
        {f"data/{job.name}/teeth_mask/*.npy": len(job.capture)},
        count=BAR,
        environment={"PYTHONPATH": "./data_utils/easyportrait"},
        then=stretch_units,
    )


def stretch_units(job: Job) -> None:
    """Let training frames show closed eyes and a wide mouth.

    TalkingGaussian's curriculum draws frames until one has what it asks for, if need be for ever. OpenFace's units
    are scaled to the person; on a short clip our proxies may never reach the top, or only on held-out frames.
    """
    from vdf_bench.capture.layout import write_action_units

    write_action_units(job.capture, job.data / "au.csv", stretch=True)


#: What :func:`teeth_masks` needs.
TEETH_WEIGHT: Final = Weight(
    "data_utils/easyportrait/fpn-fp-512.pth",
    "wget 'https://rndml-team-cv.obs.ru-moscow-1.hc.sbercloud.ru/datasets/easyportrait/experiments/models/"
    "fpn-fp-512.pth' -O {repo}/data_utils/easyportrait/fpn-fp-512.pth",
)
