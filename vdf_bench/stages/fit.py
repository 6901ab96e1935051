"""A victim trains on a capture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core import registry
from vdf_bench.core.artifact import Artifact
from vdf_bench.core.capture import Capture
from vdf_bench.core.interfaces import FitFailed, FitSetting

if TYPE_CHECKING:
    from vdf_bench.stages import Inputs, Params


def run(params: Params, inputs: Inputs) -> Artifact:
    """Train; divergence and time-outs are results, with their codes."""
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
        head = victim.fit(Capture.from_arrays(inputs["capture"].arrays), setting)
    except FitFailed as failure:
        return Artifact({}, {"outcome": failure.outcome, "code": failure.code})
    notes = list(getattr(head, "notes", ()))
    return Artifact(dict(head.state()), {"outcome": "trained", "code": "", "notes": notes})
