"""From a defense to a page: packed, checked, computed again, shown; and what tampering gives away."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest


def run(*words, **options):
    command = [sys.executable, "-m", "vdf_bench.commands.cli", *map(str, words)]
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500, check=False, **options)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The whole way with the quickest defense: the submission, its record and the site."""
    home = tmp_path_factory.mktemp("board")
    who = ["--contact", "a@example.org", "--author", "A. Person", "--suite", "vdf-bench-v1-smoke"]
    pack = ["--defense", "pgd", "--set", "pgd.steps=2", "--out", home / "entry", "--store", home / "store"]
    code, _, err = run("submit", *pack, *who, "--jobs", 2)
    assert code == 0, err
    code, said, err = run("leaderboard", "check", home / "entry")
    assert code == 0 and "accepted: pgd 1" in said, said + err
    (home / "records").mkdir()
    options = ["--store", home / "store", "--records", home / "records", "--out", home / "run", "--jobs", 2]
    code, said, err = run("leaderboard", "verify", home / "entry", *options, "--publish")
    assert code == 0 and "wrote" in said, said + err
    code, said, err = run("leaderboard", "build", home / "site", "--records", home / "records")
    assert code == 0, err
    return home, options


def test_the_entry_stands_on_the_site(whole):
    home, _ = whole
    page = (home / "site/entries/vdf-bench-v1-smoke/pgd-v1.html").read_text()
    assert "verified" in page and "pgd" in page
    record = json.loads((home / "records/vdf-bench-v1-smoke/pgd-v1.json").read_text())
    assert {cell["attack"] for cell in record["cells"]} == {"as published", "other parser"}
    assert record["seconds_per_frame"] is None and record["frames"][0]["fidelity"]["linf"] <= 12
    assert len(list((home / "site/pictures").rglob("*.png"))) >= 3
    assert (home / "run/report.html").is_file()


def test_a_second_verification_agrees_and_computes_nothing(whole):
    home, options = whole
    code, said, err = run("leaderboard", "verify", home / "entry", *options)
    assert code == 0 and "agrees with the record of pgd-v1: 1 clips, 2 cells" in said, said + err
    assert "train" not in said


def spoilt(whole, tmp_path, change):
    """The entry with changed frames, all hashes put right again."""
    import hashlib

    from vdf_bench.core.frames import frames_digest
    from vdf_bench.leaderboard.strict_json import canonical_bytes
    from vdf_bench.video.decode import read_frames
    from vdf_bench.video.encode import write_video

    home, _ = whole
    root = tmp_path / "entry"
    shutil.copytree(home / "entry", root)
    video = root / "synth-a-12.75.mkv"
    frames = np.stack(list(read_frames(video)))
    change(frames)
    write_video(video, iter(frames))
    value = json.loads((root / "manifest.json").read_bytes())
    data = video.read_bytes()
    value["files"][0] |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return (
        root,
        value,
        lambda honest: (root / "manifest.json").write_bytes(
            canonical_bytes(
                value | ({"clips": [value["clips"][0] | {"frames_sha256": frames_digest(frames)}]} if honest else {})
            )
        ),
    )


@pytest.mark.parametrize("honest", [True, False])
def test_one_tampered_pixel_is_found_and_named(whole, tmp_path, honest):
    def nudge(frames):
        frames[7, 20, 11, 2] += 1 if frames[7, 20, 11, 2] < 128 else -1

    root, _, write = spoilt(whole, tmp_path, nudge)
    write(honest)
    _, options = whole
    code, said, _ = run("leaderboard", "verify", root, *options)
    assert code == 1
    assert (
        "disagrees with the record of pgd-v1: synth-a at 12.75 levels, frame 7: pixel at column 11, row 20: blue"
        in said
    )
    assert ("frames-hash" in said) == (not honest)


def test_a_tampered_file_is_located_too(whole, tmp_path):
    home, options = whole
    root = tmp_path / "entry"
    shutil.copytree(home / "entry", root)
    video = root / "synth-a-12.75.mkv"
    data = bytearray(video.read_bytes())
    data[len(data) // 2] ^= 0xFF
    video.write_bytes(bytes(data))
    code, said, _ = run("leaderboard", "verify", root, *options)
    assert code == 1 and "file-hash" in said
    assert "disagrees with the record of pgd-v1: synth-a" in said


def test_a_tampered_figure_is_found(whole, tmp_path):
    home, options = whole
    records = tmp_path / "records"
    shutil.copytree(home / "records", records)
    path = records / "vdf-bench-v1-smoke/pgd-v1.json"
    text = path.read_text()
    assert '"net":0.0' in text
    path.write_text(text.replace('"net":0.0', '"net":0.9', 1))
    changed = [records if word == home / "records" else word for word in options]
    code, said, _ = run("leaderboard", "verify", home / "entry", *changed)
    assert code == 1 and "0.9000 in the record" in said


def test_the_same_frames_under_another_name_are_a_copy(whole, tmp_path):
    home, _ = whole
    root = tmp_path / "entry"
    shutil.copytree(home / "entry", root)
    path = root / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"name":"pgd"', b'"name":"my-own"'))
    code, said, _ = run("leaderboard", "check", root, "--records", home / "records", "--format", "json")
    found = json.loads(said)
    assert code == 1 and found["refused"]
    assert [finding["rule"] for finding in found["findings"]] == ["copied-frames"]


@pytest.mark.parametrize(
    "words, says",
    [
        (["leaderboard", "check", "nowhere"], "neither a folder nor a tar archive"),
        (["leaderboard", "check", ".", "--format", "xml"], "--format"),
        (["leaderboard", "suite", "vdf-bench-v2"], "did you mean"),
        (["leaderboard", "build", "x", "--records", "nowhere"], "not a folder"),
        (["submit", "--defense", "vfd", "--out", "x", "--contact", "a", "--author", "A"], "did you mean 'vdf'"),
    ],
)
def test_wrong_usage_is_one_line(words, says, tmp_path):
    code, out, err = run(*words, cwd=tmp_path)
    assert code == 2 and says in err and len(err.splitlines()) == 1 and not out


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
def test_signatures_hold_for_the_very_bytes(good, tools, tmp_path):
    from vdf_bench.leaderboard import signature

    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
    root = tmp_path / "signed"
    shutil.copytree(good, root)
    manifest = root / "manifest.json"
    made = signature.sign(manifest, key)
    assert tools.rules_of(root) == set()
    signed = signature.check(manifest.read_bytes(), made.read_bytes())
    assert signed.key.startswith("SHA256:") and not signed.problem and not signed.signer
    allowed = tmp_path / "allowed"
    public = Path(f"{key}.pub").read_text()
    allowed.write_text(f"someone@example.org {public}")
    assert signature.check(manifest.read_bytes(), made.read_bytes(), allowed).signer == "someone@example.org"
    manifest.write_bytes(manifest.read_bytes().replace(b"A. Person", b"B. Person"))
    assert tools.rules_of(root) == {"signature-invalid"}
