"""Sheets: every attack stands on exactly one, with what belongs to it."""

from __future__ import annotations

import re

import pytest

from vdf_bench.report.split import split


def blocks(*sizes):
    return [(f"attack {k}", [([str(i)], "still") for i in range(size)]) for k, size in enumerate(sizes)]


def panel(name):
    return {"attack": name, "tables": []}


@pytest.mark.parametrize("sizes", [(), (3,), (300,), (301,), (10,) * 96, (1, 500, 1, 299, 300)])
def test_every_attack_stands_once_and_in_order(sizes):
    attacks = blocks(*sizes)
    curves = [panel(name) for name, _ in attacks] + [panel("of no attack")]
    paths = [(name, []) for name, _ in attacks]
    sheets = split(attacks, paths, curves)
    assert [block for sheet in sheets for block in sheet.attacks] == attacks
    assert [path for sheet in sheets for path in sheet.paths] == paths
    assert panel("of no attack") in sheets[0].curves
    assert sum(len(sheet.curves) for sheet in sheets) == len(curves)
    for sheet in sheets:
        assert [panel["attack"] for panel in sheet.curves if panel["attack"] != "of no attack"] == [
            name for name, _ in sheet.attacks
        ]
        assert sheet.last - sheet.first + 1 == len(sheet.attacks)
    files = [sheet.file for sheet in sheets]
    assert files[0] == "report.html"
    assert len(set(files)) == len(files)


def test_a_sheet_holds_no_more_rows_than_asked():
    sheets = split(blocks(*(10,) * 96), [], [], rows=100)
    assert [sum(len(rows) for _, rows in sheet.attacks) for sheet in sheets] == [100] * 9 + [60]


def test_sheets_lead_to_each_other_and_old_ones_go(small, monkeypatch):
    from vdf_bench import report
    from vdf_bench.report import page
    from vdf_bench.report.load import load_run

    monkeypatch.setattr(page, "split", lambda *parts: split(*parts, rows=2))
    report.build(small)
    sheets = sorted(small.glob("report*.html"))
    assert len(sheets) > 1
    names = {sheet.name for sheet in sheets}
    for sheet in sheets:
        linked = set(re.findall(r'href="(report[-\d]*\.html)', sheet.read_text()))
        assert linked | {sheet.name} >= names
    index = sheets[-1].with_name("report.html").read_text().partition("Where each attack stands")[2]
    for name, _ in page._attacks(load_run(small)):
        assert name in index.partition("</details>")[0]
    monkeypatch.undo()
    own = small / "report-for-the-paper.html"
    own.write_text("mine")
    report.build(small)
    assert {sheet.name for sheet in small.glob("report*.html")} == {"report.html", own.name}
