"""Steps that fail, each in its way: named with the cause, while all that does not hang on them is computed."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from vdf_bench.core.errors import UserError
from vdf_bench.execute import schedule
from vdf_bench.execute.schedule import StepFailedError
from vdf_bench.plan import Plan, Step
from vdf_bench.store import Store

TOTAL = 1 + 1 + 1 + sum(10 * k + i for k in range(3) for i in range(3))


def spoiled(small, name, params):
    """A plan with one more step, and one behind it."""
    plan, last = small
    first = next(iter(plan.steps))
    bad = plan.add(Step(name, f"the {name} one", {"n": 0, **params}, {"before": first}, ""))
    behind = plan.add(Step("add", "behind it", {"n": 0}, {"before": bad}, ""))
    return plan, last, bad, behind


@pytest.mark.parametrize(
    ("name", "cause", "said"),
    [
        ("raise", "raised", "a bug"),
        ("unusable", "unusable", "no face"),
        ("greedy", "memory", "ran out of memory"),
        ("hang", "time", "did not end within 3 s"),
        ("killed", "lost", "was killed"),
    ],
)
def test_a_failed_step_is_named_and_the_others_finish(small, tmp_path, carry_out, told, monkeypatch, name, cause, said):
    monkeypatch.setattr(schedule, "BACK_OFF", 0.01)
    plan, last, bad, behind = spoiled(small, name, {})
    store = Store(tmp_path)
    tally = carry_out(plan, store, step_timeout=3.0 if name == "hang" else None)
    assert int(store.get(last).arrays["sum"]) == TOTAL
    assert [(failure.key, failure.cause) for failure in tally.failures] == [(bad, cause)]
    assert said in tally.failures[0].line
    assert "\n" not in tally.failures[0].line
    assert told.failures == [(f"the {name} one", cause)]
    assert not store.has(behind)
    assert tally.failures[0].attempts == (3 if name == "killed" else 1)
    assert not list(store.place.blobs("claims/")) and not list(store.place.blobs("drivers/"))


@pytest.mark.parametrize(
    ("name", "error", "said"), [("unusable", UserError, "no face"), ("raise", StepFailedError, "ZeroDivisionError")]
)
def test_where_none_shall_go_on_a_failure_is_raised(small, tmp_path, carry_out, name, error, said):
    plan, *_ = spoiled(small, name, {})
    with pytest.raises(error, match=said):
        carry_out(plan, Store(tmp_path), keep_going=False)


def test_steps_are_forked_from_a_server_that_imported_for_all(tmp_path, carry_out):
    # It swallows errors of what it is to import, and every step would import for itself.
    plan = Plan()
    key = plan.add(Step("inherit", "asks", {}, {}, ""))
    store = Store(tmp_path)
    carry_out(plan, store)
    assert int(store.get(key).arrays["sum"]) > 100_000


def test_a_killed_worker_is_begun_again(small, tmp_path, carry_out, told):
    plan, last, _, behind = spoiled(small, "kill-once", {"marker": str(tmp_path / "marker")})
    store = Store(tmp_path / "store")
    tally = carry_out(plan, store)
    assert not tally.failures
    assert store.has(behind)
    assert [label for label, _ in told.begun].count("the kill-once one") == 2
    assert int(store.get(last).arrays["sum"]) == TOTAL


def test_a_damaged_input_is_made_again_on_the_way(small, tmp_path, carry_out):
    plan, last = small
    store = Store(tmp_path)
    carry_out(plan, store)
    store.path(last).unlink()
    ends = list(plan.steps[last].inputs.values())
    damaged = [*ends, plan.steps[ends[0]].inputs["before"]]
    for key in damaged:
        store.path(key).write_bytes(b"")
    tally = carry_out(plan, store)
    assert int(store.get(last).arrays["sum"]) == TOTAL
    assert set(tally.computed) == {*damaged, last}
    assert store.quarantined() == 4


def test_memory_is_shared_out(small, tmp_path, carry_out, told, monkeypatch):
    plan, _ = small
    seen = []
    monkeypatch.setattr(told, "started", lambda step, worker: seen.append((1, step.label)))
    monkeypatch.setattr(told, "finished", lambda step, cached: seen.append((-1, step.label)))
    carry_out(plan, Store(tmp_path), jobs=4, memory_mib=1000.0, mib=dict.fromkeys(plan.steps, 600.0))
    running = 0
    for change, _ in seen:
        running += change
        assert running <= 1  # two would take 1200 MiB


def test_the_longest_chain_goes_first(tmp_path, carry_out, told):
    from fault_steps import chains

    plan, _ = chains(1, 5)
    common = next(iter(plan.steps))
    for k in range(3):
        plan.add(Step("add", f"short {k}", {"n": 100 + k}, {"before": common}, ""))
    carry_out(plan, Store(tmp_path), jobs=1)
    assert [label for label, _ in told.begun[:6]] == ["common", *(f"chain 0, link {i}" for i in range(5))]


def test_when_time_is_up_nothing_new_begins(small, tmp_path, carry_out):
    plan, last = small
    store = Store(tmp_path)
    tally = carry_out(plan, store, until=time.monotonic())
    assert set(tally.unreached) == set(plan.steps)
    assert not tally.computed
    assert not carry_out(plan, store).unreached
    assert store.has(last)


def test_what_a_step_started_ends_with_it(tmp_path, carry_out):
    from vdf_bench.plan import Plan

    plan = Plan()
    marker = tmp_path / "marker"
    plan.add(Step("fork", "fork", {"marker": str(marker)}, {}, ""))
    carry_out(plan, Store(tmp_path / "store"), step_timeout=6.0)
    for pid in map(int, marker.read_text().split()):
        assert not alive(pid)


def alive(pid):
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_two_drivers_share_the_work(tmp_path, carry_out):
    from fault_steps import chains

    plan, last = chains(4, 4, seconds=0.1)
    tallies = []

    def drive():
        tallies.append(carry_out(plan, Store(tmp_path), jobs=1))

    threads = [threading.Thread(target=drive) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [key for tally in tallies for key in tally.computed]
    assert sorted(done) == sorted(plan.steps), "each step once, by either"
    assert all(len(tally.computed) + len(tally.cached) == len(plan.steps) for tally in tallies)
    assert Store(tmp_path).has(last)


def test_a_store_in_memory_takes_the_inline_executor(small, carry_out):
    plan, last = small
    import fault_steps  # noqa: F401 - registers its steps in this process

    store = Store(f"memory://{os.getpid()}-inline")
    with pytest.raises(UserError, match="--executor inline"):
        carry_out(plan, store)
    carry_out(plan, store, executor="inline")
    assert int(store.get(last).arrays["sum"]) == TOTAL
