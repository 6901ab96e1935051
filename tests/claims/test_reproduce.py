"""``reproduce``: what it lists and refuses, its page, and one small claim from the clip to the verdict."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from vdf_bench.claims.catalogue import CLAIMS, CLIPS, find
from vdf_bench.claims.claim import Study
from vdf_bench.claims.findings import Figure, Finding
from vdf_bench.claims.page import lead, markdown, render
from vdf_bench.claims.reproduce import Setup, request, write_findings
from vdf_bench.claims.verdicts import RULE, summarise
from vdf_bench.core.budget import Budget
from vdf_bench.plan.presets import preset

ODD = '<script>alert("ä")</script> & $x_1$'


def test_list_names_every_claim(vdf_bench):
    code, out, _ = vdf_bench("reproduce", "list")
    assert code == 0
    for claim in CLAIMS:
        assert claim.name in out
        assert claim.title in out


def test_list_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['vdf-bench', 'reproduce', 'list']\n"
        "from vdf_bench.commands import cli\n"
        "try: cli.main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "heavy = {'torch', 'numba', 'pandas', 'matplotlib', 'skimage', 'scipy', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scalling"], "Did you mean 'scaling'"),
        (["scaling", "--preset", "quik"], "did you mean 'quick'"),
        (["all", "--clip", "synth-aa"], "not found"),
        (["all", "--clip", ","], "is empty"),
        (["fidelity", "--budget", "many"], "budget"),
    ],
)
def test_bad_words_are_one_line(vdf_bench, words, said):
    code, out, err = vdf_bench("reproduce", *words)
    assert code == 2
    assert not out
    assert err.count("\n") == 1
    assert said in err


def test_every_claim_has_a_command(vdf_bench):
    for claim in CLAIMS:
        code, out, _ = vdf_bench("reproduce", claim.name, "--help")
        assert code == 0
        assert "--out" in out


def setup(tmp_path, **more):
    asked = {"preset": preset("quick"), "clips": CLIPS, "budget": Budget(0.05), "out": tmp_path, "jobs": 1}
    return Setup(**(asked | more))


def test_claims_share_their_steps(tmp_path):
    from vdf_bench.plan import build_plan

    one = replace(setup(tmp_path), clips=("synth-a",))
    plans = {claim.name: build_plan(request(claim.study, one)) for claim in CLAIMS if claim.study}
    protected = [
        {key for key, step in plans[name].steps.items() if step.name == "protect"}
        for name in ("effectiveness", "scaling", "purification")
    ]
    assert protected[0] == protected[1] == protected[2]
    # Ablations share the whole of vdf's side, clip, protection, capture and its judgement.
    assert len(set(plans["ablation-nomask"].steps) & set(plans["ablation-spatial"].steps)) >= 5


def test_a_dear_defense_runs_on_fewer_and_shorter_clips(tmp_path):
    asked = request(Study(length="@16f", clips=1), setup(tmp_path))
    assert asked.clips == ("synth-a@16f",)


def test_a_claim_on_images_runs_on_portraits_at_its_own_budget(tmp_path):
    asked = request(find("grasp").study, setup(tmp_path))
    assert (asked.track, asked.clips, asked.preset.frames, asked.preset.size) == ("images", ("portraits:50",), 1, 128)
    assert [bound.levels for bound in asked.budgets] == [pytest.approx(6.4)]
    fewer = request(find("grasp").study, replace(setup(tmp_path), clips=("portraits:3",)))
    assert fewer.clips == ("portraits:3",)


def findings():
    one = summarise({"a": 0.9})
    figure = Figure(ODD, "%", 0.5, one, "partly", 1)
    claim = replace(find("fidelity"), title=ODD, quote=ODD, protocol=ODD)
    absent = replace(find("grasp"), missing="facial attribute editors")
    return [
        Finding(claim, (figure, figure), (figure,), "partly", f"vdf-bench {ODD}", (ODD,), 1.0),
        Finding(absent, (), (replace(figure, name="PSNR"),), "not testable here", "again", (), 1.0),
    ]


HEAD = {
    "preset": {"name": "quick", "size": 96, "frames": 80},
    "clips": ["a", ODD],
    "seeds": [0],
    "budget": "12.75/255",
    "command": "vdf-bench reproduce all",
    "cpu_seconds": 100.0,
    "environment": {"vdf-bench": "0", "cpu": ODD},
}


def test_page_escapes_and_stands_alone():
    page = render(findings(), HEAD)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 6
    assert "http" not in page.replace("https://arxiv.org", "")
    assert RULE in page.replace("&#39;", "'")
    assert "facial attribute editors" in page


def test_findings_are_written_whole(tmp_path):
    page = write_findings(findings(), setup(tmp_path))
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    record = json.loads((tmp_path / "claims.json").read_text(encoding="utf-8"))
    assert record["rule"] == RULE
    assert [kept["verdict"] for kept in record["claims"]] == ["partly", "not testable here"]
    assert (tmp_path / "claims.md").is_file()


def test_lead_and_table_count_verdicts():
    assert "1 partly, 1 not testable here" in lead(findings())
    assert markdown(findings()).count("\n") == 4


def test_a_small_claim_from_clip_to_verdict(vdf_bench, tmp_path):
    words = [
        "reproduce",
        "fidelity",
        "--clip",
        "synth-a",
        *("--size", "32", "--frames", "16"),
        "--jobs",
        "1",
        "--out",
        tmp_path / "r",
    ]
    code, out, err = vdf_bench(*words)
    assert code == 0, err
    assert "verdict: " in out
    assert "single observation" in out
    assert "reproduce fidelity --preset quick --size 32 --frames 16 --clip synth-a" in out
    record = json.loads((tmp_path / "r" / "fidelity" / "run.json").read_text())
    assert record["plan"]["computed"] == record["plan"]["steps"]
    begun = (tmp_path / "r" / "fidelity" / "run.json").stat().st_mtime_ns
    code, again, _ = vdf_bench(*words)
    assert code == 0
    assert again == out[out.index("VDF's protected video") :]
    assert (tmp_path / "r" / "fidelity" / "run.json").stat().st_mtime_ns == begun
