"""Judges on pictures that were made worse on purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vdf_bench.scenes.identity import sample_identity
from vdf_bench.validation import constructed


def test_a_morph_begins_and_ends_with_its_people():
    first, second = (sample_identity(seed) for seed in constructed.PEOPLE)
    start, end = constructed.morph(first, second, 0.0), constructed.morph(first, second, 1.0)
    assert start.shape == first.shape
    assert np.allclose(start.palette, first.palette)
    assert end.shape == pytest.approx(second.shape)
    assert end.moles == second.moles
    middle = constructed.morph(first, second, 0.25)
    assert middle.shape.skull_width == pytest.approx(0.75 * first.shape.skull_width + 0.25 * second.shape.skull_width)
    assert middle.shape.hair_style == first.shape.hair_style


def test_noise_decides_psnr():
    assert constructed.noisy_grey().ok


@pytest.fixture(scope="module")
def people():
    first, second = (sample_identity(seed) for seed in constructed.PEOPLE)
    frames = np.arange(constructed.FRAMES)
    return constructed.performance(first, 64, frames), constructed.performance(second, 64, frames)


def test_another_person_is_not_recognised(people):
    assert constructed.swapped(people).ok
    impostor = replace(people[1], frames=people[0].frames, identity="impostor")
    assert not constructed.swapped([people[0], impostor]).ok, "one face under two names"
    assert not constructed.swapped(people[:1]).ok


def test_late_and_frozen_lips_lose(people):
    assert constructed.late_lips(people[0]).ok
    still = replace(people[0], frames=np.repeat(people[0].frames[:1], constructed.FRAMES, 0))
    assert not constructed.late_lips(still).ok, "who never speaks proves nothing"
