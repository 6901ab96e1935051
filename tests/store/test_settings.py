"""Seconds that a user sets in the environment: a number within bounds, or one line."""

from __future__ import annotations

import pytest

from vdf_bench.core.errors import UserError
from vdf_bench.store import Store
from vdf_bench.store.leases import TERM, TERM_VARIABLE, Leases
from vdf_bench.store.store import PATIENCE, PATIENCE_VARIABLE


@pytest.fixture(params=[PATIENCE_VARIABLE, TERM_VARIABLE])
def given(request, tmp_path, monkeypatch):
    """Sets a variable and returns the seconds that come of it."""

    def seconds(text):
        monkeypatch.setenv(request.param, text)
        store = Store(tmp_path)
        return store.place._patience if request.param == PATIENCE_VARIABLE else Leases(store.place).term

    return seconds


@pytest.mark.parametrize("text", ["abc", "-5", "0", "nan", "inf", "1e300", "0.01"])
def test_what_is_no_number_of_seconds_is_one_line(given, text):
    with pytest.raises(UserError, match="give seconds"):
        given(text)


def test_a_number_is_taken(given):
    assert given("7.5") == 7.5
    assert given("") in (PATIENCE, TERM)
