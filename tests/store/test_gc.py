"""What dead drivers of other machines left, and what a run that is going on needs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vdf_bench.core.artifact import Artifact
from vdf_bench.core.errors import UserError
from vdf_bench.store import Store
from vdf_bench.store.care import collect_garbage
from vdf_bench.store.leases import Leases

FAR = {"beat": 3, "term": 60.0, "machine": "another", "pid": 1, "started": "1"}


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    store.put("a" * 64, Artifact({"x": np.zeros(3)}))
    store.place.create("drivers/far", json.dumps(FAR).encode())
    store.place.create("claims/k.0", b"far")
    (tmp_path / "objects" / ".x.partial").write_bytes(b"half")
    return store


@pytest.fixture
def clock(monkeypatch):
    """The seconds by which leases count; whoever waits moves it."""
    now = [0.0]
    real = Leases.__init__
    monkeypatch.setattr(Leases, "__init__", lambda self, place: real(self, place, clock=lambda: now[0]))
    return now


def test_a_driver_elsewhere_that_stands_still_is_dead(store, clock):
    waited = []

    def wait(seconds):
        waited.append(seconds)
        clock[0] += seconds

    goes = collect_garbage(store, wait=wait)
    assert waited == [61.0]
    assert goes["dead drivers"] == goes["claims of dead drivers"] == goes["drafts of killed writers"] == 1
    assert not store.place.exists("drivers/far") and not store.place.exists("claims/k.0")


def test_a_driver_elsewhere_that_counts_on_lives(store, clock):
    def wait(seconds):
        clock[0] += seconds
        store.place.replace("drivers/far", json.dumps({**FAR, "beat": 4}).encode())

    goes = collect_garbage(store, wait=wait)
    assert goes["dead drivers"] == goes["claims of dead drivers"] == 0
    assert "drafts of killed writers" not in goes
    assert store.place.exists("claims/k.0")


def test_what_a_run_that_is_going_on_makes_is_kept(tmp_path):
    store = Store(tmp_path)
    store.put("a" * 64, Artifact({"x": np.zeros(3)}))
    with Leases(store.place), pytest.raises(UserError, match="a run is using this store"):
        collect_garbage(store, keep=set())
    assert store.has("a" * 64)
    assert collect_garbage(store, keep=set())["artifacts of no kept run"] == 1


@pytest.mark.parametrize("record", [b"", b"garbage", b"[]", b"{}", b"null", b'{"beat": "x", "term": 1}'])
def test_a_record_that_is_none_is_that_of_a_dead_driver(tmp_path, record):
    store = Store(tmp_path)
    store.place.create("drivers/odd", record)
    assert collect_garbage(store, wait=lambda seconds: pytest.fail("nothing to wait for"))["dead drivers"] == 1
    assert not store.place.exists("drivers/odd")
