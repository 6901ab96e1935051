"""One stage of one cell is measured."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from vdf_bench.core import registry
from vdf_bench.core.artifact import Artifact
from vdf_bench.core.capture import Capture
from vdf_bench.core.clip import split_frames
from vdf_bench.core.interfaces import Edits, Evidence
from vdf_bench.judges.observe import Tools, observe
from vdf_bench.judges.outcome import classify
from vdf_bench.stages.packing import unpack_clip, unpack_rendering

if TYPE_CHECKING:
    from vdf_bench.stages import Inputs, Params


def run(params: Params, inputs: Inputs) -> Artifact:
    """Let every judge of the stage look at the evidence."""
    from vdf_bench.judges import judge_all

    evidence = evidence_of(inputs, params["seconds"], params["peak_mib"])
    judges = [registry.load("judges", name).configured(values) for name, values in params["judges"]]
    seen = observe(evidence, Tools(**params.get("tools", {})))
    rows = [asdict(row) for row in judge_all(seen, judges, params["stage"])]
    outcome, code = classify(seen) if params["stage"] == "clone" else (evidence.outcome, evidence.code)
    drive = inputs["rendering"].meta.get("drive", "") if "rendering" in inputs else ""
    return Artifact({}, {"rows": rows, "outcome": outcome, "code": code, "drive": drive})


def _edits(artifact: Artifact | None) -> Edits | None:
    return None if artifact is None else Edits(tuple(artifact.meta["names"]), artifact.arrays["edits"])


def evidence_of(inputs: Inputs, seconds: dict[str, str], peak: dict[str, str]) -> Evidence:
    """What judges may look at, out of the artifacts of the steps before them."""
    clip = unpack_clip(inputs["clip"])
    head = inputs["head"].meta if "head" in inputs else {}
    captured = {
        role: Capture.from_arrays(inputs[role].arrays)
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
