"""Every rule that a submission is held to, one room a stage. None of them can be left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vdf_bench.leaderboard.rules import files, manifest, meaning, media, tree

if TYPE_CHECKING:
    from vdf_bench.leaderboard.findings import Rule

RULES: Final[tuple[Rule, ...]] = (*tree.RULES, *manifest.RULES, *files.RULES, *media.RULES, *meaning.RULES)
