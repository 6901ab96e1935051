"""The report of single portraits: its own words and measures, a transfer matrix, grids of edits."""

import json
from io import StringIO
from itertools import product

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from vdf_bench import report
from vdf_bench.report.answer import answers
from vdf_bench.report.load import load_run
from vdf_bench.report.pictures import read_index
from vdf_bench.report.track import IMAGES
from vdf_bench.report.transfer import matrices
from vdf_bench.results import write_results
from vdf_bench.results.picture import Picture

EDITORS = ("editor-a", "editor-b")
EDITS = ("beard", "<b>smile</b>")


def rows(portraits=6, purifiers=("identity", "jpeg:50")):
    """grasp holds its own editor, a third of it carries over, JPEG halves all of it; noise does nothing."""
    table = []

    def add(cell, stage, **values):
        for metric, value in values.items():
            unit = "dB" if metric.endswith("psnr") else ""
            told = {"stage": stage, "metric": metric, "unit": unit, "better": "up", "value": value, "n": 5}
            table.append({**cell, "outcome": "edited", "code": "", **told})

    def place(k, defense, linf, arm, purifier="", victim=""):
        named = {"clip": f"portrait-{k:03d}", "defense": defense, "linf": linf, "floor": 0.0, "purifier": purifier}
        return {**named, "capture": "", "target": "", "victim": victim, "seed": 0, "arm": arm}

    made = [("none", 0.0, "clean"), ("noise", 6.4, "control"), *((f"grasp@{e}", 6.4, "defended") for e in EDITORS)]
    for k, (defense, linf, arm) in product(range(portraits), made):
        if arm != "clean":
            add(place(k, defense, linf, arm), "protect", psnr=40.2 + 0.01 * k, ssim=0.99)
        for purifier, victim in product(purifiers, EDITORS):
            own = defense.partition("@")[2]
            hit = 0.0 if not own else (0.9 if own == victim else 0.3)
            hit *= 1.0 if purifier == "identity" else 0.5
            hit = min(1.0, hit + 0.01 * k) if hit else 0.0
            judged = {"dsr_l2": hit, "edit_psnr": 100 - 80 * hit, "edit_l2_masked": 0.2 * hit, "edit_ssim": 1 - hit}
            judged |= {"edit_l1": 0.1 * hit, "edit_identity": 0.7 - 0.2 * hit, "identity_drop": 0.2 * hit}
            add(place(k, defense, linf, arm, purifier, victim), "edit", **judged)
    return table


def picture(defense="grasp@editor-a", victim="editor-a", size=24):
    rng = np.random.default_rng(3)
    original = np.repeat(rng.integers(0, 255, (1, size, size, 3), np.uint8), len(EDITS), 0)
    return Picture(
        clip="portrait-000", defense=defense, linf=6.4, purifier="identity", capture="", target="", victim=victim,
        seed=0, outcome="edited", original=original, protected=255 - original, clean_clone=original // 2,
        defended_clone=original // 3, frames=np.arange(len(EDITS)), edits=EDITS,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("images")
    write_results(rows(), out / "results.parquet")
    record = {"schema": 2, "track": "images", "preset": {"name": "quick", "size": 128}, "left_out": []}
    (out / "run.json").write_text(json.dumps(record))
    report.build(out, [picture()])
    return out


@pytest.fixture(scope="module")
def run(folder):
    return load_run(folder)


def test_the_track_decides_measure_and_access(run):
    assert run.terms is IMAGES
    by_attack = {(row.defense, row.victim, row.purifier): row for row in run.summary.itertuples()}
    own, other = (
        by_attack["grasp@editor-a", "editor-a", "identity"],
        by_attack["grasp@editor-a", "editor-b", "identity"],
    )
    assert (own.access, other.access) == ("white-box", "transfer")
    assert own.dsr_delta == pytest.approx(0.925)
    assert other.dsr_delta == pytest.approx(0.325)
    assert (own.verdict, other.verdict) == ("fails", "partly")
    assert np.isfinite(own.dsr_low)


def test_a_parser_attack_is_transfer_to_an_editor(run):
    assert run.access({"defense": "vdf@builtin", "capture": "", "victim": "editor-a"}) == "transfer"


def test_an_editor_attack_is_transfer_to_a_talking_head(small):
    video = load_run(small)
    capture = {"capture": "builtin/repair", "victim": "gaussian"}
    assert video.access({"defense": "grasp@editor-a", **capture}) == "transfer"
    assert video.access({"defense": "vdf", **capture}) == "white-box"
    assert video.access({"defense": "vdf@surrogate-b", **capture}) == "transfer"


def test_answers_speak_of_edits_and_take_the_worst_purifier(run):
    told = {(answer.defense, answer.victim): answer.text for answer in answers(run)}
    text = told["grasp@editor-a", "editor-a"]
    assert "gives some other edits of 6 portraits after jpeg:50" in text
    assert "as published +93" in text or "as published +92" in text
    assert "clone" not in text


def test_the_matrix_shows_what_carries_over(run):
    plain, jpeg = matrices(run)
    assert plain.title == "6.4/255"
    assert plain.heads == ["protected against", *EDITORS]
    assert plain.rows == [["grasp@editor-a", "[+93]", "+32"], ["grasp@editor-b", "+32", "[+93]"]]
    assert jpeg.title.endswith("after jpeg:50")


def test_without_transfer_there_is_no_matrix(tmp_path, run):
    own = [row for row in rows(2) if row["defense"].partition("@")[2] in ("", row["victim"]) or not row["victim"]]
    write_results(own, tmp_path / "results.parquet")
    (tmp_path / "run.json").write_text(json.dumps({"schema": 2, "track": "images"}))
    assert matrices(load_run(tmp_path)) == []


def test_a_grid_holds_the_portrait_and_its_edits(folder):
    (told,) = read_index(folder)
    assert told["edits"] == list(EDITS)
    assert not told["video"]
    with Image.open(folder / "media" / told["strips"]["defended"]) as strip:
        pixels = np.asarray(strip)
    made = picture()
    np.testing.assert_array_equal(pixels[:, :24], made.protected[0])
    np.testing.assert_array_equal(pixels[:, 25:49], made.defended_clone[0])


def test_the_page_asks_about_edits_and_escapes_them(folder):
    page = (folder / "report.html").read_text()
    assert "Can somebody still edit the protected portrait?" in page
    assert "Transfer" in page
    assert "&lt;b&gt;smile&lt;/b&gt;" in page
    assert "<b>smile</b>" not in page
    told = page.partition("</style>")[2].partition('<section id="definitions"')[0]
    assert "clone" not in told.lower()


def test_the_terminal_fits_and_speaks_of_edits(folder):
    console = Console(width=100, record=True, file=StringIO())
    report.print_summary(folder, console)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 100
    assert "Transfer, 6.4/255" in text
    assert "the share of changes" in text


def test_white_box_and_transfer_are_not_ranked_together(run):
    found = [panel for panel in run.panels if panel.plain]
    for panel in found:
        assert len({row["access"] for row in panel.rows}) == 1


def test_the_terminal_of_a_video_keeps_access_apart(tmp_path, make):
    folder = make.write_run(tmp_path / "run", ["synth-a"], seeds=1, purifiers=("identity",))
    table = [
        dict(row, defense=row["defense"].replace("pgd", "pgd@editor-a"))
        for row in make.rows(["synth-a"], 1, ("identity",))
    ]
    write_results(table, folder / "results.parquet")
    console = Console(width=100, record=True, file=StringIO())
    report.print_summary(folder, console)
    blocks = console.export_text().split("gaussian on composite frames · ")
    carried = [block for block in blocks if block.startswith("transfer, parser builtin/strict")]
    assert carried
    assert "pgd@ed" in carried[0]
