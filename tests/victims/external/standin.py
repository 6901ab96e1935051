"""Stands in for the official checkouts: their files, command lines and output locations, and none of their methods.

Copied into each stand-in checkout, where every official script is a stub that calls :func:`run` with its own path.
``fate.json`` beside it says which step fails and how, each in a way that is documented of the originals.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRIPTS = {
    "er-nerf": ["main.py", "nerf_triplane/provider.py"],
    "synctalk": ["main.py", "nerf_triplane/provider.py", "data_utils/blendshape_capture/main.py"],
    "talkinggaussian": ["train_mouth.py", "train_face.py", "train_fuse.py", "synthesize_fuse.py"],
    "instag": ["scripts/train_xx_few.sh", "synthesize_fuse.py", "data_utils/split.py", "data_utils/sapiens/run.sh"],
    "gaussiantalker": ["train.py", "render.py", "arguments/64_dim_1_transformer.py"],
    "mimictalk": ["inference/train_mimictalk_on_a_video.py", "inference/mimictalk_infer.py", "modules/real3d/net.py"],
}
LINEAGE = [
    "data_utils/process.py",
    "data_utils/deepspeech_features/extract_ds_features.py",
    "data_utils/wav2vec.py",
    "data_utils/hubert.py",
    "data_utils/easyportrait/create_teeth_mask.py",
]
STUB = """import sys
from pathlib import Path
sys.path.insert(0, str(Path(__file__).resolve().parents[{depth}]))
import standin
standin.run({script!r})
"""


def build(system, folder, fate=None):
    """Make the checkout of ``system`` in ``folder``; ``fate`` maps steps to how they fail."""
    scripts = [*SCRIPTS[system], *([] if system == "mimictalk" else LINEAGE)]
    for script in scripts:
        path = folder / script
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".sh":
            path.write_text(f"python {script.replace('.sh', '.py')} $@\n")
            path, script = path.with_suffix(".py"), script.replace(".sh", ".py")
        path.write_text(STUB.format(depth=len(Path(script).parts) - 1, script=script))
    shutil.copy(__file__, folder / "standin.py")
    (folder / "fate.json").write_text(json.dumps({"system": system, **(fate or {})}))


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def bar(done, total, extra=""):
    sys.stderr.write(f"\rTraining progress: {100 * done // total}%|##  | {done}/{total} [00:01<00:02, 99.9it/s{extra}]")
    sys.stderr.flush()


def meet_fate(step):
    """Fail as ``fate.json`` has it; True where the step must end well and make nothing."""
    what = json.loads((HERE / "fate.json").read_text()).get(step)
    if what == "no_face":
        len(None)
    elif what == "empty":
        raise ValueError("Found array with 0 sample(s) (shape=(0, 2)) while a minimum of 1 is required")
    elif what == "no_blendshape":
        face_blendshapes = []
        face_blendshapes[0]
    elif what == "lost":
        next(Path("data").glob("clip*/aud_ds.npy")).unlink()
    elif what == "crash":
        raise RuntimeError("shape mismatch")
    elif what == "memory":
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
    elif what == "import":
        raise ModuleNotFoundError("No module named 'gridencoder'")
    elif what == "nan":
        for i in range(40):
            bar(i + 1, 5000, ", Loss=nan")
    elif what in ("hang", "deaf", "brood"):
        if what == "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if what == "brood":  # one child in the group, one that left it
            for session in (False, True):
                subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=session)
        for i in (1190, 1200):
            bar(i, 5000)
        while True:  # as where no mouth lies in the window
            time.sleep(0.05)
    elif what == "babble":
        while True:
            bar(1200, 5000)
            time.sleep(0.02)
    elif what == "exec":
        say("loss is nan,end training, reexecv program now.")
        os.execv(sys.executable, [sys.executable, *sys.argv])
    return what == "nothing"


def arguments(*names, **options):
    """The command line, which may hold these and nothing else: ``--x=`` takes a value, ``--x`` none."""
    parser = argparse.ArgumentParser()
    for name in names:
        if name.startswith("-") and not name.endswith("="):
            parser.add_argument(name, action="store_true")
        else:
            parser.add_argument(name.rstrip("="))
    return parser.parse_args()


def write_video(path, frames, size=None):
    import av
    import numpy as np
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        for index, frame in enumerate(frames):
            if size is not None:
                frame = np.asarray(Image.fromarray(frame).resize((size, size)))
            if index == 0:
                stream.height, stream.width = frame.shape[:2]
                stream.pix_fmt, stream.options = "yuv444p", {"crf": "12"}
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        container.mux(stream.encode(None))


def read_video(path):
    import av

    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def render(folder, target, step):
    """The held-out frames of ``folder`` as they should look; too few if fate wills."""
    import numpy as np
    from PIL import Image

    ids = [frame["img_id"] for frame in json.loads((folder / "transforms_val.json").read_text())["frames"]]
    few = json.loads((HERE / "fate.json").read_text()).get(step) == "few"
    frames = [np.asarray(Image.open(folder / "gt_imgs" / f"{i}.jpg")) for i in (ids[:-4] if few else ids)]
    write_video(target, frames)


def load(folder, features, masks=False):
    """What every loader of the lineage opens."""
    import numpy as np
    from PIL import Image

    table = json.loads((folder / "transforms_train.json").read_text())
    sound = {"deepspeech": "aud_ds.npy", "esperanto": "aud_eo.npy", "hubert": "aud_hu.npy", "ave": "aud.wav"}[features]
    count = len(list((folder / "ori_imgs").glob("*.jpg")))
    if sound.endswith(".npy"):
        assert len(np.load(folder / sound)) >= count
    else:
        (folder / sound).stat()
    header = (folder / "au.csv").read_text().split("\n")[0].split(",")
    assert " AU45_r" in header
    units = np.loadtxt(folder / "au.csv", delimiter=",", skiprows=1)[:, -2:]
    if masks:  # or sampling never ends
        lips, blink = np.minimum(units, [np.percentile(units[:, 0], 95), 2]).T
        train = [frame["img_id"] for frame in table["frames"]]
        assert blink[train].max() == 2 and lips[train].max() == lips.max()
    for frame in table["frames"]:
        index = frame["img_id"]
        np.loadtxt(folder / "ori_imgs" / f"{index}.lms")
        assert Image.open(folder / "torso_imgs" / f"{index}.png").mode == "RGBA"
        assert np.shape(frame["transform_matrix"]) == (4, 4)
        if masks:
            assert " AU25_r" in header and np.load(folder / "teeth_mask" / f"{index}.npy").dtype == bool


def run(script):
    system = json.loads((HERE / "fate.json").read_text())["system"]
    name = script if script != "main.py" else system
    {
        "data_utils/process.py": process,
        "data_utils/deepspeech_features/extract_ds_features.py": lambda: extract("--input=", "aud.npy", (16, 29)),
        "data_utils/wav2vec.py": lambda: extract("--wav=", "aud_eo.npy", (16, 44)),
        "data_utils/hubert.py": lambda: extract("--wav=", "aud_hu.npy", (2, 1024)),
        "data_utils/easyportrait/create_teeth_mask.py": teeth,
        "data_utils/blendshape_capture/main.py": blendshapes,
        "data_utils/sapiens/run.py": sapiens,
        "er-nerf": nerf,
        "synctalk": nerf,
        "train_mouth.py": lambda: branch("mouth"),
        "train_face.py": lambda: branch("face"),
        "train_fuse.py": lambda: branch("fuse"),
        "synthesize_fuse.py": synthesize,
        "scripts/train_xx_few.py": adapt,
        "train.py": gaussian_train,
        "render.py": gaussian_render,
        "inference/train_mimictalk_on_a_video.py": mimic_train,
        "inference/mimictalk_infer.py": mimic_render,
    }[name]()


def process():
    import numpy as np
    from PIL import Image

    told = arguments("path", "--task=")
    task, folder = int(told.task), Path(told.path).parent
    system = json.loads((HERE / "fate.json").read_text())["system"]
    if meet_fate(f"task {task}"):
        return
    what = ["audio", "features", "images", "parsing", "plate", "torso", "landmarks", "tracking", "transforms"]
    if system == "synctalk":
        what = ["audio", "images", "parsing", "plate", "torso", "landmarks", "tracking", "flow", "eyes", "transforms"]
    what = what[task - 1]
    for name in ("ori_imgs", "parsing", "gt_imgs", "torso_imgs", "face_mask"):
        (folder / name).mkdir(exist_ok=True)
    frames = sorted((folder / "ori_imgs").glob("*.jpg"), key=lambda path: int(path.stem))
    if what == "audio":
        (folder / "aud.wav").write_bytes(b"RIFF")
    elif what == "images":
        for i, frame in enumerate(read_video(told.path)):
            Image.fromarray(frame).save(folder / "ori_imgs" / f"{i}.jpg", quality=95)
    elif what == "parsing":
        for path in frames:
            for suffix in ("", "_face") if system == "synctalk" else ("",):
                Image.new("RGB", (8, 8)).save(folder / "parsing" / f"{path.stem}{suffix}.png")
    elif what == "plate":
        shutil.copy(frames[0], folder / "bc.jpg")
    elif what == "torso":
        for path in frames:
            shutil.copy(path, folder / "gt_imgs")
            Image.new("RGBA", (8, 8)).save(folder / "torso_imgs" / f"{path.stem}.png")
            Image.new("RGB", (8, 8)).save(folder / "face_mask" / f"{path.stem}.png")
    elif what == "landmarks":
        for path in frames:
            np.savetxt(path.with_suffix(".lms"), np.full((68, 2), 4.0))
    elif what in ("tracking", "flow"):
        shutil.copy(
            HERE / "track_params.pt", folder / ("track_params.pt" if task != 8 or system != "synctalk" else "b")
        )
        (folder / "bundle_adjustment.pt").write_bytes(b"x")
    elif what == "eyes":
        np.save(folder / "bs.npy", np.zeros((len(frames), 52)))
    else:
        cut = len(frames) * 10 // 11
        for part, ids in (("train", range(cut)), ("val", range(cut, len(frames)))):
            table = [{"img_id": i, "aud_id": i, "transform_matrix": np.eye(4).tolist()} for i in ids]
            content = {"focal_len": 60.0, "cx": 16.0, "cy": 16.0, "frames": table}
            (folder / f"transforms_{part}.json").write_text(json.dumps(content))


def extract(option, name, shape):
    import numpy as np

    told = arguments(option, "--save_feats")
    if meet_fate("audio features"):
        return
    sound = Path(told.input if option == "--input=" else told.wav)
    count = len(list((sound.parent / "ori_imgs").glob("*.jpg")))
    np.save(sound.parent / name, np.zeros((count - 2, *shape), np.float32))  # its windows end before the sound does


def teeth():
    import numpy as np

    folder = Path(arguments("path").path)
    assert os.environ["PYTHONPATH"] == "./data_utils/easyportrait"
    (folder / "teeth_mask").mkdir()
    for path in (folder / "ori_imgs").glob("*.jpg"):
        np.save(folder / "teeth_mask" / f"{path.stem}.npy", np.zeros((8, 8), bool))


def blendshapes():
    import numpy as np

    folder = Path(arguments("--path=").path)
    if not meet_fate("blendshapes"):
        np.save(folder / "bs.npy", np.zeros((len(list((folder / "ori_imgs").glob("*.jpg"))), 52)))


def sapiens():
    assert (Path(arguments("path").path) / "ori_imgs").is_dir()


def nerf():
    told = arguments(
        "path",
        "-O",
        "--workspace=",
        "--asr_model=",
        "--seed=",
        "--iters=",
        "--finetune_lips",
        "--patch_size=",
        "--test",
    )
    folder, workspace = Path(told.path), Path(told.workspace)
    step = "render" if told.test else "finetune lips" if told.finetune_lips else "train head"
    if meet_fate(step):
        return
    load(folder, told.asr_model)
    say("==> Start Training Epoch 1, lr=0.010000 ...")
    if not told.test:
        for i in range(0, int(told.iters) + 1, max(1, int(told.iters) // 5)):
            bar(i, int(told.iters), ", loss=0.01")
        (workspace / "checkpoints").mkdir(parents=True, exist_ok=True)
        (workspace / "checkpoints" / "ngp.pth").write_bytes(b"x")
    else:
        (workspace / "checkpoints" / "ngp.pth").stat()
    render(folder, workspace / "results" / "ngp_ep0012.mp4", step)
    shutil.copy(workspace / "results" / "ngp_ep0012.mp4", workspace / "results" / "ngp_ep0012_depth.mp4")
    if json.loads((HERE / "fate.json").read_text()).get("evaluation") == step:
        raise AssertionError("No faces were detected.")


def branch(name):
    told = arguments(
        "-s=", "-m=", "--audio_extractor=", "--iterations=", "--init_num=", "--densify_grad_threshold=", "--opacity_lr="
    )
    if meet_fate(f"train {name}"):
        return
    load(Path(told.s), told.audio_extractor, masks=True)
    out = Path(told.m)
    out.mkdir(parents=True, exist_ok=True)
    for needed in ("face", "mouth") if name == "fuse" else ():
        (out / f"chkpnt_{needed}_latest.pth").stat()
    bar(10, 50_000)
    (out / f"chkpnt_{name}_latest.pth").write_bytes(b"x")


def adapt():
    told = arguments("data", "out", "gpu")
    if meet_fate("adapt"):
        return
    load(Path(told.data), "ave", masks=True)
    (HERE / "output" / "pretrain_ave" / "chkpnt_ema_face_latest.pth").stat()
    Path(told.out).mkdir(parents=True, exist_ok=True)
    for name in ("face", "mouth", "fuse"):
        (Path(told.out) / f"chkpnt_{name}_latest.pth").write_bytes(b"x")


def synthesize():
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", "-S", dest="s")
    parser.add_argument("-m", "-M", dest="m")
    parser.add_argument("--audio_extractor")
    parser.add_argument("--eval", action="store_true")
    told = parser.parse_args()
    assert told.eval
    if not meet_fate("render"):
        (Path(told.m) / "chkpnt_fuse_latest.pth").stat()
        render(Path(told.s), Path(told.m) / "test" / "ours_None" / "renders" / "out.mp4", "render")


def gaussian_train():
    told = arguments("-s=", "--model_path=", "--configs=", "--port=")
    assert Path(told.configs).is_file() and 1024 <= int(told.port) < 65536
    say(f"Optimizing {told.model_path}")
    if meet_fate("train"):
        return
    load(Path(told.s), "deepspeech")
    steps = Path(told.configs).read_text()
    fine = int(steps.partition("dict(iterations=")[2].partition(",")[0]) if "dict(iterations=" in steps else 10_000
    bar(fine, fine)
    cloud = Path(told.model_path) / "point_cloud" / f"iteration_{fine}"
    cloud.mkdir(parents=True)
    (cloud / "point_cloud.ply").write_bytes(b"x")


def gaussian_render():
    told = arguments("-s=", "--model_path=", "--configs=", "--iteration=", "--batch=", "--skip_train")
    if meet_fate("render"):
        return
    data, model = Path(told.s), Path(told.model_path)
    (model / "point_cloud" / f"iteration_{told.iteration}" / "point_cloud.ply").stat()
    shown = model / "test" / f"ours_{told.iteration}" / "renders"
    render(data, shown / "renders.mp4", "render")
    if (data / "aud_novel.wav").is_file():  # what was muxed is kept, what was rendered is not
        shutil.copy(shown / "renders.mp4", shown / f"{told.model_path.split('/')[-2]}_test_renders.mov")
    (shown / "renders.mp4").unlink()


def mimic_train():
    told = arguments("--video_id=", "--max_updates=", "--work_dir=")
    if meet_fate("train"):
        return
    name = Path(told.video_id).stem
    for folder in ("data/raw/videos", "data/processed/videos"):
        (Path(folder) / name).mkdir(parents=True)
    assert len(read_video(told.video_id)) > 8
    Path(told.work_dir).mkdir(parents=True, exist_ok=True)
    (Path(told.work_dir) / f"model_ckpt_steps_{told.max_updates}.ckpt").write_bytes(b"x")


def mimic_render():
    import wave

    told = arguments(
        "--torso_ckpt=", "--drv_aud=", "--drv_pose=", "--drv_style=", "--bg_img=", "--map_to_init_pose=",
        "--out_mode=", "--out_name=", "--seed=",
    )  # fmt: skip
    if meet_fate("render"):
        return
    assert told.out_mode == "final" and Path(told.bg_img).is_file() and Path(told.drv_style).is_file()
    with wave.open(told.drv_aud) as sound:
        count = sound.getnframes() * 25 // sound.getframerate() - 3
    poses = read_video(told.drv_pose)
    write_video(Path(told.out_name), [poses[min(i, len(poses) - 1)] for i in range(count)], size=64)
