"""What the page tells first, what it shows of pictures, and where it says that a defense acts."""

import json
import math

import pytest

from vdf_bench.report.answer import Answer
from vdf_bench.report.figures import ALLOWANCE, cards, page_figures
from vdf_bench.report.load import load_run
from vdf_bench.report.page import _code, _lead, _ledger, _tied, write_page
from vdf_bench.report.stages import paths
from vdf_bench.report.track import VIDEO


def told(*verdicts, against="gaussian"):
    return [Answer(verdict, "", "gaussian", f"d{i}", against) for i, verdict in enumerate(verdicts)]


@pytest.mark.parametrize(
    ("verdicts", "start"),
    [
        (("still",), "Yes"),
        (("fails",), "Not with the attacker"),
        (("fails", "fails", "void"), "Not with the attackers of this run: the clone fails in each of the 2 defenses"),
        (("still", "still"), "Yes: the person is still cloned in each of the 2 defenses"),
        (("still", "fails", "partly"), "It depends on the defense: of the 3 defenses, 1 still let"),
        (("void", "unknown"), "This run holds no answer"),
        ((), "This run holds no answer"),
    ],
)
def test_the_lead_answers(verdicts, start):
    assert _lead(told(*verdicts), VIDEO).startswith(start)


def test_the_lead_counts_pairings_where_attackers_differ():
    text = _lead([*told("still"), *told("fails", against="triplane")], VIDEO)
    assert "of 2 pairings of a defense with an attacker, 1 still let" in text


def test_many_answers_are_told_by_attacker_the_worst_news_first():
    ledger = _ledger([*told("fails", "still", "still"), *told("partly", against="triplane")], VIDEO)
    assert [(against, [(v, names) for v, _, names in groups]) for against, groups in ledger] == [
        ("gaussian", [("still", ["d1", "d2"]), ("fails", ["d0"])]),
        ("triplane", [("partly", ["d0"])]),
    ]


def test_ties_share_a_row_but_never_with_a_control():
    rows = [["a", "100 (1)"], ["b", "100 (1)"], ["c", "0 (3)"], ["noise (c)", "0 (3)"]]
    heads, shown = _tied((["at equal L∞", "8/255"], rows), "net DSR [%]")
    assert heads == ["net DSR [%] at equal L∞", "8/255"]
    assert shown == [["a, b", "100 (1)"], ["c", "0 (3)"], ["noise (c)", "0 (3)"]]


def test_code_in_reasons_is_marked_and_escaped():
    assert _code("run `a <b>` & go") == "run <code>a &lt;b&gt;</code> &amp; go"


def test_pictures_come_by_what_the_defense_leaves(built):
    figures, more = page_figures(load_run(built))
    assert (len(figures), more) == (18, 0)
    first = [figure for figure in figures if not figure["again"]]
    assert [figure["control"] for figure in first] == sorted(figure["control"] for figure in first)
    nets = [figure["net"] for figure in first if not figure["control"]]
    assert nets == sorted(nets, reverse=True)
    assert first[0]["defense"] == "vdf" and first[0]["verdict"] == "fails"
    assert all(image.startswith("data:image/webp") for image in first[0]["images"].values())
    refused = next(figure for figure in figures if figure["outcome"] == "refused")
    assert "defended" not in refused["images"] and "outcome refused" in refused["alt"]["defended"]


def test_pictures_that_weigh_too_much_stay_beside_the_page(built, monkeypatch):
    from vdf_bench.report import figures

    assert ALLOWANCE < 2_000_000
    monkeypatch.setattr(figures, "ALLOWANCE", 1)
    shown, more = page_figures(load_run(built))
    assert (len(shown), more) == (1, 17)  # one in any case


def test_an_overview_has_a_card_a_defense(built):
    found = cards(load_run(built))
    assert found[0]["name"] == "unprotected"
    assert len(found) == 1 + 3 * 3
    assert any("no clone (refused)" in card["alt"] for card in found)


def test_the_trace_names_the_first_stage_that_breaks(built):
    found = {
        (path.name, path.attack.split(" · ")[0]): path
        for path in paths(load_run(built))
        if "white-box" in path.attack and path.attack.endswith("as published")
    }
    vdf = found["vdf 12.75/255", "gaussian on composite frames"]
    # The fixture's VDF costs the parser 86 % of the head, and the clone 90 % of its frames, by its lips.
    assert vdf.first == "capture"
    assert [stage.broken for stage in vdf.stages] == [False, True, True, True]
    assert vdf.stages[1].text == "86" and vdf.stages[1].loss == pytest.approx(0.855)
    assert math.isnan(vdf.stages[0].loss)
    assert found["occlude (control)", "gaussian on composite frames"].stages[1].text == "refused"
    assert found["pgd 12.75/255", "gaussian on full frames"].first == ""
    assert all(0 <= stage.loss <= 1 for path in found.values() for stage in path.stages[1:])


def test_claims_are_linked_where_their_page_lies(small):
    run = load_run(small)
    assert 'id="claims"' not in write_page(run, []).read_text()
    (small.parent / "claims.html").write_text(json.dumps({}))
    assert 'href="../claims.html"' in write_page(run, []).read_text()
