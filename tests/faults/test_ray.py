"""The Ray executor, on two nodes of this machine: what it computes, and what it survives."""

from __future__ import annotations

import threading
import time

import pytest
from fault_steps import chains

from vdf_bench.errors import UserError
from vdf_bench.execute.executor import Means
from vdf_bench.execute.schedule import open_executor
from vdf_bench.plan import Step
from vdf_bench.store import Store

pytest.importorskip("ray", reason="needs ray: pip install 'vdf-bench[ray]'")


def on(cluster, carry_out, plan, store, **means):
    return carry_out(plan, store, executor="ray", address=cluster.address, **means)


def test_two_nodes_compute_what_one_machine_does(cluster, tmp_path, carry_out):
    plan, last = chains(3, 2)
    bad = plan.add(Step("raise", "a bug", {}, {}, ""))
    here = plan.add(Step("add", "reads this machine", {"n": 5}, {}, "", where={"clip": "/here"}))
    near, far = Store(tmp_path / "near"), Store(tmp_path / "far")
    tallies = [carry_out(plan, near), on(cluster, carry_out, plan, far)]
    for tally in tallies:
        assert [(failure.key, failure.cause) for failure in tally.failures] == [(bad, "raised")]
        assert {here, last} <= set(tally.computed)
    sums = [{key: int(store.get(key).arrays["sum"]) for key, _ in store.held()} for store in (near, far)]
    assert sums[0] == sums[1]


@pytest.mark.slow
def test_a_node_and_its_workers_may_die(cluster, tmp_path, carry_out):
    plan, last = chains(4, 3, seconds=0.5)
    third = cluster.add_node(num_cpus=2)
    store = Store(tmp_path)

    def kill():
        while len(list(store.held())) < 4:
            time.sleep(0.1)
        cluster.remove_node(third, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    tally = on(cluster, carry_out, plan, store)
    killer.join()
    assert not tally.failures
    assert store.has(last)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere"])
def test_a_cluster_that_is_not_there_is_one_line(tmp_path, address):
    with pytest.raises(UserError, match=f"--ray-address {address}"):
        open_executor(Store(tmp_path), Means(executor="ray", address=address))
