"""The clone speaks the held-out part of the clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core import registry
from vdf_bench.core.artifact import Artifact
from vdf_bench.core.capture import Capture
from vdf_bench.core.interfaces import Drive
from vdf_bench.stages.packing import pack_rendering

if TYPE_CHECKING:
    from vdf_bench.stages import Inputs, Params

#: Below this cross-validated correlation a voice does not tell how the mouth opens, and landmarks drive instead.
AUDIO_DRIVE_R = 0.6


def run(params: Params, inputs: Inputs) -> Artifact:
    """Render over the attacker's own captured poses and torso.

    Sound and, where landmarks drive, lips and lids are the driver's performance, which nobody protected: they come
    from the clean clip. How sound moves the lips was learnt from the protected one.
    """
    record = {key: inputs["head"].meta[key] for key in ("outcome", "code")}
    if record["outcome"] != "trained":
        return Artifact({}, record)
    victim = registry.load("victims", params["victim"]).configured(params["parameters"])
    capture = Capture.from_arrays(inputs["capture"].arrays)
    # A refused clean twin leaves nothing better than the attacker's own landmarks.
    clean = inputs["clean_capture"]
    performed = capture if "refused" in clean.meta else Capture.from_arrays(clean.arrays)
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
