"""What a defense makes beforehand, once for all clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vdf_bench.core import registry
from vdf_bench.core.artifact import Artifact
from vdf_bench.stages.lent import lent, setting_of

if TYPE_CHECKING:
    from vdf_bench.stages import Inputs, Params


def run(params: Params, inputs: Inputs) -> Artifact:
    """Ask the defense to prepare."""
    del inputs
    defense = registry.load("defenses", params["defense"]).configured(params["parameters"])
    return Artifact(dict(defense.prepare(setting_of(params, params["size"], **lent(params)))))
