"""The store: what goes in comes out, or is set aside."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vdf_bench.core.artifact import Artifact, canonical, digest
from vdf_bench.core.errors import UserError
from vdf_bench.store import Store

ARTIFACT = Artifact(
    {"b": np.arange(6, dtype=np.uint8).reshape(2, 3), "a": np.ones(3, np.float32), "c": np.array(2.5)}, {"x": [1, None]}
)


def test_round_trip(tmp_path):
    store = Store(tmp_path)
    store.put("k" * 64, ARTIFACT)
    found = store.get("k" * 64)
    assert found is not None
    assert found.meta == ARTIFACT.meta
    for name, array in ARTIFACT.arrays.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)


def test_equal_artifacts_are_equal_bytes():
    again = Artifact(dict(reversed(ARTIFACT.arrays.items())), dict(ARTIFACT.meta))
    assert again.pack() == ARTIFACT.pack()


def test_absent_is_none(tmp_path):
    assert Store(tmp_path).get("0" * 64) is None
    assert not Store(tmp_path).has("0" * 64)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_damaged_is_set_aside_not_lost(tmp_path, damage):
    store = Store(tmp_path)
    store.put("a" * 64, ARTIFACT)
    path = store.path("a" * 64)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes({"flip": bytes(data), "cut": bytes(data[: len(data) // 2]), "empty": b""}[damage])
    assert store.get("a" * 64) is None
    assert not store.has("a" * 64)
    assert store.quarantined() == 1


def test_no_partial_file_stays_behind(tmp_path):
    store = Store(tmp_path)
    store.put("a" * 64, ARTIFACT)
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["a" * 64 + ".artifact"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder_is_one_line(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot write"):
        Store(tmp_path).put("a" * 64, ARTIFACT)


def test_folder_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "objects").write_text("in the way")
    with pytest.raises(UserError, match="cannot write"):
        Store(tmp_path).put("a" * 64, ARTIFACT)
    assert (tmp_path / "objects").read_text() == "in the way"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_digest_ignores_the_order_of_names(value):
    assert digest(dict(reversed(value.items()))) == digest(value)


def test_nan_has_no_key():
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical({"x": float("nan")})
