"""The closing report, in words: what was measured, and what it does and does not mean."""

from __future__ import annotations

from textwrap import fill
from typing import Any, Final

from vdf_bench.protection.measure import CRF, MISSED

WIDTH: Final = 98
#: Stands under every report.
MEANING = (
    "What this means: the figures under 'parsing' are about the one face parser that the defense was built against, "
    "which it could look into. Where they stay high, a 3D-field talking head whose preprocessing runs that parser, "
    "and which trains on pictures composed through its masks, gets little of the face to learn from. "
    "What it does not mean: in this project's own measurements (README) an attacker who ran another face parser, or "
    "who trained on whole frames, cloned the person as before. Figures of one video say nothing sure about another "
    "system, about stronger compression than was tried, or about an attacker who knows the method and undoes it. What "
    "is published cannot be taken back. This is no guarantee, and no reason to publish what you would otherwise not."
)


def describe(report: dict[str, Any]) -> str:
    """The report as lines of text."""
    notes = [_item("note" if number == 0 else "", note) for number, note in enumerate(report["notes"])]
    missing = [_item("missing", text) for text in report["missing"]]
    parts = [_headline(report), *notes, *_picture(report), *_file(report), *_parsing(report), *missing]
    return "\n".join([*parts, "", fill(MEANING, WIDTH)])


def _item(name: str, text: str) -> str:
    """A paragraph beside its name."""
    indent = " " * 12
    first = f"  {name}".ljust(len(indent))
    return fill(text, WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)


def _headline(report: dict[str, Any]) -> str:
    shape = f"{report['width']}x{report['height']} at {report['fps']:.5g} fps"
    text = (
        f"{report['out']}: {report['frames']} frames, {report['seconds']:.2f} s, {shape}; {report['defense']} within "
        f"{report['budget']}, {report['seconds_per_frame']:.2g} s of CPU time per frame"
    )
    if report["defense_success"] is not None:
        text += f"; met its own success rule in {report['defense_success']:.0%} of the frames"
    if report["kept"] is not None:
        text += f"; the PSNR floor kept {report['kept']:.0%} of its strength"
    return fill(text, WIDTH)


def _picture(report: dict[str, Any]) -> list[str]:
    picture = report["picture"]
    perceived = "".join(
        f", LPIPS-{name.removeprefix('lpips_')} {value:.3f}"
        for name, value in picture.items()
        if name.startswith("lpips_")
    )
    return [
        _item(
            "picture",
            f"PSNR {picture['psnr_db']:.1f} dB (lowest frame {picture['psnr_lowest_db']:.1f}), "
            f"SSIM {picture['ssim']:.3f}{perceived}, flicker {picture['flicker_levels']:.2f} levels in the protected "
            f"square; largest change {picture['linf_levels']} levels of 255, outside the square "
            f"{picture['linf_outside_levels']}",
        )
    ]


def _file(report: dict[str, Any]) -> list[str]:
    coding, rate = report["coding"], report["bitrate"]
    if coding["exact"]:
        kept = "FFV1, lossless: decoded again, every pixel is the computed one"
    else:
        kept = (
            f"H.264, lossy: {coding['psnr_db']:.1f} dB from the computed pixels (lowest frame "
            f"{coding['psnr_lowest_db']:.1f}); all figures here are of what was written; .mkv is exact"
        )
    rates = (
        f"{rate['written_mbit_s']:.3g} Mbit/s (original {rate['original_mbit_s']:.3g}); its pictures as H.264 CRF "
        f"{CRF} {rate[f'crf{CRF}_mbit_s']:.3g} (those of the original {rate[f'original_crf{CRF}_mbit_s']:.3g})"
    )
    return [_item("file", kept), _item("", rates)]


def _parsing(report: dict[str, Any]) -> list[str]:
    parsing = report["parsing"]
    names = {
        "published": "as published",
        f"crf{CRF}": f"after H.264 CRF {CRF}",
        f"original_crf{CRF}": f"the original after CRF {CRF}",
    }
    scales = list(parsing["missed_by_scale"]["published"])
    intro = (
        f"share of the face read as background by the attacked parser, at scales of {report['size']} px, in "
        f"{parsing['frames']} of {report['frames']} frames:"
    )
    heads = "".join(f"{'x' + scale:>8}" for scale in scales)
    lines = [_item("parsing", intro), f"{'':12}{'':28}{heads}   all > {MISSED:.0%}"]
    for key, name in names.items():
        shares = "".join(f"{parsing['missed_by_scale'][key][scale]:8.1%}" for scale in scales)
        lines.append(f"{'':12}{name:28}{shares}   {parsing['missed_frames'][key]} of {parsing['frames']}")
    said = "; ".join(
        f"{parser} {arms['published']:.1%}, after CRF {CRF} {arms[f'crf{CRF}']:.1%}"
        for parser, arms in parsing["missed_in_capture"].items()
    )
    return [*lines, _item("", f"as an attacker's capture parses it, by two parsers: {said}")]
