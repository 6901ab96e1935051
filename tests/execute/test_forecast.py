"""What a run is said to take, and what the harness is said to cost."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from vdf_bench.bench.cluster import DRIVER, SIZES, simulate
from vdf_bench.bench.harness import Log, Measured, compare_forecast, idle, measure_planning
from vdf_bench.core.artifact import Artifact
from vdf_bench.execute.costs import ROUGH_SECONDS, Expected, expected_costs, record_costs
from vdf_bench.execute.forecast import cell_forecasts, makespan, print_plan
from vdf_bench.execute.progress import ProgressWatcher
from vdf_bench.plan import Plan, Request, Step
from vdf_bench.plan.presets import preset
from vdf_bench.runs.run import prepare


def diamond():
    """One step, two behind it, one behind both."""
    plan = Plan()
    first = plan.add(Step("clip", "first", {"n": 0}, {}, ""))
    sides = [plan.add(Step("fit", f"side {k}", {"n": k}, {"a": first}, "")) for k in range(2)]
    last = plan.add(Step("judge", "last", {}, {"a": sides[0], "b": sides[1]}, ""))
    return plan, first, sides, last


@pytest.mark.parametrize(("workers", "expected"), [(1, 1 + 3 + 5 + 2), (2, 1 + 5 + 2), (9, 1 + 5 + 2)])
def test_a_plan_played_through(workers, expected):
    plan, first, sides, last = diamond()
    seconds = {first: 1.0, sides[0]: 3.0, sides[1]: 5.0, last: 2.0}
    inputs = {key: list(step.inputs.values()) for key, step in plan.steps.items()}
    assert makespan(list(plan.steps), inputs, seconds, workers) == expected


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=30), st.integers(1, 5))
def test_independent_steps_take_no_longer_than_twice_the_least(seconds, workers):
    cost = {str(k): value for k, value in enumerate(seconds)}
    found = makespan(list(cost), dict.fromkeys(cost, ()), cost, workers)
    least = max(max(seconds), sum(seconds) / workers)
    assert least <= found + 1e-9
    assert found <= 2 * least + 1e-9


def test_idle_workers_are_told_apart_by_why():
    plan, first, sides, last = diamond()
    begun = {first: 0.0, sides[0]: 1.0, sides[1]: 1.5, last: 4.0}
    ended = {first: 1.0, sides[0]: 3.0, sides[1]: 4.0, last: 5.0}
    waited, forced = idle(plan, Log(begun, ended), 2, 0.0, 6.0)
    # One worker idles while the first runs, from 1 to 1.5 without need, from 3 to 5 again by need, and both after 5.
    assert waited == pytest.approx(0.5)
    assert forced == pytest.approx(1.0 + 1.0 + 1.0 + 2.0)


def test_a_forecast_is_held_to_what_came(run):
    costs = {key: Expected(10.0 if step.name == "fit" else 1.0, 600.0, True) for key, step in run.plan.steps.items()}
    for key, step in run.plan.steps.items():
        cpu = 20.0 if step.name == "fit" else 2.0
        run.store.put(key, Artifact(meta={"cost": {"wall": cpu, "cpu": cpu, "peak_mib": 1200.0}}))
    wall = makespan(
        list(run.plan.steps),
        {key: list(step.inputs.values()) for key, step in run.plan.steps.items()},
        {key: cost.seconds for key, cost in costs.items()},
        2,
    )
    held = compare_forecast(run.plan, costs, run.store, Measured(2, 4 * wall, 0, 0, 0, 0))
    assert held.wall == pytest.approx(0.25)
    assert held.cpu == pytest.approx((0.5, 0.5))
    assert held.memory == pytest.approx((0.5, 0.5))


def test_ten_thousand_cells_are_planned_in_little_time_and_memory():
    found = measure_planning(10_000)
    assert 9_000 < found.cells < 11_000
    assert found.steps > 3 * found.cells
    assert found.seconds < 15  # CPU time; three times the bound, for slow machines


def test_more_nodes_help_until_something_else_is_short():
    few, many = (simulate(20_000, nodes, 16, ROUGH_SECONDS, SIZES, DRIVER) for nodes in (1, 100))
    assert few.bottleneck == "workers"
    assert many.bottleneck != "workers"
    assert few.hours > 10 * many.hours
    assert few.hours == pytest.approx(few.cpu_hours / 16, rel=0.05)
    assert few.cpu_hours == pytest.approx(many.cpu_hours)
    assert many.hours >= many.longest


@pytest.fixture
def run(tmp_path):
    return prepare(Request(preset("quick"), ("vdf",), ("triplane",), clips=("synth-a",)), tmp_path / "run")


def test_recorded_costs_are_taken_for_the_next_run(run):
    fit = next(key for key, step in run.plan.steps.items() if step.name == "fit")
    guessed = expected_costs(run)
    assert not any(cost.recorded for cost in guessed.values())
    record_costs(run, [{"key": fit, "cpu": 77.0, "peak_mib": 1234.0}])
    assert expected_costs(run)[fit] == Expected(77.0, 1234.0, recorded=True)


def test_costs_of_older_stores_are_read(run):
    import json

    from vdf_bench.execute import costs

    fit = next(key for key, step in run.plan.steps.items() if step.name == "fit")
    run.store.place.replace(
        "costs.json", json.dumps({costs._signature(run.plan.steps[fit], run.request): 5.0}).encode()
    )
    assert expected_costs(run)[fit].seconds == 5.0
    run.store.place.replace("costs.json", b"[damaged")
    assert not expected_costs(run)[fit].recorded


def test_every_cell_is_told_its_time_and_memory(run):
    costs = {key: Expected(10.0, 500.0 if step.name == "clip" else 700.0, True) for key, step in run.plan.steps.items()}
    found = cell_forecasts(run.plan, costs, set(run.plan.steps))
    assert len(found) == 3
    for forecast in found:
        assert forecast.seconds == 10 * len(set(forecast.cell.steps.values()))
        assert 0 < forecast.shared < forecast.seconds
        assert forecast.mib == 700
    console = Console(file=io.StringIO(), width=100)
    print_plan(run, console, 2)
    said = " ".join(console.file.getvalue().split())
    assert "triplane on synth-a, vdf at 12.75/255" in said
    assert "0 of" in said and "rough estimates" in said


def test_the_live_view_counts_cells_and_says_what_workers_do(run):
    from vdf_bench.execute.executor import Failure

    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    watcher = ProgressWatcher(console, dict.fromkeys(run.plan.steps, 1.0), 2, run.plan)
    cell = run.plan.cells[0]
    for key in {*cell.steps.values()}:
        watcher.finished(run.plan.steps[key], cached=True)
    fits = [step for step in run.plan.steps.values() if step.name == "fit" and step.key not in cell.steps.values()]
    watcher.started(fits[0], "job 1")
    watcher.failed(fits[1], Failure(fits[1].key, "fit", fits[1].label, "memory", "too much", "job 2", 1))
    console.print(watcher.view())
    said = console.file.getvalue()
    assert "1 of 3 cells" in said and "1 failed" in said and "1 running" in said
    assert "job 1" in said and fits[0].label[:30] in said and "failed (memory)" in said
