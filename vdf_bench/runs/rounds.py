"""Attack after attack: a suite of attackers is run in order, and what is broken is not attacked further.

The plan holds every cell that may be needed. Each round takes the cells of one attack against defenses that still
stand, with their clean twins and controls; steps that rounds share are computed once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vdf_bench.core.place import SUBJECT
from vdf_bench.execute.schedule import Tally, execute
from vdf_bench.stats import STILL, paired_differences

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdf_bench.attackers.suite import Attack, Studied
    from vdf_bench.execute.executor import Resources
    from vdf_bench.execute.schedule import Watcher
    from vdf_bench.plan import Cell, Plan
    from vdf_bench.plan.run import Run

#: What is broken or stands: see :attr:`vdf_bench.core.place.Place.subject`.
Subject = tuple[Any, ...]


def attack_in_rounds(
    run: Run, resources: Resources | int, seconds: dict[str, float], watcher: Watcher, say: Callable[[str], None]
) -> tuple[Run, Tally]:
    """Execute the plan, a suite's attack by attack.

    Args:
        run: what is asked; without a suite all of it is one round.
        resources: with what steps are carried out; a number is so many at once on this machine.
        seconds: expected seconds by key.
        watcher: called for every step.
        say: called with what was broken by what.

    Returns:
        The run with the cells that were needed, and what was done.
    """
    suite = run.request.suite
    if suite is None:
        return run, execute(run.plan, run.store, resources, seconds, watcher)
    defenses = sorted({(cell.defense, cell.linf) for cell in run.plan.cells if cell.arm == "defended"})
    taken: list[Cell] = []
    broken: set[Subject] = set()
    tally = Tally()
    for attack in suite.attacks:
        # What failed in one round is not tried again in the next.
        hopeless = run.plan.dependents([failure.key for failure in tally.failures])
        cells = due(run.plan, attack, defenses, broken)
        taken += cells
        cells = [cell for cell in cells if hopeless.keys().isdisjoint(cell.steps.values())]
        if not cells:
            continue
        part = run.plan.restricted(cells)
        done = execute(part, run.store, resources, seconds, watcher)
        tally.add(done)
        if done.unreached:
            break
        judged = _judged(replace(run, plan=part), done)
        if not suite.exhaustive and judged is not None:
            fell = _broken(judged) - broken
            broken |= fell
            for clip, defense, *_, victim, seed in sorted(fell):
                say(f"{attack.name} breaks {defense} on {clip} ({victim}, seed {seed})")
    finished = run.plan.restricted(taken)
    tally.cached = [key for key in finished.steps if key not in set(tally.computed)]
    return replace(run, plan=finished), tally


def _judged(part: Run, done: Tally) -> Run | None:
    """The cells of a round that could be computed; None where none could."""
    if not done.failures:
        return part
    lost = part.plan.dependents([failure.key for failure in done.failures])
    kept = [cell for cell in part.plan.cells if lost.keys().isdisjoint(cell.steps.values())]
    twins = {cell.attacker for cell in kept if cell.arm == "clean"}
    kept = [cell for cell in kept if cell.attacker in twins]
    return replace(part, plan=part.plan.restricted(kept)) if kept else None


def due(plan: Plan, attack: Attack, defenses: list[Studied], broken: set[Subject]) -> list[Cell]:
    """Cells of an attack: defenses that stand, and the clean and control cells that they are compared with."""
    meant = {(who.chain, who.capture): only for who, only in attack.against(defenses)}
    mine = [cell for cell in plan.cells if (cell.purifier, cell.capture) in meant]
    tested = [cell for cell in mine if cell.arm == "defended"] or [cell for cell in mine if cell.arm == "control"]
    standing = [
        cell
        for cell in tested
        if cell.subject not in broken and meant[cell.purifier, cell.capture] in (None, (cell.defense, cell.linf))
    ]
    kept, twins = {id(cell) for cell in standing}, {cell.attacker for cell in standing}
    return [cell for cell in mine if id(cell) in kept or (cell.arm != "defended" and cell.attacker in twins)]


def _broken(run: Run) -> set[Subject]:
    """Subjects of which this round left no more than :data:`vdf_bench.stats.STILL`; void cells break nothing."""
    import pandas as pd

    from vdf_bench.results.collect import collect

    rows, _ = collect(run)
    pairs = paired_differences(pd.DataFrame(rows), "dsr")
    fell = pairs[(pairs["arm"] == "defended") & (pairs["delta"] <= STILL)]
    return set(fell[list(SUBJECT)].itertuples(index=False, name=None))
