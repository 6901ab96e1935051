"""The pictures that the page shows: which ones, in which order, and small enough to travel inside it."""

from __future__ import annotations

import base64
import math
from io import BytesIO
from typing import TYPE_CHECKING, Any

from vdf_bench.report import words
from vdf_bench.report.pictures import MOMENTS, read_index
from vdf_bench.report.tables import defense_name, records, verdict
from vdf_bench.report.track import IMAGES
from vdf_bench.stats import GROUP, UNPURIFIED, paired_differences

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from vdf_bench.report.record import Run
    from vdf_bench.report.track import Terms

#: Characters of embedded pictures in a page; what is beyond stays in ``media/``, so that a phone opens the page fast.
ALLOWANCE = 1_500_000
#: Figures that are open when the page opens.
OPEN = 2
#: WebP quality: no difference to the PNG in ``media/`` is seen at the size of a tile.
_QUALITY = 82
#: Cards of the overview: fewer say nothing that the figures do not, more are no overview.
MIN_CARDS, MAX_CARDS = 3, 40
_EDGE = 144


def page_figures(run: Run) -> tuple[list[dict[str, Any]], int]:
    """Figures for the page, and how many stay beside it.

    The worst case of every defense comes first, by what it leaves; then other attacks on it, controls, and other clips
    and seeds.
    """
    media = run.folder / "media"
    figures: list[dict[str, Any]] = []
    weight = 0
    ranked = _ranked(run)
    for picture in ranked:
        strips = {name: file for name, file in picture["strips"].items() if name in run.terms.strips}
        images = {name: _webp(media / file) for name, file in strips.items()}
        movie = _uri("video/mp4", (media / picture["video"]).read_bytes()) if picture["video"] else ""
        weight += sum(map(len, images.values())) + len(movie)
        if weight > ALLOWANCE and figures:
            break
        figures.append({**picture, "images": images, "movie": movie, "alt": _alts(picture, run.terms)})
    return figures, len(ranked) - len(figures)


def cards(run: Run) -> list[dict[str, Any]]:
    """An overview: one moment of every defense, protected and cloned, after the original; none of few defenses."""
    from PIL import Image

    media = run.folder / "media"
    if run.terms is IMAGES:  # there a picture is one row of edits already
        return []
    chosen = [picture for picture in _ranked(run) if picture["worst"] and not picture["again"]]
    if not MIN_CARDS <= len(chosen) <= MAX_CARDS:
        return []

    def pair(picture: dict[str, Any], left: str, right: str) -> str:
        card = Image.new("RGB", (2 * _EDGE + 2, _EDGE), (128, 128, 128))
        for place, name in enumerate((left, right)):
            if name in picture["strips"]:
                card.paste(_tile(media / picture["strips"][name], len(picture["moments"])), (place * (_EDGE + 2), 0))
        return _packed(card)

    found = [
        {"name": "unprotected", "told": "", "verdict": "", "image": pair(chosen[0], "original", "clean"),
         "alt": f"a frame of {chosen[0]['clip']} and the same moment of its clone by {chosen[0]['victim']}"}
    ]  # fmt: skip
    attacks = {(picture["victim"], picture["target"], picture["access"], picture["after"]) for picture in chosen}
    for picture in chosen:
        told = picture["effect"]
        if len(attacks) > 1:
            told += f" · {picture['victim']}, {picture['access']}" + picture["after"] * bool(picture["after"])
        clone = "its clone" if "defended" in picture["strips"] else f"no clone ({picture['outcome']})"
        found.append(
            {
                "name": picture["name"] + (" (control)" if picture["control"] else ""),
                "told": told,
                "verdict": picture["verdict"],
                "image": pair(picture, "protected", "defended"),
                "alt": f"a frame protected by {picture['name']}, and {clone} at the same moment",
            }
        )
    return found


def _ranked(run: Run) -> list[dict[str, Any]]:
    """Every picture of the run with what the page says of it, in reading order."""
    key = [*GROUP, "clip", "seed"]
    pairs = paired_differences(run.results, run.terms.success)
    net = {tuple(row[name] for name in key): float(row["delta"]) for row in records(pairs)}
    controls = set(run.results.loc[run.results["arm"] == "control", "defense"])
    # Where a suite of attackers ran, parsers too are the attacker's choice.
    subject = ("defense", "linf", "floor", "victim", "target", *(() if run.record.get("suite") else ("capture",)))
    cells: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for told in read_index(run.folder):
        picture = {"floor": 0.0, **told}  # pictures of older runs have no floor
        delta = net.get(tuple(picture[name] for name in key), math.nan)
        picture |= {
            "net": delta,
            "effect": f"net DSR {words.percent(delta)}" if math.isfinite(delta) else "",
            "verdict": "void" if picture["outcome"] == "void" else verdict(delta),
            "name": defense_name(picture),
            "control": picture["defense"] in controls,
            "access": run.access(picture),
            "after": "" if picture["purifier"] in UNPURIFIED else picture["purifier"],
        }
        cells.setdefault(tuple(picture[name] for name in (*subject, "clip", "seed")), []).append(picture)
    seen: dict[tuple[Any, ...], int] = {}
    ranked: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    for place, (cell, found) in enumerate(cells.items()):
        again = seen[cell[:-2]] = seen.get(cell[:-2], -1) + 1
        least = min((picture["net"] for picture in found if math.isfinite(picture["net"])), default=-math.inf)
        found.sort(key=lambda picture: picture["net"] if math.isfinite(picture["net"]) else math.inf)
        for turn, picture in enumerate(found):
            picture |= {"worst": turn == 0, "several": len(found) > 1, "again": again}
            ranked.append(((again, picture["control"], turn > 0, -least, place, turn), picture))
    ranked.sort(key=lambda entry: entry[0])
    return [picture for _, picture in ranked]


def _alts(picture: dict[str, Any], terms: Terms) -> dict[str, str]:
    """What each strip shows, for those who do not see it."""
    if terms is IMAGES:
        changes, who = ", ".join(picture["edits"]), picture["victim"]
        return {
            "clean": f"{picture['clip']} and what {who} makes of it: {changes}",
            "defended": f"the same portrait protected by {picture['name']} and what {who} makes of it: {changes}",
            "difference": f"what {picture['name']} changed, amplified, and how the edits differ",
        }
    moments = f"at {', '.join(f'{second:.1f}' for second in picture['moments'])} s"
    name, victim = picture["name"], picture["victim"]
    state = "" if picture["outcome"] == "trained" else f", outcome {picture['outcome']}"
    shows = {
        "original": f"frames of {picture['clip']}",
        "protected": f"the same frames protected by {name}",
        "difference": f"what {name} changed, amplified",
        "clean": f"the clone that {victim} made of the unprotected video",
        "defended": f"the clone that {victim} made of the protected video{state}",
    }
    return {strip: f"{shows[strip]}, {moments}" for strip in terms.strips}


def _tile(path: Path, moments: int) -> Image.Image:
    """The middle moment of a strip."""
    from PIL import Image

    with Image.open(path) as strip:
        edge = strip.height
        left = (edge + 1) * ((moments or MOMENTS) // 2)
        return strip.convert("RGB").crop((left, 0, left + edge, edge)).resize((_EDGE, _EDGE), Image.Resampling.LANCZOS)


def _webp(path: Path) -> str:
    from PIL import Image

    with Image.open(path) as picture:
        return _packed(picture.convert("RGB"))


def _packed(picture: Image.Image) -> str:
    buffer = BytesIO()
    picture.save(buffer, "WEBP", quality=_QUALITY, method=4)
    return _uri("image/webp", buffer.getvalue())


def _uri(kind: str, data: bytes) -> str:
    """A ``data:`` URI, so that the page needs nothing beside it."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
