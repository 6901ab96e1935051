"""The site: static pages from records, that ask nothing of the network and work without JavaScript."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vdf_bench.core.errors import UserError
from vdf_bench.core.files import write_atomically
from vdf_bench.leaderboard.ranking import rows as rank_rows
from vdf_bench.leaderboard.site import downloads
from vdf_bench.leaderboard.site.charts import plane
from vdf_bench.leaderboard.site.view import READING, entry_view, page_of, row_view, suite_facts
from vdf_bench.leaderboard.suite import TRACKS
from vdf_bench.leaderboard.suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment

    from vdf_bench.leaderboard.ranking import Row
    from vdf_bench.leaderboard.records import Record

PAGES: Final = (("Leaderboard", "index.html"), ("Methods", "methods.html"), ("Claims", "claims.html"))
#: Of a folder that this module wrote, and may write again.
MARK: Final = ".vdf-bench-site"


def build(records: Sequence[Record], out: Path, folder: Path) -> int:
    """Write the site; how many pages it has.

    Args:
        records: what to show.
        out: folder of the site: new, empty, or one that was written here before.
        folder: of the records, where their pictures lie.

    Raises:
        UserError: the folder holds something else.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARK).is_file())):
        raise UserError(f"{out} already exists and is not a leaderboard site: choose another folder")
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / MARK).touch()
    site = _Site(out)
    shown = [suite for suite in SUITES.values() if any(r.suite.sha256 == suite.sha256 for r in records)]
    shown = shown or [next(iter(SUITES.values()))]
    rows = [row for suite in shown for row in rank_rows(records, suite)]
    site.write("index.html", "index.jinja", **_index(shown, rows))
    for suite in shown:
        facts = suite_facts(suite)
        attacks = [
            {"name": a.name, "track": suite.track_of(a.name), "why": a.why, "chain": a.chain, "capture": a.capture}
            for a in suite.attacks
        ]
        told = {"suite": suite, "facts": facts, "attacks": attacks, "clips": list(suite.clips.items())}
        site.write(f"suites/{suite.name}.html", "suite.jinja", **told, heldout=", ".join(suite.heldout))
    for record in records:
        measured = next((each for each in shown if each.sha256 == record.suite.sha256), None)
        pictures = _pictures(record, folder, out)
        site.write(page_of(record), "entry.jinja", **entry_view(record, rows, measured), pictures=pictures)
        write_atomically(out / "records" / record.suite.name / f"{record.id}.json", record.dump())
    site.write("methods.html", "methods.jinja", cards=_cards())
    site.write("claims.html", "claims.jinja", **_claims())
    write_atomically(out / "board.csv", downloads.as_csv(rows).encode())
    write_atomically(out / "board.json", downloads.as_json(rows).encode())
    return site.pages


class _Site:
    """Renders templates into a folder."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.pages = 0
        self.script = _read("board.js")
        self.environment = _environment()
        hashed = base64.b64encode(hashlib.sha256(self.script.encode()).digest()).decode()
        self.shared = {"css": _markup(_read("board.css")), "script_hash": f"sha256-{hashed}", "pages": PAGES}

    def write(self, path: str, template: str, **told: Any) -> None:
        """Render a page; links climb as many folders as it lies deep."""
        up = "../" * path.count("/")
        page = self.environment.get_template(template).render(
            **self.shared, **told, script=_markup(self.script), here=path, up=up, version=version("vdf-bench")
        )
        write_atomically(self.out / path, page.encode())
        self.pages += 1


def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    # Everything is escaped; what is not is this project's own style, script and drawings.
    return Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, loader=FunctionLoader(_read)
    )


def _read(name: str) -> str:
    return resources.files("vdf_bench.leaderboard.site").joinpath(name).read_text(encoding="utf-8")


def _markup(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704


def _index(suites: Sequence[Any], rows: Sequence[Row]) -> dict[str, Any]:
    first = [row for row in rows if row.track == TRACKS[0] and row.record.suite.name == suites[0].name]
    budgets = sorted({row.linf for row in rows}, reverse=True)
    here = [row for row in first if budgets and row.linf == budgets[0]]
    groups = {key: [r for r in rows if _group(r) == key] for key in {_group(row) for row in rows}}
    return {
        "lead": lead(here),
        "sections": [{"suite": suite} for suite in suites],
        "budgets": [f"{levels:g}" for levels in budgets],
        "tracks": TRACKS,
        "rows": [row_view(row, groups[_group(row)]) for row in rows],
        "reading": READING,
        "plane": plane([row for row in here if row.record.tier != "reported"]),
    }


def lead(rows: Sequence[Row]) -> str:
    """What the table says, in a sentence or two."""
    ranked = [row for row in rows if row.place is not None]
    if not ranked:
        return "No entry has a place yet. Send one: every figure is computed again here, from pixels or from code."
    best = [row for row in ranked if row.place == 1]
    names = ", ".join(row.record.entry.name for row in best)
    shared = "share the first place" if len(best) > 1 else "is first"
    held = [row for row in ranked if row.worst >= 0.5]
    said = (
        f"{len(held)} of {len(ranked)} ranked defenses hold against half of the frames or more"
        if held
        else (f"none of {len(ranked)} ranked defenses holds against half of the frames")
    )
    return f"{names} {shared}. Under the strongest attacker of each clip {said}."


def _group(row: Row) -> tuple[str, float, str]:
    return (row.record.suite.name, row.linf, row.track)


def _pictures(record: Record, folder: Path, out: Path) -> list[dict[str, Any]]:
    """Copy an entry's pictures; those that are not there are left out."""
    from PIL import Image

    found = []
    # Files are numbered in the order of the story; a record's keys are sorted.
    for title, name in sorted(record.pictures.items(), key=lambda shown: shown[1]):
        source = folder / name
        if not re.fullmatch(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+\.png", name) or not source.is_file():
            continue
        with Image.open(source, formats=["PNG"]) as image:
            width, height = image.size
        write_atomically(out / "pictures" / name, source.read_bytes())
        told = f"{record.entry.name}: {title}, four held-out moments side by side"
        found.append({"title": title, "file": f"pictures/{name}", "alt": told, "width": width, "height": height})
    return found


def _cards() -> list[dict[str, Any]]:
    from vdf_bench.core import registry

    cards = [registry.load("defenses", name).card for name in registry.names("defenses")]
    return [
        {
            "name": card.name,
            "title": card.title,
            "summary": card.summary,
            "origin": " ".join(part for part in (card.source, f"({card.year})" if card.year else "") if part) or "here",
            "version": card.version,
            "cost": card.cost,
            "licence": card.licence,
            "control": "control" in card.tags or card.name == "none",
        }
        for card in cards
    ]


def _claims() -> dict[str, Any]:
    from vdf_bench.claims.catalogue import CLAIMS

    verdicts = _verdicts()
    claims = [
        {
            "name": claim.name,
            "title": claim.title,
            "paper": claim.paper,
            "quote": claim.quote,
            "protocol": claim.protocol,
            "missing": claim.missing,
            "verdict": verdicts.get(claim.title, ("", ""))[0],
            "measured": verdicts.get(claim.title, ("", ""))[1],
        }
        for claim in CLAIMS
    ]
    return {"claims": claims, "verdicts": any(claim["verdict"] for claim in claims)}


def _verdicts() -> dict[str, tuple[str, str]]:
    """Claim -> verdict and figures, from the table of ``docs/claims.md``; nothing where there is no such file."""
    page = Path(__file__).resolve().parents[2] / "docs" / "claims.md"
    if not page.is_file():
        return {}
    found = {}
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[1].startswith("**"):
            found[cells[0]] = (cells[1].strip("*"), re.sub(r"[`*]", "", cells[2]))
    return found
