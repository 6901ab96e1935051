"""Stores of every kind: a folder, fsspec in memory, and S3 behind a real HTTP server."""

from __future__ import annotations

import uuid

import pytest


@pytest.fixture(scope="session")
def s3_server():
    """The address of an S3 server on this machine."""
    moto = pytest.importorskip("moto.server", reason="needs moto: pip install 'vdf-bench[test]'")
    pytest.importorskip("s3fs", reason="needs s3fs: pip install 'vdf-bench[s3]'")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_url(s3_server, monkeypatch):
    """A bucket of its own; credentials and address stand in the environment, as a user would set them."""
    import fsspec
    import s3fs

    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_server,
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    bucket = f"bench-{uuid.uuid4().hex[:8]}"
    fsspec.filesystem("s3").mkdir(bucket)
    yield f"s3://{bucket}/store"
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(params=["folder", "file", "memory", "s3"])
def url(request, tmp_path):
    """Where a store is, four ways."""
    if request.param == "s3":
        return request.getfixturevalue("s3_url")
    there = {"folder": str(tmp_path / "store"), "file": f"file://{tmp_path}/store"}
    return there.get(request.param, f"memory://{uuid.uuid4().hex}")
