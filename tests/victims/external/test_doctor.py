"""The user's file, what the doctor finds, and what of a checkout enters cache keys."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from vdf_bench.assets.checkouts import find_checkout
from vdf_bench.assets.needs import unmet
from vdf_bench.commands.cli import app
from vdf_bench.core import registry
from vdf_bench.core.errors import UserError
from vdf_bench.plan import Request, build_plan
from vdf_bench.plan.presets import preset
from vdf_bench.runs.arguments import overrides
from vdf_bench.victims.external.doctor import runs_on

SYSTEMS = ("er-nerf", "synctalk", "talkinggaussian", "instag", "gaussiantalker", "mimictalk")


def doctor(name, *options):
    made = CliRunner().invoke(app, ["doctor", name, *options])
    return made.exit_code, made.output, made.exception


def interpreter(folder, **said):
    """Answers the doctor's probe like the Python of a finished environment."""
    answer = {"missing": {}, "torch": "1.12.1+cu113", "cuda": True, "gpu": "RTX 3090", "capability": [8, 6]}
    answer |= {"architectures": ["sm_37", "sm_86", "compute_37"], **said}
    path = folder / "bin" / "python"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\necho noise\necho '@vdf-bench {json.dumps(answer)}'\n")
    path.chmod(0o755)
    (path.parent / "ffmpeg").write_text("#!/bin/sh\n")
    (path.parent / "ffmpeg").chmod(0o755)
    return str(path)


@pytest.mark.parametrize("system", SYSTEMS)
def test_without_a_checkout_it_is_listed_and_left_out(system, bench):
    card = registry.load("victims", f"external.{system}").card
    assert unmet(card) == f"needs a checkout: run `vdf-bench doctor external.{system}`"
    assert "official" in card.tags and card.cost == "hours" and card.url.startswith("https://github.com/")
    code, output, _ = doctor(f"external.{system}")
    assert code == 1
    assert f"missing [{system}] in {bench.folder}/external.toml" in output and "fix: mkdir -p" in output
    assert output.endswith(f"external.{system}: 1 of 1 requirements missing\n")


def test_all_leaves_them_out_with_the_reason(bench):
    plan = build_plan(Request(preset("quick"), victims=("all",)))
    left_out = {item["name"]: item["why"] for item in plan.left_out if item["kind"] == "victim"}
    assert {f"external.{system}" for system in SYSTEMS} <= left_out.keys()
    assert all(why.startswith("needs a checkout") for name, why in left_out.items() if name.startswith("external."))
    with pytest.raises(
        UserError, match=r"victim external.instag needs a checkout: run `vdf-bench doctor external.instag"
    ):
        build_plan(Request(preset("quick"), victims=("external.instag",)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[er-nerf]\nrepo = '/x'\npython = '/y'\nreop = '/z'\n", r"er-nerf.reop: Extra inputs .*keys: repo, python"),
        ("[er-nerf]\nrepo = '/x'\n", r"er-nerf.python: Field required"),
        ("[er-nerf]\nrepo = '/x'\npython = '/y'\niters_scale = 0\n", r"er-nerf.iters_scale: Input should be greater"),
        ("[er-nerf\n", r"cannot be read: .*fix it or delete it"),
    ],
)
def test_a_wrong_file_is_one_line(content, said, bench):
    (bench.folder / "external.toml").write_text(content)
    with pytest.raises(UserError, match=said) as error:
        find_checkout("er-nerf")
    assert "\n" not in str(error.value)
    assert "needs a checkout (" in unmet(registry.load("victims", "external.er-nerf").card)
    assert isinstance(doctor("external.er-nerf")[2], UserError)
    assert "external.er-nerf" in CliRunner().invoke(app, ["list", "victims"]).output


def test_a_finished_installation_is_ready(bench):
    python = interpreter(bench.folder)
    bench.checkout("er-nerf", python=python)
    for options in ((), ("--entry", "video")):
        code, output, _ = doctor("external.er-nerf", *options)
        assert code == 0, output
        assert output.endswith("external.er-nerf: ready\n") and "missing" not in output
    assert unmet(registry.load("victims", "external.er-nerf").card) is None
    assert "79999_iter.pth" in output


def test_every_lack_has_a_line_and_a_remedy(bench):
    python = interpreter(bench.folder, missing={"gridencoder": "ImportError: no module"}, capability=[9, 0])
    kept = bench.folder / "kept"
    kept.mkdir()
    (kept / "79999_iter.pth").write_bytes(b"weights")
    repo = bench.checkout("er-nerf", python=python, weights=False, bfm="/models/bfm")
    with (bench.folder / "external.toml").open("a") as file:
        file.write(f"weights = '{kept}'\n")
    code, output, _ = doctor("external.er-nerf", "--entry", "video")
    assert code == 1
    lines = [line.strip() for line in output.split("\n")]
    lacking = sum(line.startswith("missing ") for line in lines)
    assert lacking == sum(line.startswith("fix: ") and len(line) > 10 for line in lines) == 8
    assert f"fix: cp -r {kept}/79999_iter.pth {repo}/data_utils/face_parsing/79999_iter.pth" in lines
    assert f"fix: cp /models/bfm/01_MorphableModel.mat {repo}/data_utils/face_tracking/3DMM/" in lines
    assert "ImportError: no module" in lines and f"fix: cd {repo} && bash scripts/install_ext.sh" in lines
    assert "has no kernels for sm_90, only for sm_37, sm_86, compute_37" not in lines  # PTX runs on all later ones
    assert [line for line in lines if line.endswith("missing")][-1] == "external.er-nerf: 8 of 17 requirements missing"
    assert doctor("external.er-nerf")[1].endswith(
        "external.er-nerf: 1 of 9 requirements missing\n"
    )  # our capture needs no weights


def test_a_wrong_folder_and_no_interpreter(bench):
    repo = bench.checkout("er-nerf", python="/nowhere/python")
    (repo / "main.py").unlink()
    code, output, _ = doctor("external.er-nerf")
    assert code == 1
    assert "does not look like er-nerf: it has no main.py" in output and "git clone --recursive" in output
    assert "file not found" in output
    with pytest.raises(UserError, match=r"does not look like er-nerf.*vdf-bench doctor external.er-nerf"):
        bench.fit("er-nerf")
    shutil.rmtree(repo)
    assert "not found" in unmet(registry.load("victims", "external.er-nerf").card)


def test_missing_weights_stop_a_fit_before_it_starts(bench):
    bench.checkout("talkinggaussian", weights=False)
    with pytest.raises(UserError, match=r"fpn-fp-512.pth: missing: run `vdf-bench doctor external.talkinggaussian"):
        bench.fit("talkinggaussian")


def test_the_real_probe_answers(bench):
    bench.checkout("mimictalk")
    code, output, _ = doctor("external.mimictalk")
    assert code == 1
    assert "ok      import torch\n" in output and "missing import pytorch3d\n" in output


def test_usage_errors(bench):
    assert isinstance(doctor("external.er-nrf")[2], UserError)
    assert isinstance(doctor("external.mimictalk", "--entry", "capture")[2], UserError)
    assert isinstance(doctor("gaussian", "--entry", "capture")[2], UserError)
    assert doctor("gaussian")[:2] == (0, "ok      no requirements\ngaussian: ready\n")


@pytest.mark.parametrize(
    ("capability", "architectures", "runs"),
    [
        ((8, 6), ["sm_80"], True),
        ((8, 9), ["sm_86"], True),
        ((9, 0), ["sm_80", "sm_86"], False),
        ((9, 0), ["sm_80", "compute_80"], True),
        ((8, 0), ["sm_86"], False),
        ((12, 0), ["sm_90a", "sm_120"], True),
        ((7, 5), [], False),
    ],
)
def test_binaries_and_gpus(capability, architectures, runs):
    assert runs_on(capability, architectures) == runs


def git(repo, *arguments):
    who = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", "-C", str(repo), *who, *arguments], check=True, capture_output=True)


def test_keys_know_the_checkout_and_not_its_place(bench):
    official = registry.load("victims", "external.er-nerf")
    repo = bench.checkout("er-nerf")
    plain = official.fingerprint()
    assert plain.startswith("['files ")
    git(repo, "init", "-q")
    git(repo, "add", ".")
    git(repo, "commit", "-qm", "one")
    first = official.fingerprint()
    (repo / "main.py").write_text("# changed\n")
    changed = official.fingerprint()
    git(repo, "commit", "-qam", "two")
    second = official.fingerprint()
    (repo / "data_utils/face_parsing/79999_iter.pth").write_bytes(b"other weights")
    git(repo, "commit", "-qam", "three")
    heavier = official.fingerprint()
    assert len({plain, first, changed, second, heavier}) == 5
    assert not any(str(bench.folder) in text for text in (plain, first, changed, second, heavier))
    # The same commit in another place is the same system.
    shutil.move(repo, bench.folder / "elsewhere")
    path = bench.folder / "external.toml"
    path.write_text(path.read_text().replace(str(repo), str(bench.folder / "elsewhere")))
    assert official.fingerprint() == heavier
    path.write_text(path.read_text() + "iters_scale = 0.5\n")
    assert official.fingerprint() != heavier


def test_the_fingerprint_is_in_the_key_of_the_fit(bench):
    def fits():
        steps = build_plan(Request(preset("quick"), victims=("external.er-nerf",))).steps.values()
        return {step.key for step in steps if step.name in ("fit", "drive")}

    repo = bench.checkout("er-nerf")
    before = fits()
    assert before == fits()
    (repo / "main.py").write_text("# another method\n")
    assert not before & fits()


def test_dotted_names_take_parameters():
    assert overrides(["external.er-nerf.entry=video"]) == {"external.er-nerf": {"entry": "video"}}
    with pytest.raises(UserError):
        overrides(["entry=video"])
