"""Plans of cheap steps, and executions that say what happened."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # workers import the fault steps by name

from fault_steps import chains

from vdf_bench.execute.executor import Resources
from vdf_bench.execute.schedule import execute


def pytest_collection_modifyitems(items):
    """Minutes of killing are for who asks for them."""
    if not os.environ.get("VDF_BENCH_SLOW"):
        for item in items:
            if item.get_closest_marker("slow") and Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="takes minutes: set VDF_BENCH_SLOW=1"))


class Told:
    """Keeps what a watcher is told."""

    def __init__(self):
        self.begun, self.shares, self.done, self.cached, self.failures = [], [], [], [], []

    def started(self, step, worker):
        self.begun.append((step.label, worker))

    def progressed(self, step, share):
        self.shares.append((step.label, share))

    def finished(self, step, cached):
        (self.cached if cached else self.done).append(step.label)

    def failed(self, step, failure):
        self.failures.append((step.label, failure.cause))


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def carry_out(told):
    """Execute a plan with the fault steps."""

    def run(plan, store, jobs=2, **means):
        chosen = Resources(jobs, preload=("fault_steps",), **{"keep_going": True, **means})
        return execute(plan, store, chosen, dict.fromkeys(plan.steps, 1.0), told)

    return run


@pytest.fixture
def small():
    """Three chains of three steps and their sum."""
    return chains(3, 3)


@pytest.fixture
def small_disk(tmp_path):
    """The folder of a file system of 1 MiB, which is gone with the process that holds it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = f"mount -t tmpfs -o size=1m tmpfs '{folder}' && echo mounted && exec sleep 600"
    words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount]
    try:
        holder = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError as error:
        pytest.skip(f"cannot mount a small disk: {error}")
    if holder.stdout.readline() != "mounted\n":
        pytest.skip(f"cannot mount a small disk: {holder.communicate()[1].strip()}")
    yield Path(f"/proc/{holder.pid}/root{folder}")  # as the holder sees it
    holder.kill()
    holder.communicate()


class Server:
    """An S3 server that can be away: what it holds stays in this process."""

    def __init__(self):
        moto = pytest.importorskip("moto.server", reason="needs moto: pip install 'vdf-bench[test]'")
        pytest.importorskip("s3fs", reason="needs s3fs: pip install 'vdf-bench[s3]'")
        self._moto, self._port = moto.ThreadedMotoServer, 0
        self.start()

    def start(self):
        self._server = self._moto(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()
        _, self._port = self._server.get_host_and_port()

    def stop(self):
        self._server.stop()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"


@pytest.fixture
def s3_store(monkeypatch):
    """An S3 server and where a store on it is; credentials and address stand in the environment."""
    server = Server()
    import s3fs

    settings = {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test", "DEFAULT_REGION": "us-east-1"}
    for name, value in {**settings, "ENDPOINT_URL": server.url}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir("faults")
    yield server, "s3://faults/store"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


class Patient:
    """The module ``time``, by which Ray waits ten times as long for its servers: a busy machine is slow, not broken."""

    def __getattr__(self, name):
        return getattr(time, name)

    def monotonic(self):
        return time.monotonic() / 10


@contextmanager
def ray_cluster(**head):
    """A Ray cluster of one node, on this machine."""
    pytest.importorskip("ray", reason="needs ray: pip install 'vdf-bench[ray]'")
    from ray import cluster_utils
    from ray._private import node

    with pytest.MonkeyPatch.context() as patch:
        here = [str(Path(__file__).parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, here)))  # where nodes find the fault steps
        patch.setenv("RAY_gcs_server_request_timeout_seconds", "120")
        patch.setattr(node, "time", Patient())
        nodes = cluster_utils.Cluster(initialize_head=True, head_node_args={"include_dashboard": False, **head})
        yield nodes
        nodes.shutdown()


@pytest.fixture(scope="module")
def cluster():
    """Two Ray nodes with a core each."""
    with ray_cluster(num_cpus=1) as nodes:
        nodes.add_node(num_cpus=1)
        yield nodes


@pytest.fixture
def gpu_cluster():
    """A Ray node with what it takes for a GPU."""
    with ray_cluster(num_cpus=2, num_gpus=1) as nodes:
        yield nodes
