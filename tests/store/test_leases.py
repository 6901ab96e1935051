"""Leases: one of two drivers works, the other takes over when the first dies, whatever the clocks say."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import pytest

from vdf_bench.store import leases as leases_module
from vdf_bench.store.leases import Leases
from vdf_bench.store.place import Folder, Patient, open_place


class Clock:
    """A monotonic clock that the test turns."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def unknown_machine(monkeypatch):
    """As if every driver ran on a machine of which nobody here knows the processes."""
    monkeypatch.setattr(leases_module, "_machine", lambda: "")


def test_one_of_two_holds_a_step(url):
    with Leases(open_place(url)) as one, Leases(open_place(url)) as two:
        assert one.claim("k")
        assert one.claim("k")
        assert not two.claim("k")
        one.release("k")
        assert two.claim("k")
        assert not one.claim("k")


def test_a_claim_whose_answer_was_lost_is_ones_own(tmp_path):
    class Lossy(Folder):
        def create(self, name, data):
            super().create(name, data)
            type(self).create = Folder.create
            raise ConnectionError("reset")

    with Leases(Patient(Lossy(tmp_path), patience=20, first=0.01)) as one, Leases(Folder(tmp_path)) as two:
        assert one.claim("k"), "nobody waits for itself"
        assert not two.claim("k")
        one.release("k")
        assert two.claim("k")


def test_of_many_one_wins(tmp_path):
    held = [Leases(Folder(tmp_path)) for _ in range(8)]
    for each in held:
        each.beat()
    won = []
    threads = [threading.Thread(target=lambda each=each: won.append(each.claim("k"))) for each in held]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(True) == 1


def test_a_silent_driver_loses_its_steps_after_its_term(tmp_path, monkeypatch):
    unknown_machine(monkeypatch)
    clock = Clock()
    one, two, three = (Leases(Folder(tmp_path), term=60, clock=clock) for _ in range(3))
    for each in (one, two, three):
        each.beat()
    assert one.claim("k")
    assert not two.claim("k")
    assert not three.claim("k")
    clock.now += 59
    assert not two.claim("k")
    one.beat()
    clock.now += 59
    assert not two.claim("k")  # it lived: counted from when that was seen
    assert not three.claim("k")
    clock.now += 61
    two.beat()
    assert two.claim("k")
    assert not three.claim("k")  # the new holder lives
    two.release("k")
    assert three.claim("k")


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch, jump):
    unknown_machine(monkeypatch)
    clock = Clock()
    one, two = (Leases(Folder(tmp_path), term=60, clock=clock) for _ in range(2))
    one.beat()
    assert one.claim("k")
    assert not two.claim("k")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    clock.now += 30
    assert not two.claim("k")
    clock.now += 31
    assert two.claim("k")


DRIVER = """
import sys, time
from pathlib import Path
from vdf_bench.store.leases import Leases
from vdf_bench.store.place import Folder
with Leases(Folder(Path(sys.argv[1]))) as leases:
    assert leases.claim("k")
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_killed_driver_on_this_machine_is_known_to_be_dead(tmp_path):
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, tmp_path], stdout=subprocess.PIPE, text=True)
    assert driver.stdout.readline() == "held\n"
    with Leases(Folder(tmp_path), term=3600) as mine:
        assert not mine.claim("k")
        driver.kill()
        driver.wait()
        assert mine.claim("k")
    assert [blob.name for blob in Folder(tmp_path).blobs("claims/")] == []


def test_a_heart_beats_by_itself(tmp_path):
    place = Folder(tmp_path)
    with Leases(place, term=0.2) as one:
        first = json.loads(place.read(f"drivers/{one.me}"))["beat"]
        time.sleep(0.3)
        assert json.loads(place.read(f"drivers/{one.me}"))["beat"] > first
    assert not place.exists(f"drivers/{one.me}")
