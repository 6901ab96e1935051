"""GRASP's claims on their own ground: attribute editors that change single portraits.

The abstract's figures are rounded, and so are the bounds: 0.99 is what rounds to it, 100 % what rounds to it. On which
editors, data and budget the paper reached them is not known here.
"""

from __future__ import annotations

from typing import Final

from vdf_bench.claims.claim import Claim, Part, Study

GRASP: Final = "GRASP (arXiv 2510.01699)"
EDITORS: Final = ("stargan-synth", "attgan-synth")
#: Portraits of as many people.
PORTRAITS: Final = 50
#: Levels of 255: 0.05 on pictures in [-1, 1], the budget of Disrupting Deepfakes and CMUA.
BUDGET: Final = 6.4
#: The abstract's: PSNR in dB, SSIM and DSR as what rounds to the printed figure.
PSNR, SSIM, DSR = 40.0, 0.985, 0.995
#: Of the ablation: what is taken away must cost so much, in dB or as a share of edits.
MISSED_DB, MISSED_DSR = 0.5, 0.05


def _own(name: str, metric: str, defense: str, editor: str, bound: float | None = None, unit: str = "") -> Part:
    return Part(f"{name}, {editor}", metric, bound, defense=f"{defense}@{editor}", victim=editor, unit=unit)


def _figures(defense: str, bounds: bool) -> tuple[Part, ...]:
    prefix = "" if bounds else f"{defense}: "
    return tuple(
        part
        for editor in EDITORS
        for part in (
            _own(f"{prefix}PSNR", "psnr", defense, editor, PSNR if bounds else None, "dB"),
            _own(f"{prefix}SSIM", "ssim", defense, editor, SSIM if bounds else None),
            _own(f"{prefix}DSR", "dsr_l2", defense, editor, DSR if bounds else None, "%"),
        )
    )


def _conflicts(defense: str) -> tuple[Part, ...]:
    return tuple(
        Part(
            f"{defense}: gradients in conflict, {editor}",
            "conflict_rate",
            defense=f"{defense}@{editor}",
            unit="%",
            traced=True,
        )
        for editor in EDITORS
    )


def _without(name: str, metric: str, bound: float, editor: str, unit: str) -> Part:
    own = f"grasp-noprojection@{editor}"
    return Part(f"{name}, {editor}", metric, bound, "lost", own, f"grasp@{editor}", victim=editor, unit=unit)


GRASP_CLAIMS: Final = (
    Claim(
        name="grasp",
        title="GRASP defeats facial attribute manipulation invisibly",
        paper=GRASP,
        quote="PSNR above 40 dB, SSIM 0.99 and 100 % DSR against facial attribute manipulation",
        protocol="grasp, a reconstruction of its gradient projection, protects 50 rendered portraits of people that no "
        "network was trained on, within 6.4/255, against two compact editors of StarGAN's and AttGAN's families that "
        "were trained on rendered people; each editor then makes five changes (white-box). DSR is the share of changes "
        "whose masked L2 to the clean edit exceeds .05. The paper's editors, data and budget are not known here.",
        study=Study(("grasp", "pgd"), ("noise",), victims=EDITORS, clips=PORTRAITS, track="images", budget=BUDGET),
        parts=_figures("grasp", bounds=True),
        beside=(
            *_figures("pgd", bounds=False),
            Part("noise: DSR, stargan-synth", "dsr_l2", defense="noise", victim="stargan-synth", unit="%"),
            Part("noise: DSR, attgan-synth", "dsr_l2", defense="noise", victim="attgan-synth", unit="%"),
            *_conflicts("grasp"),
        ),
    ),
    Claim(
        name="ablation-projection",
        title="Gradient projection earns its place in GRASP",
        paper=GRASP,
        quote="a gradient-projection scheme resolves conflicts between the defense loss and the visual losses",
        protocol="grasp and grasp-noprojection, which adds the same three gradients as they are, else alike, on 24 "
        "portraits. What the paper's table holds projection to is not known here; the bounds are ours.",
        study=Study(("grasp", "grasp-noprojection"), victims=EDITORS, clips=24, track="images", budget=BUDGET),
        parts=tuple(
            part
            for editor in EDITORS
            for part in (
                _without("PSNR lost without it", "psnr", MISSED_DB, editor, "dB"),
                _without("DSR lost without it", "dsr_l2", MISSED_DSR, editor, "%"),
            )
        ),
        any_part=True,
        beside=(*_figures("grasp-noprojection", bounds=False), *_conflicts("grasp-noprojection")),
    ),
)
