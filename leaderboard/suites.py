"""The suites that exist. A published one is never changed: a new name is taken instead."""

from __future__ import annotations

from typing import Final

from vdf_bench.core.errors import UserError
from vdf_bench.core.registry import suggest
from vdf_bench.leaderboard.suite import BoardSuite

_V1: Final = BoardSuite(
    name="vdf-bench-v1",
    clips={
        "synth-a": "153e64168b1216fecb2dbc230d07df4fbe0fb27fe2b073211fc3e8163d1fda7e",
        "synth-b": "deb732b3076920801f92ced5a035a16a6abe050bf1d6c62818a2ac731745905d",
        "synth-c": "7b3b8261e33ab44574064e0f0c47ad24dc99c292556b36ecb2db488896fc86d3",
        "synth-e": "df136651867bff4dc599e01e4c171eccffbe062478b82b3906415c876bc5e4db",
        "synth-f": "d698772b6cda928375de0a12fdb14521df2cf97e4e0db480722399a5b886b463",
    },
    size=64,
    frames=64,
    budgets=(12.75,),
    tier="fast",
    autopurify=1,
    victims=("gaussian",),
    seeds=(0,),
    heldout=tuple(f"synth-heldout-{k}" for k in range(8)),
    summary="Five rendered people, four attackers, one compact victim: affordable on a laptop.",
    only=("as published", "other parser", "landmark hull", "H.264"),
)
_SMOKE: Final = BoardSuite(
    name="vdf-bench-v1-smoke",
    clips={
        "synth-a": "424180647157fa0dff3acd6c9aa047e4a9204b2c215f3fc611255244754a9f9a",
    },
    size=32,
    frames=16,
    budgets=(12.75,),
    tier="fast",
    autopurify=1,
    victims=("gaussian",),
    seeds=(0,),
    heldout=("synth-heldout-0",),
    summary="One clip too small to mean anything, hardly trained: for trying the path of a submission.",
    only=("as published", "other parser"),
    iterations=12,
)
SUITES: Final[dict[str, BoardSuite]] = {suite.name: suite for suite in (_V1, _SMOKE)}


def suite(name: str) -> BoardSuite:
    """The suite called ``name``.

    Raises:
        UserError: no such suite.
    """
    if name not in SUITES:
        raise UserError(f"unknown suite {name!r}: {suggest(name, sorted(SUITES))}")
    return SUITES[name]
