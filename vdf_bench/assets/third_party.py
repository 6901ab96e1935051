"""The register of weights that others publish: what each switches on, where it comes from, what it must be.

Nothing here ships, and nothing is fetched unasked: ``vdf-bench weights`` brings files into the user's folder
(:func:`vdf_bench.assets.folders.user_folder`), and every part of the benchmark looks for them through this register.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from vdf_bench.assets.folders import user_folder
from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

Form = Literal["onnx", "state-dict", "checkpoint", "bundle", "folder"]


@dataclass(frozen=True)
class ThirdParty:
    """Weights that a user may supply.

    Attributes:
        name: as of ``vdf-bench weights fetch NAME``.
        file: file or folder name in the user's folder.
        purpose: columns and components that they switch on.
        form: what the file must be: an ONNX graph, a state dict of plain tensors, a checkpoint (tables of tensors and
            numbers), a zip bundle, a model folder.
        licence: under which they are published.
        page: where they are described.
        url: direct download, https; empty where there is none that a program can use.
        limit: MiB that no genuine file exceeds.
        mib: size of the published file, rounded up; 0 where files differ.
        sha256: of the genuine file, in hex; may be the leading digits that the publisher prints in the file's name.
            Empty where none is known: then the first file that is taken is remembered, and later ones must equal it.
        member: name inside the zip archive at ``url``; empty where ``url`` is the file itself.
        loader: module that reads them.
    """

    name: str
    file: str
    purpose: str
    form: Form
    licence: str
    page: str
    url: str
    limit: int
    mib: int
    sha256: str
    loader: str
    member: str = ""

    @property
    def pinned(self) -> str:
        """What is known of the hash, in words."""
        if not self.sha256:
            return "not pinned"
        return "pinned" if len(self.sha256) == 64 else f"pinned to {len(self.sha256)} digits"


_TORCH: Final = "https://download.pytorch.org/models/"
_TABLE: Final = (
    ThirdParty("buffalo_l", "w600k_r50.onnx", "identity_arcface, dsr_identity on clips of real people", "onnx",
               "InsightFace's models: non-commercial research only", "https://github.com/deepinsight/insightface",
               "https://github.com/deepinsight/insightface/releases/download/v0.7/buffalo_l.zip", 512, 167,
               "4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43", "vdf_bench.models.arcface",
               member="w600k_r50.onnx"),
    ThirdParty("recogniser", "recogniser.onnx", "the same columns, by any ArcFace-like ONNX of yours; comes before "
               "buffalo_l", "onnx", "as of your file", "https://github.com/deepinsight/insightface/tree/master/model_zoo",
               "", 512, 0, "", "vdf_bench.models.arcface"),
    ThirdParty("alexnet", "alexnet-owt-7be5be79.pth", "lpips_alex, edit_lpips", "state-dict",
               "BSD-3-Clause (torchvision)",
               "https://docs.pytorch.org/vision/stable/models.html", _TORCH + "alexnet-owt-7be5be79.pth", 300, 234,
               "7be5be79", "vdf_bench.models.perceptual"),
    ThirdParty("vgg16", "vgg16-397923af.pth", "lpips_vgg, the feature term of vdf-official, impress", "state-dict",
               "BSD-3-Clause (torchvision)", "https://docs.pytorch.org/vision/stable/models.html",
               _TORCH + "vgg16-397923af.pth", 600, 528, "397923af", "vdf_bench.models.vgg"),
    ThirdParty("squeezenet", "squeezenet1_1-b8a52dc0.pth", "lpips_squeeze", "state-dict", "BSD-3-Clause (torchvision)",
               "https://docs.pytorch.org/vision/stable/models.html", _TORCH + "squeezenet1_1-b8a52dc0.pth", 16, 5,
               "b8a52dc0", "vdf_bench.models.perceptual"),
    ThirdParty("inception", "pt_inception-2015-12-05-6726825d.pth", "fid, fid_to_clean", "state-dict",
               "Apache-2.0 (pytorch-fid)", "https://github.com/mseitzer/pytorch-fid",
               "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
               "pt_inception-2015-12-05-6726825d.pth", 128, 92, "6726825d", "vdf_bench.judges.distribution"),
    ThirdParty("syncnet", "syncnet_v2.model", "sync_c, sync_d", "state-dict",
               "MIT code; the weights' page asks to cite Chung and Zisserman 2016",
               "https://www.robots.ox.ac.uk/~vgg/software/lipsync/",
               "https://www.robots.ox.ac.uk/~vgg/software/lipsync/data/syncnet_v2.model", 80, 53,
               "961e8696f888fce4f3f3a6c3d5b3267cf5b343100b238e79b2659bff2c605442", "vdf_bench.models.syncnet"),
    ThirdParty("bisenet", "79999_iter.pth", "the parser bisenet, which the official pipelines run", "state-dict",
               "MIT code; trained on CelebAMask-HQ, which is for non-commercial research",
               "https://github.com/zllrunning/face-parsing.PyTorch", "", 80, 51,
               "468e13ca13a9b43cc0881a9f99083a430e9c0a38abd935431d1c28ee94b26567", "vdf_bench.parsers.network"),
    ThirdParty("face_landmarker", "face_landmarker.task", "--set arcface.align=mediapipe, with the extra mediapipe",
               "bundle", "Apache-2.0", "https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker",
               "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
               "face_landmarker.task", 16, 4, "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
               "vdf_bench.models.face_mesh"),
    ThirdParty("stable-diffusion-v1", "stable-diffusion-v1", "defenses and purifiers that run Stable Diffusion 1.x",
               "folder", "CreativeML Open RAIL-M", "https://github.com/CompVis/stable-diffusion", "", 8192, 0, "",
               "vdf_bench.models.stable_diffusion"),
    ThirdParty("stable-diffusion-x4-upscaler", "stable-diffusion-x4-upscaler", "the purifier noisy-upscale", "folder",
               "CreativeML Open RAIL++-M", "https://github.com/Stability-AI/stablediffusion", "", 8192, 0, "",
               "vdf_bench.purifiers.diffusion.upscale"),
    ThirdParty("pixel-diffusion", "pixel-diffusion", "the purifiers diffpure and grid-pure", "folder",
               "as of your model", "https://huggingface.co/docs/diffusers", "", 8192, 0, "", "vdf_bench.models.pixels"),
    ThirdParty("stargan", "stargan-G.ckpt", "the editor stargan", "state-dict", "MIT code; trained on CelebA, which is "
               "for non-commercial research", "https://github.com/yunjey/stargan", "", 128, 0, "",
               "vdf_bench.victims.editors.official.stargan"),
    ThirdParty("attgan", "attgan-weights.pth", "the editor attgan", "checkpoint", "MIT code; trained on CelebA, which "
               "is for non-commercial research", "https://github.com/elvisyjlin/AttGAN-PyTorch", "", 2048, 0, "",
               "vdf_bench.victims.editors.official.attgan"),
    ThirdParty("hisd", "hisd-gen.pt", "the editor hisd", "checkpoint", "for non-commercial use: see its page",
               "https://github.com/imlixinyang/HiSD", "", 2048, 0, "", "vdf_bench.victims.editors.official.hisd"),
    ThirdParty("attentiongan", "attentiongan-G.ckpt", "the editor attentiongan", "state-dict", "for non-"
               "commercial use: see its page", "https://github.com/Ha0Tang/AttentionGAN", "", 128, 0, "",
               "vdf_bench.victims.editors.official.attentiongan"),
)  # fmt: skip

#: Everything that a user may supply, by name.
THIRD_PARTY: Final[dict[str, ThirdParty]] = {entry.name: entry for entry in _TABLE}


def entry_of(name: str) -> ThirdParty:
    """The register's entry of a name, or of a file name.

    Raises:
        UserError: there is none.
    """
    found = THIRD_PARTY.get(name) or next((entry for entry in _TABLE if entry.file == name), None)
    if found is None:
        from vdf_bench.core.registry import suggest

        raise UserError(f"unknown third-party weights {name!r}: {suggest(name, list(THIRD_PARTY))}")
    return found


def path_of(name: str, folder: Path | None = None) -> Path:
    """Where the weights are looked for; they need not be there."""
    return (folder or user_folder()) / entry_of(name).file


def present(name: str) -> bool:
    """Whether the weights lie in the user's folder."""
    path = path_of(name)
    return path.is_dir() if entry_of(name).form == "folder" else path.is_file()


def how_to_get(name: str) -> str:
    """The command that brings the weights, in words."""
    entry = entry_of(name)
    if entry.url:
        return f"`vdf-bench weights fetch {entry.name}`"
    what = "FOLDER" if entry.form == "folder" else "FILE"
    return f"`vdf-bench weights add {entry.name} {what}` (see {entry.page})"


def check_size(name: str, path: Path) -> None:
    """Refuse a file before anything parses it.

    Raises:
        UserError: it is larger than the genuine one can be.
    """
    entry = entry_of(name)
    if path.stat().st_size > entry.limit * 2**20:
        raise UserError(
            f"{path} is larger than the {entry.limit} MiB that {entry.name} can have: check that it is the right file"
        )
