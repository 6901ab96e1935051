"""The closing report, in words: what was measured, and what it does and does not mean."""

from __future__ import annotations

from typing import Any

from vdf_bench.protect.measure import CRF, MISSED

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
    lines = [_headline(report), *(f"  note: {note}" for note in report["notes"]), ""]
    lines += _picture(report) + _file(report) + _parsing(report)
    lines += [f"  missing   {lack}" for lack in report["missing"]]
    return "\n".join([*lines, "", MEANING])


def _headline(report: dict[str, Any]) -> str:
    shape = f"{report['width']}x{report['height']} at {report['fps']:.5g} fps"
    cost = f"; {report['seconds_per_frame']:.2g} s of processor a frame" if report["seconds_per_frame"] else ""
    return (
        f"{report['out']}: {report['frames']} frames, {report['seconds']:.2f} s, {shape}; "
        f"{report['defense']} within {report['budget']}{cost}"
    )


def _picture(report: dict[str, Any]) -> list[str]:
    picture = report["picture"]
    perceived = "".join(
        f", LPIPS-{name.removeprefix('lpips_')} {value:.3f}"
        for name, value in picture.items()
        if name.startswith("lpips_")
    )
    return [
        f"  picture   PSNR {picture['psnr_db']:.1f} dB (lowest frame {picture['psnr_lowest_db']:.1f}), "
        f"SSIM {picture['ssim']:.3f}{perceived}, in the protected square",
        f"            largest change {picture['linf_levels']} levels of 255, outside the square "
        f"{picture['linf_outside_levels']}; flicker {picture['flicker_levels']:.2f} levels",
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
    return [
        f"  file      {kept}",
        f"            {rate['written_mbit_s']:.3g} Mbit/s (original {rate['original_mbit_s']:.3g}); as H.264 CRF {CRF} "
        f"{rate[f'crf{CRF}_mbit_s']:.3g} (original so {rate[f'original_crf{CRF}_mbit_s']:.3g})",
    ]


def _parsing(report: dict[str, Any]) -> list[str]:
    parsing = report["parsing"]
    names = {
        "published": "as published",
        f"crf{CRF}": f"after H.264 CRF {CRF}",
        f"original_crf{CRF}": f"the original after CRF {CRF}",
    }
    scales = list(parsing["missed_by_scale"]["published"])
    lines = [
        f"  parsing   share of the face read as background by the attacked parser, at scales of the square; "
        f"{parsing['frames']} of {report['frames']} frames",
        f"            {'':30}" + "".join(f"{'x' + scale:>7}" for scale in scales) + f"   all over {MISSED:.0%}",
    ]
    for key, name in names.items():
        shares = "".join(f"{parsing['missed_by_scale'][key][scale]:7.1%}" for scale in scales)
        lines.append(f"            {name:30}{shares}   {parsing['missed_frames'][key]} of {parsing['frames']} frames")
    piped = parsing["missed_in_capture"]
    said = "; ".join(
        f"{parser} {arms['published']:.1%}, after CRF {CRF} {arms[f'crf{CRF}']:.1%}" for parser, arms in piped.items()
    )
    return [*lines, f"            as an attacker's capture would parse it: {said}"]
