import csv
import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser
from io import StringIO

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from vdf_bench import report
from vdf_bench.core.errors import UserError
from vdf_bench.report.answer import answers
from vdf_bench.report.load import load_run
from vdf_bench.report.pictures import difference, read_index
from vdf_bench.report.tables import verdict
from vdf_bench.report.track import GAIN
from vdf_bench.results import write_results


class Page(HTMLParser):
    """Collects tags and text; void elements do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data if not self.open or self.open[-1] != "style" else ""


def terminal(folder, width=100):
    stream = StringIO()
    report.print_summary(folder, Console(file=stream, width=width))
    return stream.getvalue()


def test_verdicts_follow_the_thresholds():
    assert [verdict(v) for v in (0.5, 0.49, 0.1, -0.3, math.nan)] == ["fails", "partly", "still", "still", "unknown"]


def test_answers_take_the_worst_purifier_and_keep_white_box_apart(built):
    found = {
        (a.defense, a.text.split("(")[1].split(")")[0]): a for a in answers(load_run(built)) if a.victim == "gaussian"
    }
    white = found["vdf", "white-box, composite frames"]
    assert white.verdict == "partly"
    assert "after jpeg" in white.text
    assert "as published +9" in white.text
    assert found["vdf", "transfer, composite frames"].verdict == "still"
    assert all(defense in ("vdf", "pgd") for defense, _ in found)


def test_answer_as_published(small):
    texts = [a.text for a in answers(load_run(small)) if a.victim == "gaussian" and a.defense == "vdf"]
    assert re.match(
        r"With vdf at 12\.75/255, gaussian \(white-box, composite frames\) no longer clones 2 clips: "
        r"DSR \+\d\d\xa0% \(head PSNR \d\d\.\d → \d\d\.\d dB, outcome frozen\)\.$",
        texts[0],
    )


def test_a_run_of_void_cells_proves_nothing(small, make):
    rows = [row | {"outcome": "void"} if row["victim"] else row for row in make.rows(["synth-a"], 1, ("identity",))]
    write_results(rows, small / "results.parquet")
    run = load_run(small)
    assert {a.verdict for a in answers(run)} == {"void"}
    assert run.summary["dsr_delta"].isna().all()
    report.build(small)
    assert "proves nothing" in terminal(small)


def test_terminal_answers_first_and_fits(built):
    text = terminal(built)
    lines = text.splitlines()
    assert lines[0].startswith("With ")
    assert max(map(len, lines)) <= 100
    flat = " ".join(text.split())
    assert "needs weights:syncnet" in flat
    assert "head_psnr 21.3, needs at least 25" in flat
    assert "dsr_identity 0.5, needs at most 0.1" in flat
    assert "n = 6 clips, 2 seeds, 28 held-out frames" in flat
    assert "A high score is no guarantee" in flat
    assert "…" not in text


def test_no_interval_below_five_clips(small):
    text = terminal(small)
    assert "Fewer than 5 people" in " ".join(text.split())
    assert not re.search(r"\[[+−]\d", text)


def test_summary_numbers_are_those_of_the_table(built, make):
    with (built / "summary.csv").open() as stream:
        summary = list(csv.DictReader(stream))
    assert len(summary) == 4 * 3 * 2 * 2
    row = next(
        r for r in summary
        if (r["defense"], r["victim"], r["target"], r["purifier"], r["capture"])
        == ("vdf", "triplane", "composite", "jpeg", "builtin/strict")
    )  # fmt: skip
    rows = [
        r for r in make.rows(["synth-a", "synth-b", "synth-c", "synth-d", "synth-e", make.WEIRD])
        if r["metric"] == "dsr" and r["victim"] == "triplane" and r["purifier"] == "jpeg"
        and r["capture"] == "builtin/strict" and r["outcome"] != "void"
    ]  # fmt: skip
    defended = np.mean([r["value"] for r in rows if r["defense"] == "vdf"])
    clean = np.mean([r["value"] for r in rows if r["arm"] == "clean"])
    assert float(row["dsr_delta"]) == pytest.approx(defended - clean)
    assert (row["clips"], row["void"], row["access"], row["outcome"]) == ("5", "2", "white-box", "trained 10, void 2")
    assert float(row["dsr_low"]) < float(row["dsr_delta"]) < float(row["dsr_high"])


def test_tables_escape_names(small, make):
    rows = [
        row | {"defense": "a|b_c&<i>"} if row["defense"] == "vdf" else row for row in make.rows(["x"], 1, ("identity",))
    ]
    write_results(rows, small / "results.parquet")
    report.build(small)
    lines = (small / "summary.md").read_text().splitlines()
    assert r"a\|b\_c&\<i\>" in lines[2] + lines[3]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    latex = (small / "summary.tex").read_text()
    assert r"a|b\_c\&\textless{}i\textgreater{}" in latex
    assert r"\toprule" in latex


def test_page_is_self_contained_and_escaped(built, make):
    html = (built / "report.html").read_text()
    page = Page(html)
    assert page.open == []
    names = [tag for tag, _ in page.tags]
    assert "script" not in names
    assert "link" not in names
    assert make.WEIRD in page.text
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "poster"):
            assert attributes.get(name, "data:").startswith(("data:", "#")), (tag, name)
    assert "url(" not in html
    assert names.count("video") >= 6
    order = ["It depends on", "Each in a sentence", "Clean → defended", "Held-out moments", "keeps", "breaks first at"]
    places = [html.index(text) for text in order]
    assert places == sorted(places)
    assert "A high score is no guarantee" in page.text
    assert "no clone (refused)" in page.text


def test_rebuilding_from_the_folder_gives_the_same_bytes(built):
    names = ["report.html", "summary.csv", "summary.md", "summary.tex", "plots/effect-transfer.svg", "plots/cost.png"]
    before = {name: (built / name).read_bytes() for name in names}
    report.build(built)
    assert {name: (built / name).read_bytes() for name in names} == before


def test_plots_exist_where_there_is_something_to_show(built, small, make):
    stems = {path.name for path in (built / "plots").iterdir()}
    assert stems == {
        f"{name}.{kind}"
        for name in ("attackers", "effect-white-box", "effect-transfer", "fidelity", "cost", "stages")
        for kind in ("png", "svg")
    }  # fmt: skip
    rows = make.rows(["x"], 1, ("identity",))
    write_results([row for row in rows if row["stage"] not in ("capture", "cost")], small / "results.parquet")
    report.build(small)
    assert {path.stem for path in (small / "plots").iterdir()} == {
        "attackers", "effect-white-box", "effect-transfer", "fidelity",
    }  # fmt: skip


def test_run_without_victims_says_so(small, make):
    write_results([row for row in make.rows(["x"], 1) if not row["victim"]], small / "results.parquet")
    report.build(small)
    assert "No victim was run" in terminal(small)
    assert (
        "No victim was run, so there is no answer to whether a clone is possible" in (small / "report.html").read_text()
    )


def test_difference_is_amplified_around_grey():
    original = np.full((2, 4, 4, 3), 100, np.uint8)
    protected = original.copy()
    protected[0, 0, 0] = (103, 97, 255)
    amplified = difference(original, protected)
    assert amplified[0, 0, 0].tolist() == [128 + 3 * GAIN, 128 - 3 * GAIN, 255]
    assert amplified[1].tolist() == np.full((4, 4, 3), 128).tolist()


def test_media_hold_what_was_shown(built):
    index = read_index(built)
    assert len(index) == 2 * 3 * 3
    first = index[0]
    picture = np.asarray(Image.open(built / "media" / first["strips"]["original"]))
    assert picture.shape == (32, 4 * 32 + 3, 3)
    assert first["moments"] == [round((86 + m) / 25, 2) for m in (1, 3, 5, 7)]
    refused = [picture for picture in index if picture["outcome"] == "refused"]
    assert refused
    assert all("defended" not in picture["strips"] for picture in refused)


def test_an_index_that_points_elsewhere_is_refused(small):
    (small / "media").mkdir()
    entry = {"strips": {"original": "../run.json"}, "video": ""}
    (small / "media" / "index.json").write_text(json.dumps({"schema": 1, "pictures": [entry]}))
    with pytest.raises(UserError, match="not in media"):
        read_index(small)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 9}', '{"schema": 1, "gates": "x"}', '{"schema": 1, "notes": [3]}']
)
def test_a_broken_record_is_one_line(small, text):
    (small / "run.json").write_text(text)
    with pytest.raises(UserError):
        load_run(small)


def test_report_needs_no_torch_and_its_package_no_pandas():
    code = "import sys, vdf_bench.report as r; assert 'pandas' not in sys.modules and 'matplotlib' not in sys.modules; "
    code += "import vdf_bench.report.page, vdf_bench.report.plots, vdf_bench.report.terminal, vdf_bench.video; "
    code += "assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
