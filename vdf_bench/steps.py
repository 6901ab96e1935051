"""The arrows of the story: clip, protect, purify, capture, fit, drive, judge. Each is a pure function.

A step's function takes its parameters and the artifacts of the steps before it, and returns an artifact. Nothing
else may influence the result: what it reads must be in its key (see :mod:`vdf_bench.plan`). Beside its parameters a
step finds what its worker offers (:mod:`vdf_bench.execute.worker`): ``scratch``, a file for checkpoints, and ``tell``.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vdf_bench import registry
from vdf_bench.errors import UserError
from vdf_bench.packing import pack_clip, pack_rendering, unpack_clip, unpack_rendering
from vdf_bench.store import Artifact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from vdf_bench.capture import Capture, Policy
    from vdf_bench.capture.parsing import FrameParser
    from vdf_bench.clip import Clip
    from vdf_bench.interfaces import EditorModel, Edits, Evidence, Setting

#: Frames of a rendered clip of which nobody says how long it is.
WHOLE = 250

Params = dict[str, Any]
Inputs = dict[str, Artifact]


def clip_step(params: Params, inputs: Inputs) -> Artifact:
    """Render a named clip, or decode a file: square, 25 fps, at the preset's size and length."""
    del inputs
    name, size, frames = params["clip"], params["size"], params["frames"]
    if frames == 1 and clip_provider(name) is None:
        return pack_clip(load_picture(name, size))
    if "exact" not in params:
        return pack_clip(load_clip(name, size, frames))
    # Another length is another performance of a rendered person, so shorter ones are cut from a common longer one.
    whole = load_clip(name, size, frames if clip_provider(name) is None else max(frames, WHOLE))
    if len(whole) < frames:
        raise UserError(f"clip {params['exact']!r}: there are only {len(whole)} frames: ask for fewer")
    return pack_clip(whole.first(frames))


def load_clip(name: str, size: int, frames: int | None) -> Clip:
    """A clip by registered name or by path, cut to ``frames`` (None: all of it).

    Raises:
        UserError: unknown name, or a file that cannot serve.
    """
    provider = clip_provider(name)
    if provider is not None:
        loaded: Clip = registry.create("clips", provider).load(name, size=size, frames=frames or WHOLE)
        return loaded
    from vdf_bench.capture.face import face_finder
    from vdf_bench.models.landmarker import load_landmarker
    from vdf_bench.video import load_clip as decode

    return decode(Path(name), size=size, max_frames=frames, find_face=face_finder(load_landmarker()))


def load_picture(name: str, size: int) -> Clip:
    """One portrait out of a picture file, or the first frame of a video.

    Raises:
        UserError: a file that cannot serve.
    """
    from vdf_bench.capture.face import face_finder
    from vdf_bench.models.landmarker import load_landmarker
    from vdf_bench.video.still import load_still

    return load_still(Path(name), size, face_finder(load_landmarker()))


def clip_provider(name: str) -> str | None:
    """The entry point that offers the clip ``name``; None where it is a file's path."""
    for provider in registry.names("clips"):
        if name in registry.create("clips", provider).names():
            return provider
    return None


def protect_step(params: Params, inputs: Inputs) -> Artifact:
    """Run a defense over the clip, or a first share of it; its record and its seconds a frame go beside the frames."""
    from vdf_bench.enforce import Published

    defense = registry.load("defenses", params["defense"]).configured(params["parameters"])
    clip = unpack_clip(inputs["clip"])
    prepared = inputs["prepared"].arrays if "prepared" in inputs else None
    setting = _setting(params, clip.size, fps=clip.fps, prepared=prepared, **_lent(params))
    count = max(1, round(params.get("share", 1.0) * len(clip)))
    published = Published(defense, to_tensors(clip.frames[:count]), setting)
    frames = np.concatenate([_stack(published), clip.frames[count:]])
    return Artifact({"frames": frames}, {"log": published.log(), "seconds": published.seconds})


def submitted_step(params: Params, inputs: Inputs) -> Artifact:
    """Frames that somebody else protected and published, as they were checked; nothing is known of their making."""
    from vdf_bench.leaderboard.frames import frames_digest

    frames = np.load(params["file"], allow_pickle=False)
    clean = inputs["clip"].arrays["frames"]
    if frames.shape != clean.shape or frames.dtype != clean.dtype or frames_digest(frames) != params["sha256"]:
        raise UserError(f"{params['file']} does not hold the frames that were checked: verify again")
    return Artifact({"frames": frames}, {"log": {}, "seconds": []})


def prepare_step(params: Params, inputs: Inputs) -> Artifact:
    """What a defense makes beforehand, once for all clips."""
    del inputs
    defense = registry.load("defenses", params["defense"]).configured(params["parameters"])
    return Artifact(dict(defense.prepare(_setting(params, params["size"], **_lent(params)))))


def _lent(params: Params) -> dict[str, Any]:
    """The network that a defense may differentiate, as :class:`vdf_bench.interfaces.Setting` names it."""
    from vdf_bench.models.parser import load_parser

    if "editor" in params:
        return {"editor": load_editor(params["editor"])}
    return {"surrogate": load_parser(params["surrogate"])}


def floor_step(params: Params, inputs: Inputs) -> Artifact:
    """Scale what a defense published within its bound until every frame meets the floor; its record stays with it."""
    from vdf_bench.budget import Budget
    from vdf_bench.enforce import meet_floor

    clip, bounded = unpack_clip(inputs["clip"]), inputs["bounded"]
    pairs = zip(to_tensors(clip.frames), to_tensors(bounded.arrays["frames"]), strict=True)
    found = [meet_floor(clean, frame, Budget(params["linf"], params["floor"])) for clean, frame in pairs]
    log = {**bounded.meta["log"], "kept": [kept for _, kept in found]}
    return Artifact({"frames": _stack(frame for frame, _ in found)}, {"log": log, "seconds": bounded.meta["seconds"]})


def purify_step(params: Params, inputs: Inputs) -> Artifact:
    """Send the published frames through a purifier chain."""
    from vdf_bench.chain import build_chain

    clip = unpack_clip(inputs["clip"])
    purifier = build_chain(params["chain"], params["overrides"])
    setting = replace(_setting(params, clip.size, fps=clip.fps), clean=lambda: to_tensors(clip.frames))
    return Artifact({"frames": _stack(purifier.purify(to_tensors(inputs["frames"].arrays["frames"]), setting))})


def harden_step(params: Params, inputs: Inputs) -> Artifact:
    """Teach an attacker's parser on clips of other people, protected by the defense that it is to see through."""
    from vdf_bench.models.finetune import finetune
    from vdf_bench.models.parser import load_parser

    def stacked(role: str) -> NDArray[np.uint8]:
        return np.concatenate([inputs[name].arrays["frames"] for name in sorted(inputs) if name.startswith(role)])

    parser = load_parser(params["parser"])
    finetune(parser, stacked("clip."), stacked("protected."), params["seed"])
    return Artifact({name: weight.numpy() for name, weight in parser.network.state_dict().items()}, {})


def capture_step(params: Params, inputs: Inputs) -> Artifact:
    """Preprocess what the attacker has; a refusal is a result, with its code."""
    from vdf_bench.capture.parsers import attacker_parser
    from vdf_bench.interfaces import CaptureRefused

    frames, audio = inputs["frames"].arrays["frames"], inputs["clip"].arrays["audio"]
    view = inputs["view"].arrays["frames"] if "view" in inputs else None
    chosen = {name: params[name] for name in ("scale", "kernel", "vote") if name in params}
    taught = inputs["parser"].arrays if "parser" in inputs else None
    parser = attacker_parser(params["parser"], **chosen, weights=taught)
    try:
        captured = capture_frames(frames, audio, parser, params["policy"], params.get("poison"), view)
        return Artifact(captured.to_arrays(), {})
    except CaptureRefused as refusal:
        return Artifact({}, {"refused": refusal.code})


def capture_frames(
    frames: NDArray[np.uint8],
    audio: NDArray[np.float32],
    parser: FrameParser,
    policy: Policy,
    poison: tuple[str, int] | None = None,
    view: NDArray[np.uint8] | None = None,
) -> Capture:
    """Capture with a parser, and with the networks that ship for all else.

    Args:
        frames: (T, S, S, 3) uint8 RGB, as the attacker has them.
        audio: (N,) float32 mono at 16 kHz; empty where there is none.
        parser: the face parser.
        policy: what happens to frames in which no face is found.
        poison: a probe's damage, by name and seed; see :mod:`vdf_bench.capture.poison`.
        view: like ``frames``: what parser and landmarker look at instead.

    Raises:
        CaptureRefused: the pipeline stopped, with a code.
    """
    from vdf_bench.capture.pipeline import capture_clip
    from vdf_bench.models.face_shape import load_face_shape
    from vdf_bench.models.landmarker import load_landmarker

    if poison is not None:
        from vdf_bench.capture.poison import POISONS, PoisonedParser, add_noise

        name, seed = poison
        frames = add_noise(frames, POISONS[name], seed)
        view = None if view is None else add_noise(view, POISONS[name], seed)
        parser = PoisonedParser(parser, POISONS[name], seed)
    return capture_clip(frames, audio, parser, load_landmarker(), load_face_shape(), policy, view=view)


def fit_step(params: Params, inputs: Inputs) -> Artifact:
    """Train a victim on a capture; divergence and time-outs are results, with their codes."""
    from vdf_bench.interfaces import FitFailed, FitSetting

    if "refused" in inputs["capture"].meta:
        return Artifact({}, {"outcome": "refused", "code": inputs["capture"].meta["refused"]})
    victim = registry.load("victims", params["victim"]).configured(params["parameters"])
    setting = FitSetting(
        target=params["target"],
        seed=params["seed"],
        iterations=params["iterations"],
        timeout=params["timeout"],
        scale=params["scale"],
        device=params["device"],
        scratch=params.get("scratch"),
        tell=params.get("tell"),
    )
    try:
        head = victim.fit(_capture(inputs["capture"]), setting)
    except FitFailed as failure:
        return Artifact({}, {"outcome": failure.outcome, "code": failure.code})
    notes = list(getattr(head, "notes", ()))
    return Artifact(dict(head.state()), {"outcome": "trained", "code": "", "notes": notes})


#: Below this cross-validated correlation a voice does not tell how the mouth opens, and landmarks drive instead.
AUDIO_DRIVE_R = 0.6


def drive_step(params: Params, inputs: Inputs) -> Artifact:
    """Let the clone speak the held-out part of the clip, over the attacker's own captured poses and torso.

    Sound and, where landmarks drive, lips and lids are the driver's performance, which nobody protected: they come
    from the clean clip. How sound moves the lips was learnt from the protected one.
    """
    from vdf_bench.interfaces import Drive

    record = {key: inputs["head"].meta[key] for key in ("outcome", "code")}
    if record["outcome"] != "trained":
        return Artifact({}, record)
    victim = registry.load("victims", params["victim"]).configured(params["parameters"])
    capture = _capture(inputs["capture"])
    # A refused clean twin leaves nothing better than the attacker's own landmarks.
    performed = capture if "refused" in inputs["clean_capture"].meta else _capture(inputs["clean_capture"])
    held = capture.split.heldout
    by = params["drive"]
    if by == "auto":  # both twins must be driven alike, so the clean capture decides
        by = "audio" if performed.scalars["audio_r"] >= AUDIO_DRIVE_R else "landmarks"
    mouth = capture.mouth_audio if by == "audio" else performed.mouth
    pose = type(capture.pose)(capture.pose.rotation[held], capture.pose.translation[held], capture.pose.focal)
    drive = Drive(
        pose=pose,
        mouth=mouth[held],
        eyes=performed.eyes[held],
        backdrop=capture.backdrop(held),
        device=params["device"],
    )
    head = victim.restore(inputs["head"].arrays)
    return pack_rendering(head.render(drive), {**record, "drive": getattr(head, "driven_by", by)})


def load_editor(victim: Params, device: str = "cpu") -> EditorModel:
    """An attribute editor from its name and parameters."""
    editor = registry.load("victims", victim["victim"]).configured(victim["parameters"])
    model: EditorModel = editor.load(device)
    return model


def edit_step(params: Params, inputs: Inputs) -> Artifact:
    """Let an attribute editor make every change that it knows to the first frame."""
    import torch

    model = load_editor(params, params["device"])
    picture = next(to_tensors(inputs["frames"].arrays["frames"]))[None].to(params["device"])
    with torch.no_grad():
        made = [model.edit(picture, edit)[0].cpu() for edit in model.edits]
    return Artifact({"edits": _stack(made)}, {"names": list(model.edits), "outcome": "edited", "code": ""})


def judge_step(params: Params, inputs: Inputs) -> Artifact:
    """Measure one stage of one cell."""
    from vdf_bench.judges import judge_all
    from vdf_bench.judges.outcome import classify

    evidence = _evidence(inputs, params["seconds"], params["peak_mib"])
    judges = [registry.load("judges", name).configured(values) for name, values in params["judges"]]
    rows = [asdict(row) for row in judge_all(evidence, judges, params["stage"])]
    outcome, code = classify(evidence) if params["stage"] == "clone" else (evidence.outcome, evidence.code)
    drive = inputs["rendering"].meta.get("drive", "") if "rendering" in inputs else ""
    return Artifact({}, {"rows": rows, "outcome": outcome, "code": code, "drive": drive})


STEPS: dict[str, Callable[[Params, Inputs], Artifact]] = {
    "clip": clip_step,
    "prepare": prepare_step,
    "protect": protect_step,
    "submitted": submitted_step,
    "floor": floor_step,
    "purify": purify_step,
    "harden": harden_step,
    "capture": capture_step,
    "fit": fit_step,
    "drive": drive_step,
    "edit": edit_step,
    "judge": judge_step,
}


def _stack(frames: Iterable[Tensor]) -> NDArray[np.uint8]:
    return np.stack([to_bytes(frame) for frame in frames])


def _setting(params: Params, size: int, **more: Any) -> Setting:
    from vdf_bench.budget import Budget
    from vdf_bench.interfaces import Setting

    budget = Budget(params.get("linf", 0.0), params.get("floor", 0.0))
    return Setting(budget=budget, size=size, seed=params["seed"], **more)


def to_tensors(frames: NDArray[np.uint8]) -> Iterator[Tensor]:
    """(T, S, S, 3) uint8 to (3, S, S) float32 in [0, 1], a frame at a time."""
    import torch

    for frame in frames:
        yield torch.from_numpy(np.ascontiguousarray(frame.transpose(2, 0, 1))).float() / 255


def to_bytes(frame: Tensor) -> NDArray[np.uint8]:
    """(3, S, S) float in [0, 1] to (S, S, 3) uint8."""
    picture: NDArray[np.uint8] = (frame * 255).round().clamp(0, 255).byte().permute(1, 2, 0).contiguous().numpy()
    return picture


def _capture(artifact: Artifact) -> Capture:
    from vdf_bench.capture import Capture

    return Capture.from_arrays(artifact.arrays)


def _edits(artifact: Artifact | None) -> Edits | None:
    from vdf_bench.interfaces import Edits

    return None if artifact is None else Edits(tuple(artifact.meta["names"]), artifact.arrays["edits"])


def _evidence(inputs: Inputs, seconds: dict[str, str], peak: dict[str, str]) -> Evidence:
    from vdf_bench.clip import split_frames
    from vdf_bench.interfaces import Evidence

    clip = unpack_clip(inputs["clip"])
    head = inputs["head"].meta if "head" in inputs else {}
    captured = {
        role: _capture(inputs[role])
        for role in ("capture", "clean_capture")
        if role in inputs and "refused" not in inputs[role].meta
    }
    refused = "capture" in inputs and "refused" in inputs["capture"].meta
    return Evidence(
        clip=clip,
        split=split_frames(len(clip)),
        protected=inputs["protected"].arrays["frames"],
        capture=captured.get("capture"),
        clean_capture=captured.get("clean_capture"),
        rendering=unpack_rendering(inputs["rendering"]) if "rendering" in inputs else None,
        clean_rendering=unpack_rendering(inputs["clean_rendering"]) if "clean_rendering" in inputs else None,
        edits=_edits(inputs.get("edits")),
        clean_edits=_edits(inputs.get("clean_edits")),
        outcome="edited" if "edits" in inputs else head.get("outcome", "refused" if refused else "trained"),
        code=head.get("code", inputs["capture"].meta["refused"] if refused else ""),
        log=inputs["protected"].meta.get("log", {}),
        seconds={name: inputs[role].meta["cost"]["cpu"] for name, role in seconds.items()},
        peak_mib={name: inputs[role].meta["cost"]["peak_mib"] for name, role in peak.items()},
    )
