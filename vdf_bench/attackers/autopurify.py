"""AutoPurify: the fixed, parameter-free suites of attackers that ship, in three tiers.

A published suite is never changed. An attack that is added, taken out or altered makes new suites, ``AutoPurify 2``
beside these, and what was scored under these stays valid.

Attacks are ordered by what they cost the attacker, and the cheap ones that break most come first: a clip whose
protection is broken is not attacked further.
"""

from __future__ import annotations

from typing import Final

from vdf_bench.attackers.suite import DEFENSE, Attack, Suite, SuiteComponent
from vdf_bench.core.cards import Card

_PLAIN, _STOCK = "identity", "builtin/repair"

_FAST_1: Final = (
    Attack("as published", _PLAIN, _STOCK, "nothing: the stock pipeline with the parser that defenses know"),
    Attack("other parser", _PLAIN, "heldout/repair", "parse with a network that no defense has seen"),
    Attack("landmark hull", _PLAIN, "landmark-hull/repair", "no parser: the hull of the landmarks is the head"),
    Attack("JPEG + half size", "jpeg:75+resize:0.5", _STOCK, "what a messenger does to a picture"),
    Attack("H.264", "h264:23", _STOCK, "what a platform does to an upload"),
    Attack("voted masks", _PLAIN, "builtin/vote/repair", "vote on masks over time, along optical flow"),
    Attack("parse at 0.6", _PLAIN, "builtin/scale=0.6/repair", "parse at a scale between those of the defense"),
    Attack(
        "parse a blurred copy", _PLAIN, "builtin/on=gaussian-blur:1.5/repair",
        "parse on a purified copy, train on the frames as they are",
    ),
)  # fmt: skip
_STANDARD_1: Final = (
    *_FAST_1,
    Attack("JPEG", "jpeg:75", _STOCK, "compression alone"),
    Attack("half size", "resize:0.5", _STOCK, "scaling alone"),
    Attack("H.264, strong", "h264:35", _STOCK, "a poor connection"),
    Attack("noise", "gaussian-noise:0.05", _STOCK, "drown the perturbation"),
    Attack("median", "median:3", _STOCK, "remove outliers"),
    Attack("bit depth", "bit-depth:4", _STOCK, "squeeze 8 bits to 4"),
    Attack("temporal median", "temporal-median:2", _STOCK, "median over frames, along optical flow"),
    Attack("parse at 0.45", _PLAIN, "builtin/scale=0.45:area/repair", "parse at a much smaller scale"),
    Attack("parse at 1.25", _PLAIN, "builtin/scale=1.25/repair", "parse at a larger scale"),
    Attack("parsers together", _PLAIN, "ensemble/repair", "let several parsers vote"),
    Attack("GrIDPure", "grid-pure-synth:10", _STOCK, "many light diffusion passes, by a small denoiser"),
    Attack(
        "parse a denoised copy", _PLAIN, "builtin/on=grid-pure-synth:10/repair",
        "parse on a diffusion-purified copy, train on the frames as they are",
    ),
)  # fmt: skip
_FULL_1: Final = (
    *_STANDARD_1,
    Attack("AdverseCleaner", "adverse-cleaner:64", _STOCK, "bilateral and guided filters, many times"),
    Attack("DiffPure", "diffpure-synth:100", _STOCK, "drown in noise and denoise, by a small denoiser"),
    Attack("noisy upscaling", "noisy-upscale-synth:0.1", _STOCK, "noise, then upscaling, by a small denoiser"),
    Attack("H.265", "h265:28", _STOCK, "another codec"),
    Attack("VP9", "vp9:35", _STOCK, "another codec"),
    Attack("fewer frames", "fps:24", _STOCK, "25 to 24 to 25 frames per second"),
    Attack("crop", "crop-resize:0.1", _STOCK, "crop a tenth and scale back"),
    Attack("one clean second", "mix-clean:1", _STOCK, "a second of footage that was never protected"),
    Attack(
        "fine-tuned parser", _PLAIN, f"builtin/finetuned={DEFENSE}/repair",
        "teach the parser on other people's clips under this very defense",
    ),
)  # fmt: skip


class Fast1(SuiteComponent):
    """What every attacker would try first."""

    card = Card(
        name="autopurify-1-fast",
        title="AutoPurify 1 fast: eight attackers",
        summary="Another parser, the landmark hull, what messengers and platforms do, votes, other scales and views.",
        cost="minutes",
    )
    suite = Suite("AutoPurify 1 fast", 1, "fast", _FAST_1)


class Standard1(SuiteComponent):
    """What an attacker with an evening would try."""

    card = Card(
        name="autopurify-1-standard",
        title="AutoPurify 1 standard: twenty attackers",
        summary="The fast ones, and single codecs, filters, more scales, parsers together and light diffusion.",
        cost="minutes",
    )
    suite = Suite("AutoPurify 1 standard", 1, "standard", _STANDARD_1)


class Full1(SuiteComponent):
    """What an attacker who knows the defense would try."""

    card = Card(
        name="autopurify-1-full",
        title="AutoPurify 1 full: twenty-nine attackers",
        summary="The standard ones, and heavy purification, more codecs, clean footage and a parser taught on the "
        "defense.",
        cost="hours",
    )
    suite = Suite("AutoPurify 1 full", 1, "full", _FULL_1)
