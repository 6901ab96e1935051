"""The rule that turns figures into verdicts, on made-up tables in which every verdict is reached."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from vdf_bench.claims.catalogue import CLAIMS, find
from vdf_bench.claims.claim import Claim, Part, Study
from vdf_bench.claims.equal_success import Ratio
from vdf_bench.claims.findings import find_out, find_speed
from vdf_bench.claims.measures import people
from vdf_bench.claims.verdicts import combine, judge, summarise
from vdf_bench.report.load import FolderRun
from vdf_bench.results import COLUMNS

CLIPS = [f"clip-{k}" for k in range(6)]


def row(clip, defense, metric, value, **more):
    """A measurement; a purifier or victim where it is given."""
    base = {
        "linf": 12.75 if defense != "none" else 0.0,
        "floor": 0.0,
        "purifier": "identity",
        "capture": "builtin/repair",
    }
    base |= {
        "target": "composite",
        "victim": "gaussian",
        "seed": 0,
        "arm": "clean" if defense == "none" else "defended",
    }
    base |= {"outcome": "trained", "code": "", "stage": "clone", "unit": "", "better": "up", "n": 28}
    return {**base, "clip": clip, "defense": defense, "metric": metric, "value": value, **more}


def run_of(tmp_path, rows, traces=(), identities=None):
    """A run in memory."""
    found = FolderRun(
        tmp_path, pd.DataFrame(rows, columns=list(COLUMNS)), {"identities": identities or {}, "steps": []}
    )
    found.__dict__["traces"] = pd.DataFrame(list(traces), columns=["clip", "defense", "seed", "name", "value"])
    return found


def cloned(dsr, clean=0.0, **more):
    """A defended cell and its clean twin on each clip."""
    rows = [row(clip, "none", "dsr", clean, **more) for clip, _ in zip(CLIPS, dsr, strict=False)]
    return rows + [row(clip, "vdf", "dsr", value, **more) for clip, value in zip(CLIPS, dsr, strict=False)]


def claim_of(*parts, any_part=False, missing=""):
    return Claim("it", "It works", "A paper", "“it works”", "Tried.", Study(), parts, any_part, missing=missing)


NET = Part("net DSR", "dsr", 0.5, "net", victim="gaussian", unit="%")


@pytest.mark.parametrize(
    ("dsr", "verdict", "basis"),
    [
        ([0.8, 0.85, 0.9, 0.95, 0.92, 0.88], "reproduced", "6 people"),
        ([1.0] * 5, "reproduced", "5 people, all alike"),
        ([1.0] * 4, "partly", "4 people, no interval"),
        ([1.0], "partly", "single observation"),
        ([0.0, 1.0, 1.0, 1.0, 0.2, 0.3], "partly", "6 people"),
        ([0.1, 0.2, 0.1, 0.3, 0.2, 0.15], "not reproduced", "6 people"),
        ([0.2], "not reproduced", "single observation"),
        ([], "not testable here", "0 of 0 people"),
    ],
)
def test_every_verdict_is_reached(tmp_path, dsr, verdict, basis):
    found = find_out(claim_of(NET), run_of(tmp_path, cloned(dsr)), "again")
    assert (found.verdict, found.basis) == (verdict, basis)


def test_a_mean_above_the_bound_is_not_enough():
    measured = summarise(dict(zip(CLIPS, [0.0, 1.0, 1.0, 1.0, 0.2, 0.3], strict=True)))
    assert measured.value > 0.5 > measured.low
    assert judge(measured, 0.5) == "partly"


def test_clips_of_one_person_count_once(tmp_path):
    run = run_of(tmp_path, cloned([1.0] * 5), identities=dict.fromkeys(CLIPS, "one"))
    assert find_out(claim_of(NET), run, "").basis == "single observation"


def test_net_figures_lose_what_the_attack_does_itself(tmp_path):
    assert people(run_of(tmp_path, cloned([0.9], clean=0.6)), NET) == {"clip-0": pytest.approx(0.3)}


def test_void_people_are_left_out_and_told(tmp_path):
    rows = cloned([1.0] * 6)
    for measured in rows:
        if measured["clip"] == CLIPS[0]:
            measured["outcome"] = "void"
    (figure,) = find_out(claim_of(NET), run_of(tmp_path, rows), "").figures
    assert figure.basis == "5 people, all alike; 1 of 6 void"


def test_many_parts_are_told_by_their_ends_and_voids(tmp_path):
    parts = [Part(chain, "dsr", 0.5, "net", victim="gaussian", purifier=chain, unit="%") for chain in "abcd"]
    rows = [row for chain, dsr in zip("abc", (0.6, 0.8, 0.9), strict=True) for row in cloned([dsr], purifier=chain)]
    found = find_out(claim_of(*parts), run_of(tmp_path, rows), "")
    assert found.short.replace("\N{NO-BREAK SPACE}", " ") == "a: 60 %; c: 90 %; void: d"
    assert (found.verdict, found.basis) == ("partly", "single observation")


def test_a_purifier_is_not_taken_for_another(tmp_path):
    run = run_of(tmp_path, cloned([1.0], purifier="jpeg:75") + cloned([0.2], purifier="identity"))
    plain, squeezed = (
        people(run, Part("", "dsr", how="net", purifier=chain, victim="gaussian")) for chain in ("identity", "jpeg:75")
    )
    assert (plain, squeezed) == ({"clip-0": pytest.approx(0.2)}, {"clip-0": pytest.approx(1.0)})


def test_two_defenses_are_compared_clip_by_clip(tmp_path):
    rows = [row(clip, "vdf", "psnr", 30.0 + k, purifier="", victim="") for k, clip in enumerate(CLIPS)]
    rows += [row(clip, "less", "psnr", 29.0 + k, purifier="", victim="") for k, clip in enumerate(CLIPS[:3])]
    traces = [(clip, name, 0, "seconds", cost) for clip in CLIPS for name, cost in (("vdf", 0.1), ("less", 0.4))]
    run = run_of(tmp_path, rows, traces)
    lost = people(run, Part("", "psnr", how="lost", defense="less", against="vdf"))
    assert lost == dict.fromkeys(CLIPS[:3], pytest.approx(1.0))
    times = people(run, Part("", "seconds", how="ratio", defense="less", against="vdf", traced=True))
    assert times == dict.fromkeys(CLIPS, pytest.approx(4.0))


def test_ratios_are_averaged_geometrically():
    assert summarise({"a": 2.0, "b": 8.0}, ratio=True).value == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("verdicts", "every", "best"),
    [
        (["reproduced", "reproduced"], "reproduced", "reproduced"),
        (["reproduced", "not reproduced"], "partly", "reproduced"),
        (["not reproduced", "not reproduced"], "not reproduced", "not reproduced"),
        (["partly", "not reproduced"], "partly", "partly"),
        (["reproduced", "not testable here"], "partly", "reproduced"),
        (["not testable here"], "not testable here", "not testable here"),
    ],
)
def test_parts_make_a_claim(verdicts, every, best):
    assert combine(verdicts) == every
    assert combine(verdicts, any_part=True) == best


def test_what_is_missing_keeps_a_claim_from_being_judged(tmp_path):
    found = find_out(claim_of(NET, missing="editors"), run_of(tmp_path, cloned([1.0] * 5)), "")
    assert found.verdict == "not testable here"


def ratio(value, low, high, relation="=", of=5):
    return Ratio("pgd", value, low, high, value, relation, of if relation == "=" else 0, of)


@pytest.mark.parametrize(
    ("ratios", "said", "verdict"),
    [
        ([ratio(7, 6, 8)], "not reproduced: ...", "not reproduced"),
        ([ratio(46, 40, 50)], "reproduced: ...", "reproduced"),
        ([ratio(90, 80, 99)], "exceeded: ...", "reproduced"),
        ([ratio(60, None, None, of=2)], "not decided: ...", "partly"),
        ([ratio(7, None, None, of=2)], "not decided: ...", "not reproduced"),
        ([ratio(60, 50, 70)], "not decided: another may be faster", "partly"),
        ([ratio(60, 50, 70, ">=")], "not decided: ...", "not testable here"),
    ],
)
def test_speed_is_judged_by_bounds_too(ratios, said, verdict):
    found = find_speed(find("speedup"), ratios, said, "again", 1.0, 47)
    assert found.verdict == verdict
    assert found.notes == (said.partition(": ")[2],)  # the sentence, without the word of its own rule


def test_findings_are_kept_as_plain_json(tmp_path):
    found = find_out(claim_of(NET), run_of(tmp_path, cloned([0.9, 0.8])), "again")
    kept = json.loads(json.dumps(found.record(), allow_nan=False))
    assert kept["verdict"] == "partly"
    assert kept["figures"][0]["measured"]["people"] == {"clip-0": 0.9, "clip-1": 0.8}


def test_every_claim_names_what_exists():
    from vdf_bench.attackers.chain import canonical_chain
    from vdf_bench.core import registry
    from vdf_bench.judges.declared import declared_metrics

    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        assert claim.study is not None or claim.name == "speedup"
        assert all(part.bound is not None for part in claim.parts)
        assert all(part.bound is None for part in claim.beside)
        if claim.study is None:
            continue
        # Tables hold chains in this form, and figures are looked up by it.
        assert [canonical_chain(chain) for chain in claim.study.chains] == list(claim.study.chains)
        for part in (*claim.parts, *claim.beside):
            assert part.traced or part.metric in declared_metrics()
            ran = {*claim.study.defenses, *claim.study.controls}
            named = {name.partition("@")[0] for name in (part.defense, part.against)} - {""}
            surrogates = {name.partition("@")[2] for name in (part.defense, part.against)} - {""}
            assert named <= ran <= set(registry.names("defenses"))
            assert surrogates <= set(claim.study.victims)
            assert part.purifier in claim.study.chains
            assert part.victim in ("", *claim.study.victims)
