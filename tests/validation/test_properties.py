"""Every verdict can fail: each is held against figures that it must refuse."""

from __future__ import annotations

import math

import pytest

from vdf_bench.validation import properties as v

NAN = math.nan
HOLDS = {
    "no effect": v.no_effect([0.0, 0.04, -0.04], [0.2, -0.3, 0.1]),
    "noise": v.noise_is_harmless([0.0, 0.1, 0.0]),
    "hiding": v.hiding_is_total([1.0, 0.9, 1.0]),
    "dose": v.effect_grows([2, 6, 12, 25], [0.0, 0.5, 1.0, 0.96], [1.0, 6.0, 15.0, 14.5]),
    "morph": v.falls("m", "c", [0, 0.5, 1], [0.9, 0.91, 0.1], slack=0.03, least=0.3),
    "identity": v.identity_tells([0.9, 0.8], [0.1, 0.3], 0.5),
    "lips": v.lips_tell([0, 3, 6], [1.0, 0.6, 0.7], frozen=0.0),
    "psnr": v.psnr_is_exact([1, 2], [47.78, 42.02]),
    "transfer": v.white_box_is_stronger([1.0, 0.9], [0.0, 0.1]),
    "bytes": v.same_bytes({"clip": "a", "fit": "b"}, {"clip": "a", "fit": "b"}),
    "seeds": v.seeds_agree({0: {"a": 0.0, "b": 0.5, "c": 1.0}, 1: {"a": 0.1, "b": 0.6, "c": 0.9}}),
    "seeds that agree but for a tie": v.seeds_agree(
        {0: {"a": 0.0, "b": 1.0, "c": 0.98}, 1: {"a": 0, "b": 0.98, "c": 1}}
    ),
}
FAILS = {
    "a seed that moves DSR": v.no_effect([0.3, 0.2, 0.1], [0.0, 0.0, 0.0]),
    "a seed that moves PSNR": v.no_effect([0.0, 0.0, 0.0], [-1.5, -1.2, -0.9]),
    "a small effect that is surely there": v.no_effect([0.05, 0.06, 0.05, 0.06, 0.05, 0.055], [0.0] * 6),
    "no clean clones": v.no_effect([], []),
    "noise that protects": v.noise_is_harmless([0.5, 0.0, 0.0]),
    "no noise": v.noise_is_harmless([]),
    "a hidden face that is cloned": v.hiding_is_total([1.0, 1.0, 0.2]),
    "no occlusion": v.hiding_is_total([]),
    "an effect that does not grow": v.effect_grows([2, 6, 12], [1.0, 1.0, 1.0], [15.0, 15.2, 15.1]),
    "an effect that falls": v.effect_grows([2, 6, 12], [0.0, 1.0, 0.4], [1.0, 9.0, 12.0]),
    "a PSNR that recovers": v.effect_grows([2, 6, 12], [0.0, 0.5, 1.0], [1.0, 12.0, 8.0]),
    "a bound that is missing": v.effect_grows([2, 6, 12], [0.0, NAN, 1.0], [1.0, NAN, 8.0]),
    "a morph that nobody notices": v.falls("m", "c", [0, 0.5, 1], [0.9, 0.85, 0.8], slack=0.03, least=0.3),
    "a morph that comes back": v.falls("m", "c", [0, 0.5, 1], [0.9, 0.1, 0.4], slack=0.03, least=0.3),
    "a person who is not recognised": v.identity_tells([0.9, 0.4], [0.1, 0.3], 0.5),
    "a stranger who is": v.identity_tells([0.9, 0.8], [0.6, 0.3], 0.5),
    "one person only": v.identity_tells([0.9], [], 0.5),
    "lips that may come late": v.lips_tell([0, 3, 6], [1.0, 0.97, 0.6], frozen=0.0),
    "frozen lips that follow": v.lips_tell([0, 3, 6], [1.0, 0.5, 0.5], frozen=0.4),
    "lips that do not follow themselves": v.lips_tell([0, 3, 6], [0.8, 0.5, 0.5], frozen=0.0),
    "a PSNR of another unit": v.psnr_is_exact([1, 2], [24.0, 21.0]),
    "a PSNR that forgets rounding": v.psnr_is_exact([1, 2], [48.13, 42.11]),
    "transfer as strong as white-box": v.white_box_is_stronger([1.0, 1.0], [1.0, 0.95]),
    "one person on whom transfer wins": v.white_box_is_stronger([1.0, 0.0, 1.0], [0.0, 0.5, 0.0]),
    "people who lack one of the two": v.white_box_is_stronger([1.0, 1.0], [0.0]),
    "one artifact that differs": v.same_bytes({"clip": "a", "fit": "b"}, {"clip": "a", "fit": "c"}),
    "a step that is missing": v.same_bytes({"clip": "a", "fit": "b"}, {"clip": "a"}),
    "nothing computed twice": v.same_bytes({}, {}),
    "seeds that turn the order round": v.seeds_agree({0: {"a": 0, "b": 0.5, "c": 1}, 1: {"a": 0.5, "b": 0, "c": 1}}),
    "arms that all do the same": v.seeds_agree({0: {"a": 1.0, "b": 1.0}, 1: {"a": 1.0, "b": 1.0}}),
    "one seed": v.seeds_agree({0: {"a": 0.0, "b": 0.5, "c": 1.0}}),
}  # fmt: skip


@pytest.mark.parametrize("case", HOLDS)
def test_good_figures_hold(case):
    assert HOLDS[case].ok, HOLDS[case].measured


@pytest.mark.parametrize("case", FAILS)
def test_bad_figures_fail(case):
    assert not FAILS[case].ok, FAILS[case].measured


def test_a_failing_property_names_what_decides():
    assert "fit" in FAILS["one artifact that differs"].measured
    assert "void" in FAILS["no noise"].measured
    assert "+50 %" in FAILS["noise that protects"].measured
