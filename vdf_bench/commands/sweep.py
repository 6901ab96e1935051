"""``sweep``: defenses over budgets, protection against fidelity."""

from __future__ import annotations

from typing import Any

from vdf_bench import api
from vdf_bench.commands.options import examples, taking
from vdf_bench.commands.run import carry_out

EXAMPLES = examples("sweep --defense vdf,pgd --victim gaussian", "sweep --defense all --capture-only --budget linf=4,8")


@taking(api.run, api.sweep)
def sweep(**asked: Any) -> None:
    """Protection against fidelity: defenses over budgets, compared at equal bound and at equal PSNR.

    The same as run with other defaults; any run with two budgets reports the same curves.
    """
    carry_out(asked, "sweeps", api.sweep)
