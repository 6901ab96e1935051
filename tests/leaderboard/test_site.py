"""The site: complete, small, escaped, and harmless to spreadsheets."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest

from vdf_bench.core.errors import UserError
from vdf_bench.leaderboard.site import build
from vdf_bench.leaderboard.site.downloads import harmless

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """Collects tags; sees that they close."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.open, self.words = [], [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def pages(board):
    return {path.relative_to(board).as_posix(): Page(path.read_text()) for path in sorted(board.rglob("*.html"))}


def test_every_link_leads_somewhere_here(board):
    found = pages(board)
    assert {"index.html", "methods.html", "claims.html", "suites/vdf-bench-v1.html"} <= set(found)
    for name, page in found.items():
        for link in page.links:
            if not link.startswith(("#", "data:", "https://")):
                assert (board / name).parent.joinpath(link.split("#")[0]).resolve().is_file(), (name, link)
        assert not [link for link in page.links if link.startswith(("http:", "//", "javascript:"))]


def test_strings_of_submissions_are_text(board):
    for name, page in pages(board).items():
        kinds = [tag for tag, _ in page.tags]
        assert kinds.count("script") == (name == "index.html")
        assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]
        assert "iframe" not in kinds and "object" not in kinds
    told = "".join(pages(board)["entries/vdf-bench-v1/hostile-v1.html"].words)
    assert "<script>document.title='owned'</script>" in told and "{{ 7*7 }}" in told
    assert "javascript:" not in (board / "entries/vdf-bench-v1/hostile-v1.html").read_text()


def test_all_is_small_but_pictures(board):
    total = sum(path.stat().st_size for path in board.rglob("*.html")) + (board / "board.csv").stat().st_size
    assert (board / "index.html").stat().st_size < 120_000
    assert total < 300_000


def test_a_plain_table_stands_without_scripts(board):
    text = (board / "index.html").read_text()
    rows = text.split("<tbody>")[1].split("</tbody>")[0]
    assert rows.count("<tr") == 14 * 3
    assert "hidden" not in re.sub(r"aria-hidden", "", rows)


def test_the_csv_runs_no_formula(draw, tmp_path):
    from vdf_bench.leaderboard.manifest import Entry

    titles = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "|calc", 'fine, "quoted"\n=1']
    entries = [Entry(name=f"e{k}", version=1, title=title, authors=["A"]) for k, title in enumerate(titles)]
    build([draw(entry.name, 0.5, entry=entry) for entry in entries], tmp_path / "out", tmp_path)
    table = list(csv.DictReader(io.StringIO((tmp_path / "out/board.csv").read_text())))
    found = {row["title"] for row in table}
    assert len(found) == len(titles)
    for title in found:
        assert not title.lstrip().startswith(("=", "+", "-", "@", "|")) and "\n" not in title
    assert all(json.dumps(row) for row in json.loads((tmp_path / "out/board.json").read_text()))


def test_numbers_stay_numbers():
    assert harmless(-0.25) == -0.25 and harmless(None) is None and harmless("-0.25") == "'-0.25"


def test_a_folder_of_somebody_else_is_left_alone(board, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="not a leaderboard site"):
        build([], tmp_path, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    build([], tmp_path / "new", tmp_path)
    build([], tmp_path / "new", tmp_path)
    assert "There is no entry yet" in (tmp_path / "new/index.html").read_text()
