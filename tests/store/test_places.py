"""The same promises in a folder, in memory and on S3; and patience with a place that does not answer."""

from __future__ import annotations

import errno
import threading
import time

import numpy as np
import pytest

from vdf_bench.core.artifact import Artifact
from vdf_bench.core.errors import UserError
from vdf_bench.store import Store
from vdf_bench.store.place import Folder, GoneError, Patient, open_place

KEY = "a" * 64


def test_a_blob_is_created_once(url):
    place = open_place(url)
    assert place.read("x/y") is None
    assert not place.exists("x/y")
    assert place.create("x/y", b"first")
    assert not place.create("x/y", b"second")
    assert place.read("x/y") == b"first"
    assert place.read("x/y", 1, 3) == b"ir"
    place.replace("x/y", b"third")
    assert place.read("x/y") == b"third"
    place.move("x/y", "z/y")
    assert {(blob.name, blob.size) for blob in place.blobs("z/")} == {("z/y", 5)}
    assert not list(place.blobs("x/"))
    place.remove("z/y")
    place.remove("z/y")
    assert not place.exists("z/y")


def test_of_many_that_create_one_wins(url):
    place = open_place(url)
    won = []
    threads = [threading.Thread(target=lambda k=k: won.append(place.create("race", b"%d" % k))) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(True) == 1 or url.startswith("memory")  # fsspec's memory is not made for threads
    assert place.read("race") in {b"%d" % k for k in range(8)}


def test_names_are_listed_by_how_they_start(url):
    place = open_place(url)
    for name in ("claims/ab.0", "claims/ab.1", "claims/b.0", "drivers/ab"):
        place.create(name, b"")
    assert {blob.name for blob in place.blobs("claims/ab.")} == {"claims/ab.0", "claims/ab.1"}
    assert {blob.name for blob in place.blobs("claims/")} == {"claims/ab.0", "claims/ab.1", "claims/b.0"}


def test_a_store_keeps_what_it_was_given_first(url):
    store = Store(url)
    store.check_writable()
    assert store.get(KEY) is None
    assert store.meta(KEY) is None
    store.put(KEY, Artifact({"x": np.arange(3)}, {"n": 1}))
    store.put(KEY, Artifact({}, {"n": 2}))
    found = store.get(KEY)
    assert found is not None
    assert found.meta == store.meta(KEY) == {"n": 1}
    np.testing.assert_array_equal(found.arrays["x"], np.arange(3))
    assert store.missing([KEY, "b" * 64]) == {"b" * 64}
    assert store.missing([KEY, *(f"{k:064x}" for k in range(80))]) == {f"{k:064x}" for k in range(80)}
    assert [key for key, _ in store.held()] == [KEY]


def test_a_damaged_object_is_set_aside(url):
    store = Store(url)
    store.put(KEY, Artifact({"x": np.zeros(9)}, {"n": 1}))
    name = f"objects/aa/{KEY}.artifact"
    data = store.place.read(name)
    store.place.replace(name, data[:-3])
    assert store.get(KEY) is None
    assert not store.has(KEY)
    assert store.quarantined() == 1
    store.put(KEY, Artifact({}, {"n": 1}))
    assert store.get(KEY) is not None


def test_a_record_is_read_without_its_arrays_and_checked(tmp_path):
    store = Store(tmp_path)
    long = {"rows": ["x" * 100] * 2000}
    store.put(KEY, Artifact({"x": np.zeros(1 << 20)}, long))
    assert store.meta(KEY) == long
    data = bytearray(store.path(KEY).read_bytes())
    data[300] ^= 1
    store.path(KEY).write_bytes(data)
    assert store.meta(KEY) is None
    assert store.quarantined() == 1


def test_artifacts_of_the_first_form_are_read(tmp_path):
    import hashlib

    from safetensors.numpy import save

    body = save({"x": np.arange(4), "__meta__": np.frombuffer(b'{"n":3}', np.uint8)})
    store = Store(tmp_path)
    store.place.create(
        f"objects/aa/{KEY}.artifact",
        b"vdf-bench artifact 1 " + hashlib.sha256(body).hexdigest().encode() + b"\n" + body,
    )
    assert store.meta(KEY) == {"n": 3}
    found = store.get(KEY)
    assert found is not None
    assert found.meta == {"n": 3}
    np.testing.assert_array_equal(found.arrays["x"], np.arange(4))


def test_a_folder_that_goes_away_is_waited_for(tmp_path):
    root, away = tmp_path / "store", tmp_path / "unplugged"
    store = Store(root, patience=20)
    store.put(KEY, Artifact({}, {"n": 1}))
    root.rename(away)
    threading.Timer(0.5, lambda: away.rename(root)).start()
    begun = time.monotonic()
    assert store.meta(KEY) == {"n": 1}  # not None, which would mean: compute it again
    assert time.monotonic() - begun > 0.3


@pytest.mark.parametrize("put", [Folder.create, Folder.replace])
def test_a_folder_that_goes_away_while_it_is_written_to_is_waited_for(tmp_path, monkeypatch, put):
    from vdf_bench.store import place as module

    root, away = tmp_path / "store", tmp_path / "unplugged"
    Store(root).put(KEY, Artifact({}, {"n": 1}))
    folder, write = Folder(root), module.write_beside

    def unplugged(path, data):
        partial = write(path, data)
        root.rename(away)
        return partial

    monkeypatch.setattr(module, "write_beside", unplugged)
    with pytest.raises(GoneError):
        put(folder, "x", b"1")


class Mute(Folder):
    """Does not answer for so many questions, or says what no waiting mends."""

    def __init__(self, root, questions, error):
        super().__init__(root)
        self.questions, self.error = questions, error

    def create(self, name, data):
        self.questions -= 1
        if self.questions >= 0:
            raise self.error
        return super().create(name, data)


@pytest.mark.parametrize("error", [ConnectionError("reset"), TimeoutError("late"), OSError(errno.EIO, "I/O error")])
def test_silence_is_waited_out(tmp_path, error):
    place = Patient(Mute(tmp_path, 3, error), patience=20, first=0.01)
    assert place.create("x", b"1")


def test_lasting_silence_is_one_line(tmp_path):
    place = Patient(Mute(tmp_path, 10**6, ConnectionError("reset")), patience=0.2, first=0.01)
    with pytest.raises(UserError, match=r"has not answered .* finished steps are kept"):
        place.create("x", b"1")


def test_a_full_disk_is_not_waited_for(tmp_path):
    mute = Mute(tmp_path, 10**6, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(UserError, match=r"cannot write .*No space left"):
        Patient(mute, patience=60).create("x", b"1")
    assert mute.questions == 10**6 - 1


def test_an_unknown_protocol_is_one_line():
    with pytest.raises(UserError, match="--store nowhere://x"):
        Store("nowhere://x")


@pytest.mark.parametrize("url", ["s3://", "s3:///store"])
def test_a_url_without_a_bucket_is_one_line(url):
    with pytest.raises(UserError, match=f"{url} has no bucket"):
        Store(url)


@pytest.mark.parametrize("where", ["", "file://"])
def test_a_store_without_a_name_is_not_the_current_folder(where):
    with pytest.raises(UserError, match="is empty"):
        Store(where)


class NoCredentialsError(Exception):
    """Of the name that botocore gives it."""


@pytest.mark.parametrize(
    "error", [NoCredentialsError("no credentials"), PermissionError("denied"), ValueError("Invalid endpoint: abc")]
)
def test_whom_a_server_does_not_know_is_told_at_once_what_to_set(tmp_path, error):
    mute = Mute(tmp_path, 10**6, error)
    mute.url = "s3://bucket/store"
    with pytest.raises(UserError, match=r"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_ENDPOINT_URL"):
        Patient(mute, patience=60).create("x", b"1")
    assert mute.questions == 10**6 - 1


def test_s3_without_credentials_is_one_line(monkeypatch, tmp_path):
    s3fs = pytest.importorskip("s3fs", reason="needs s3fs: pip install 'vdf-bench[s3]'")
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # no machine of Amazon's is asked who it is
    for name in ("CONFIG_FILE", "SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(f"AWS_{name}", str(tmp_path / "none"))
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(UserError, match="AWS_ACCESS_KEY_ID") as told:
            list(Store("s3://bucket/vdf").held())
    finally:
        s3fs.S3FileSystem.clear_instance_cache()
    assert "\n" not in str(told.value)
