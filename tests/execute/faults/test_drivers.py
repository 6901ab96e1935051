"""Drivers that are killed, two on one store, stores that are full or away: no finished step is lost, none is read half.

The whole story of a run, killed and gone on with, is in ``tests/test_end_to_end.py``.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fault_steps import chains

from vdf_bench.core.errors import UserError
from vdf_bench.store import Store
from vdf_bench.store.care import verify

DRIVER = Path(__file__).parent / "driver.py"
COUNT, LENGTH = 3, 3
TOTAL = COUNT + sum(10 * k + i for k in range(COUNT) for i in range(LENGTH))


def drive(store, seconds=0.0, **options):
    words = [sys.executable, DRIVER, store, COUNT, LENGTH, seconds]
    return subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finish(store, seconds=0.0, **options):
    driver = drive(store, seconds, **options)
    out, err = driver.communicate(timeout=300)
    return driver.returncode, out, err


def held(store):
    return {key for key, _ in store.held()}


def children(pid):
    """Process numbers of everything below ``pid``."""
    found, stack = [], [str(pid)]
    while stack:
        for task in Path(f"/proc/{stack.pop()}/task").glob("*/children"):
            try:
                below = task.read_text().split()
            except OSError:
                continue
            found += map(int, below)
            stack += below
    return found


def running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def until(holds, seconds=120.0):
    """Wait until something holds; whether it does."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks at /proc")
def test_workers_die_with_their_driver_and_the_next_goes_on(tmp_path):
    store = Store(tmp_path)
    driver = drive(tmp_path, seconds=1.0)
    assert until(lambda: len(held(store)) >= 2)
    below = children(driver.pid)
    assert len(below) >= 2
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    finished = held(store)
    assert until(lambda: not any(map(running, below)), 20.0), "orphans"
    code, out, err = finish(tmp_path)  # the plan is another, for its steps take no time
    assert code == 0, err
    code, out, err = finish(tmp_path, seconds=1.0)
    assert code == 0, err
    total, computed = map(int, out.split()[1:])
    assert total == TOTAL
    assert computed == COUNT * LENGTH + 2 - len(finished), "nothing that was finished is computed again"
    assert verify(store, print)[1] == []


@pytest.mark.slow
def test_twenty_random_kills_of_drivers_and_workers(tmp_path):
    generator = random.Random(5)
    store = Store(tmp_path / "store")
    kills = 0
    seen: set[str] = set()
    while kills < 20:
        driver = drive(tmp_path / "store", seconds=1.5)
        driver.stdout.readline()
        while driver.poll() is None and kills < 20:
            time.sleep(generator.uniform(0.5, 3.0))
            workers = [pid for pid in children(driver.pid) if running(pid)]
            worker = generator.random() < 0.7 and workers
            victim = generator.choice(workers) if worker else driver.pid
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                continue
            kills += 1
            assert seen <= held(store), "a finished step was lost"
            seen = held(store)
        driver.kill()
        driver.communicate()
        if len(seen) == COUNT * LENGTH + 2:  # begin anew, elsewhere
            assert verify(store, print)[1] == []
            store, seen = Store(tmp_path / f"store-{kills}"), set()
    code, out, err = finish(tmp_path / "store", seconds=1.5)
    assert code == 0, err
    assert int(out.split()[1]) == TOTAL
    assert verify(Store(tmp_path / "store"), print)[1] == []
    assert not list((tmp_path / "store").rglob("claims/*"))


def test_a_full_disk_ends_the_run_in_one_line_and_keeps_what_is_done(tmp_path):
    def limit():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (250, 250))  # heartbeats and claims fit, artifacts do not

    code, out, err = finish(tmp_path, preexec_fn=limit)
    assert code == 2, err
    assert "cannot write" in out and out.count("\n") == 2
    assert not list(tmp_path.rglob("*.partial"))
    assert not held(Store(tmp_path))
    code, out, err = finish(tmp_path)
    assert (code, int(out.split()[1])) == (0, TOTAL), err


def test_a_disk_that_something_else_fills_does_the_same(small_disk):
    root, other = small_disk / "store", small_disk / "other"
    store = Store(root)
    driver = drive(root, seconds=0.5)
    assert until(lambda: len(held(store)) >= 2)
    with pytest.raises(OSError, match="No space left"), other.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    out, err = driver.communicate(timeout=300)
    assert driver.returncode == 2, out + err
    assert "No space left" in out and out.count("\n") == 2
    assert not list(small_disk.rglob("*.partial"))
    assert verify(store, print)[1] == []
    finished = held(store)
    assert 2 <= len(finished) < COUNT * LENGTH + 2
    other.unlink()
    code, out, err = finish(root, seconds=0.5)
    assert code == 0, out + err
    total, computed = map(int, out.split()[1:])
    assert total == TOTAL
    assert computed == COUNT * LENGTH + 2 - len(finished), "nothing that was finished is computed again"


#: Seconds for which a store is away.
AWAY = [3.0, pytest.param(30.0, marks=pytest.mark.slow)]


def waits_out(driver, store):
    """See that a driver whose store was away finishes and that its store is whole."""
    out, err = driver.communicate(timeout=300)
    assert driver.returncode == 0, out + err
    assert int(out.split()[1]) == TOTAL
    assert verify(store, print)[1] == []


@pytest.mark.parametrize("seconds", AWAY)
def test_a_store_that_is_away_for_a_while_costs_no_step(tmp_path, seconds):
    root, away = tmp_path / "store", tmp_path / "away"
    store = Store(root)
    driver = drive(root, seconds=0.5, env={**os.environ, "VDF_BENCH_STORE_PATIENCE": "60"})
    assert until(lambda: len(held(store)) >= 2)
    root.rename(away)
    time.sleep(seconds)
    # What came meanwhile was not written into the void: a folder of that name would be another store.
    assert not root.exists()
    assert driver.poll() is None
    away.rename(root)
    waits_out(driver, store)


@pytest.mark.parametrize("seconds", AWAY)
def test_an_s3_server_that_is_away_for_a_while_costs_no_step(s3_store, seconds):
    server, url = s3_store
    store = Store(url)
    driver = drive(url, seconds=0.5, env={**os.environ, "VDF_BENCH_STORE_PATIENCE": "90"})
    assert until(lambda: len(held(store)) >= 2)
    server.stop()
    time.sleep(seconds)
    assert driver.poll() is None
    server.start()
    waits_out(driver, store)


def test_a_store_that_stays_away_is_one_line(tmp_path, carry_out, told, monkeypatch):
    from vdf_bench.store import place

    plan, _ = chains(2, 2)
    store = Store(tmp_path / "store", patience=0.3)

    def gone(*_):
        raise place.GoneError(19, "the folder no longer exists")

    monkeypatch.setattr(store.place.inner, "create", gone)
    with pytest.raises(UserError, match="has not answered"):
        carry_out(plan, store)
