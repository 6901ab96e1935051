"""``vdf-bench store``: what is in it, whether it is sound, what can go, and how a part is carried elsewhere."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from vdf_bench.commands.cli import app
from vdf_bench.core.artifact import Artifact
from vdf_bench.core.errors import UserError
from vdf_bench.store import Store

KEYS = [f"{k}" * 64 for k in range(4)]


@pytest.fixture
def kept(tmp_path):
    """A store with four artifacts, and a run that rests on two of them."""
    store = Store(tmp_path / "store")
    for k, key in enumerate(KEYS):
        made = {"step": ("clip", "fit")[k % 2], "label": f"step {k}"}
        store.put(key, Artifact({"x": np.full(5, k)}, {"made": made, "cost": {"cpu": 30.0}}))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(json.dumps({"steps": [{"key": key} for key in KEYS[:2]]}))
    return store


def say(*words):
    found = CliRunner().invoke(app, ["store", *map(str, words)])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.output


def test_ls_counts_by_step(kept):
    code, said = say("ls", kept.root, "--all")
    assert code == 0
    assert "4 artifacts" in said
    assert "60 s" in said
    assert "step 3" in said and KEYS[3][:16] in said


def test_verify_finds_what_is_damaged(kept):
    assert say("verify", kept.root) == (0, "4 intact, 0 damaged\n")
    kept.path(KEYS[1]).write_bytes(kept.path(KEYS[1]).read_bytes()[:-1])
    code, said = say("verify", kept.root)
    assert code == 1
    assert KEYS[1] in said and "3 intact, 1 damaged" in said
    assert say("gc", kept.root)[1].startswith("1 damaged artifacts deleted")
    assert kept.quarantined() == 0


def test_gc_takes_drafts_unless_somebody_may_be_writing(kept):
    from vdf_bench.store.leases import Leases

    draft = kept.root / "objects" / "00" / ".x.artifact.1.partial"
    draft.write_bytes(b"half")
    with Leases(kept.place):
        say("gc", kept.root)
        assert draft.exists()
    assert "1 drafts of killed writers deleted" in say("gc", kept.root)[1]
    assert not draft.exists()
    assert len(list(kept.held())) == 4


def test_gc_keeps_what_a_run_rests_on(kept, tmp_path):
    run = tmp_path / "run"
    assert "2 artifacts of no kept run would be deleted" in say("gc", kept.root, "--keep", run, "--dry-run")[1]
    assert len(list(kept.held())) == 4
    say("gc", kept.root, "--keep", run)
    assert {key for key, _ in kept.held()} == set(KEYS[:2])
    with pytest.raises(UserError, match="is not a finished run"):
        say("gc", kept.root, "--keep", tmp_path)


def test_gc_leaves_claims_of_drivers_that_live(kept):
    from vdf_bench.store.leases import Leases

    with Leases(kept.place) as alive:
        assert alive.claim("k")
        dead = {"beat": 1, "term": 9, "machine": "", "pid": 1, "started": ""}
        kept.place.create("claims/other.0", b"gone")
        kept.place.create("drivers/old", json.dumps({**dead, **_here(), "pid": 2**22 + 1}).encode())
        said = say("gc", kept.root)[1]
        assert "1 dead drivers deleted" in said and "1 claims of dead drivers deleted" in said
        assert kept.place.exists("claims/k.0") and kept.place.exists(f"drivers/{alive.me}")


def _here():
    from vdf_bench.store.leases import _process

    return _process()


def test_export_carries_a_run_to_another_store(kept, tmp_path, s3_url):
    code, said = say("export", kept.root, s3_url, "--run", tmp_path / "run")
    assert code == 0
    assert said.startswith("2 artifacts copied")
    there = Store(s3_url)
    assert {key for key, _ in there.held()} == set(KEYS[:2])
    np.testing.assert_array_equal(there.get(KEYS[1]).arrays["x"], np.full(5, 1))
    assert say("export", kept.root, s3_url)[1].startswith("2 artifacts copied")  # the other two
    kept.path(KEYS[0]).write_bytes(b"")
    code, said = say("export", kept.root, tmp_path / "third")
    assert code == 1 and KEYS[0] in said


def test_a_folder_that_is_no_store_is_one_line(tmp_path):
    with pytest.raises(UserError, match="is not a store"):
        say("ls", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("to", "said"), [("", "is empty"), ("memory://x", "only in the memory")])
def test_nothing_is_copied_to_where_it_is_lost(kept, tmp_path, monkeypatch, to, said):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError, match=said):
        say("export", kept.root, to)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_store_without_a_name_is_not_read(kept, monkeypatch):
    monkeypatch.chdir(kept.root)
    with pytest.raises(UserError, match="is empty"):
        say("ls", "")
