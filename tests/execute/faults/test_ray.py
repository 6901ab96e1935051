"""The Ray executor, on two nodes of this machine: what it computes, and what it survives."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest
from fault_steps import chains

from vdf_bench.core.errors import UserError
from vdf_bench.execute.executor import Resources
from vdf_bench.execute.schedule import open_executor
from vdf_bench.plan import Plan, Step
from vdf_bench.store import Store

pytest.importorskip("ray", reason="needs ray: pip install 'vdf-bench[ray]'")


def on(cluster, carry_out, plan, store, **means):
    return carry_out(plan, store, executor="ray", address=cluster.address, **means)


def names(cluster):
    """What nodes of this one machine are called, by their ids."""
    ids = sorted(node.node_id for node in cluster.list_all_nodes())
    return {node: f"{socket.gethostname()} #{k}" for k, node in enumerate(ids, 1)}


def test_two_nodes_compute_what_one_machine_does(cluster, tmp_path, carry_out):
    plan, last = chains(3, 2)
    bad = plan.add(Step("raise", "a bug", {}, {}, ""))
    here = plan.add(Step("add", "reads this machine", {"n": 5}, {}, "", where={"clip": "/here"}))
    near, far = Store(tmp_path / "near"), Store(tmp_path / "far")
    tallies = [carry_out(plan, near), on(cluster, carry_out, plan, far)]
    for tally in tallies:
        assert [(failure.key, failure.cause) for failure in tally.failures] == [(bad, "raised")]
        assert {here, last} <= set(tally.computed)
    assert tallies[1].failures[0].worker in names(cluster).values()
    sums = [{key: int(store.get(key).arrays["sum"]) for key, _ in store.held()} for store in (near, far)]
    assert sums[0] == sums[1]


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="looks at /proc")
def test_a_step_and_the_worker_that_runs_it_may_be_killed(cluster, tmp_path, carry_out, told):
    plan = Plan()
    for k, name in enumerate(("kill-once", "orphan-once")):
        plan.add(Step(name, name, {"n": k, "marker": str(tmp_path / name)}, {}, ""))
    tally = on(cluster, carry_out, plan, Store(tmp_path / "store"))
    assert not tally.failures
    assert set(tally.computed) == set(plan.steps)
    placed = [label for label, worker in told.begun if worker]
    assert {name: placed.count(name) for name in ("kill-once", "orphan-once")} == {"kill-once": 2, "orphan-once": 2}


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


def test_nodes_tell_how_far_a_step_is(cluster, tmp_path, carry_out, told):
    plan = Plan()
    plan.add(Step("tell", "tells", {"n": 1, "shares": [0.25, 0.5]}, {}, ""))
    plan.add(Step("add", "reads this machine", {"n": 5}, {}, "", where={"clip": "/here"}))
    on(cluster, carry_out, plan, Store(tmp_path))
    assert told.shares == [("tells", 0.25)], "the second came too soon after the first to be news"
    workers = {
        label: [worker for name, worker in told.begun if name == label] for label in ("tells", "reads this machine")
    }
    waited, node = workers["tells"]
    assert waited == ""
    assert node in names(cluster).values()
    assert workers["reads this machine"] == ["", "here, job 1"]


def test_cpu_steps_keep_off_the_node_with_the_gpu(gpu_cluster, tmp_path, carry_out, told):
    """On the GPU's node alone all ends; beside another, only what asks for the GPU goes there."""
    plan, last = chains(1, 1, seconds=0.5)
    for k in range(2):
        plan.add(Step("add", f"dear {k}", {"n": k, "victim": "external.er-nerf"}, {}, ""))
        plan.add(Step("add", f"gpu {k}", {"n": k, "device": "cuda", "seconds": 0.5}, {}, ""))
    alone, both = Store(tmp_path / "alone"), Store(tmp_path / "both")
    tally = on(gpu_cluster, carry_out, plan, alone)
    assert not tally.failures and alone.has(last)
    other = gpu_cluster.add_node(num_cpus=4)
    told.begun.clear()
    tally = on(gpu_cluster, carry_out, plan, both)
    assert not tally.failures and both.has(last)
    went = {(label.startswith("gpu"), worker) for label, worker in told.begun if worker}
    called = names(gpu_cluster)
    assert went == {(True, called[gpu_cluster.head_node.node_id]), (False, called[other.node_id])}


def test_a_cluster_without_gpus_is_one_line(cluster, tmp_path, carry_out):
    plan = Plan()
    plan.add(Step("add", "gpu", {"n": 1, "device": "cuda"}, {}, ""))
    with pytest.raises(UserError, match="no node of the Ray cluster has a GPU"):
        on(cluster, carry_out, plan, Store(tmp_path))


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "nowhere", "ray://127.0.0.1:1", "localhost:²", "localhost:99999", f"{'a' * 70}:1"]
)
def test_a_cluster_that_is_not_there_is_one_line(tmp_path, address):
    with pytest.raises(UserError, match=f"--ray-address {address}"):
        open_executor(Store(tmp_path), Resources(executor="ray", address=address))


@pytest.mark.parametrize("answer", [b"HTTP/1.0 400 Bad request\r\n\r\n", b"", None])
def test_something_else_at_the_address_is_one_line(tmp_path, monkeypatch, answer):
    from vdf_bench.execute import ray

    monkeypatch.setattr(ray, "_SILENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            line, _ = server.accept()
            with line:
                line.recv(100)
                if answer is None:  # silent until the other end has enough
                    line.recv(1)
                else:
                    line.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UserError, match=f"--ray-address {address}: no Ray cluster answers at this address"):
            open_executor(Store(tmp_path), Resources(executor="ray", address=address))


def test_without_an_address_it_starts_a_cluster_of_its_own(tmp_path, monkeypatch):
    """Also where another one runs on this machine, which Ray would join and then refuse to count cores for."""
    import ray

    def init(**settings):
        raise ConnectionError(f"{settings['address']}, {settings['num_cpus']} at once")

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(UserError, match="local, 3 at once"):
        open_executor(Store(tmp_path), Resources(3, executor="ray"))
