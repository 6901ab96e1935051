"""Along time: averages follow the motion, rates and lost frames keep the beat, clean footage is where it should be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from vdf_bench.core.artifact import Artifact
from vdf_bench.core.clip import Clip, split_frames
from vdf_bench.core.errors import UserError
from vdf_bench.purifiers.common import Window
from vdf_bench.stages import perform
from vdf_bench.stages.packing import pack_clip

from .conftest import psnr, purified


def numbered(count: int) -> torch.Tensor:
    """Frames whose grey is their number over a hundred."""
    return (torch.arange(count) / 100)[:, None, None, None].expand(count, 3, 16, 16).contiguous()


def numbers(frames: torch.Tensor) -> list[float]:
    return [round(float(frame.mean()) * 100, 3) for frame in frames]


def moving_texture(count: int) -> torch.Tensor:
    """A smooth pattern that moves by 1.5 pixels a frame: what an average without alignment blurs."""
    noise = np.random.default_rng(3).normal(size=(3, 72, 72 + 2 * count))
    smooth = gaussian_filter(noise, (0, 2, 2))
    smooth = np.clip(0.5 + 0.2 * smooth / smooth.std(), 0, 1)
    wide = [smooth[..., (3 * t) // 2 : (3 * t) // 2 + 73] for t in range(count)]
    shifted = [w[..., :-1] if t % 2 == 0 else (w[..., :-1] + w[..., 1:]) / 2 for t, w in enumerate(wide)]
    return torch.tensor(np.stack(shifted), dtype=torch.float32)


@pytest.mark.parametrize("name", ["temporal-median", "frame-average"])
def test_noise_goes_and_motion_stays(name):
    """Noise that is new in every frame averages out along the flow; without the flow the motion does."""
    clean = moving_texture(7)
    rng = torch.Generator().manual_seed(0)
    noisy = (clean + 0.04 * torch.randn(clean.shape, generator=rng)).clamp(0, 1)
    inner = (slice(2, -2), slice(None), slice(8, -8), slice(8, -8))
    before, along, across = (
        psnr(v[inner], clean[inner])
        for v in (noisy, purified(f"{name}:2", noisy), purified(f"{name}:2,align=none", noisy))
    )
    assert along > before + 3
    assert along > across + 6


def test_median_and_mean_without_flow_are_what_they_are_called():
    frames = torch.rand(9, 3, 16, 16, generator=torch.Generator().manual_seed(5))
    median = purified("temporal-median:2,align=none", frames)
    mean = purified("frame-average:1,align=none", frames)
    assert torch.equal(median[4], frames[2:7].median(0).values)
    assert torch.allclose(mean[4], frames[3:6].mean(0), atol=1e-6)
    assert torch.allclose(mean[0], frames[:2].mean(0), atol=1e-6), "fewer at the ends"
    assert torch.equal(median[8], torch.tensor(np.median(frames[6:].numpy(), 0)))


def test_other_rates_keep_the_beat():
    """What is shown is never further from its time than half a frame of each rate, however long the clip lasts."""
    frames = numbered(100)
    for rate in (10, 24, 30):
        shown = np.array(numbers(purified(f"fps:{rate}", frames)))
        assert len(shown) == 100
        assert np.abs(shown - np.arange(100)).max() <= 0.5 + 25 / rate / 2
    once_a_second = np.array(numbers(purified("fps:24", frames))) != np.arange(100)
    assert once_a_second.sum() == 4, "one frame a second gives way to its neighbour"
    assert 40 <= len(set(numbers(purified("fps:10", frames)))) <= 41


def test_blending_interpolates_time():
    frames = numbered(60)
    assert numbers(purified("fps:24,method=blend", frames)[:58]) == pytest.approx(range(58), abs=0.01)
    flicker = torch.zeros(50, 3, 8, 8)
    flicker[::2] = 1
    smooth = purified("fps:12.5,method=blend", flicker)
    assert torch.allclose(purified("fps:25,method=blend", flicker), flicker)
    assert smooth[10:40].std() < 0.1, "what alternates between frames is sampled at one phase"
    assert 0.1 < float(purified("fps:24,method=blend", flicker)[10:40].std()) < 0.5


def test_lost_frames():
    frames = numbered(9)
    assert numbers(purified("frame-drop:3", frames)) == [0, 1, 1, 3, 4, 4, 6, 7, 7]
    assert numbers(purified("frame-drop:3,fill=blend", frames)) == [0, 1, 2, 3, 4, 5, 6, 7, 7]
    assert numbers(purified("frame-drop", frames)) == [0, 0, 2, 2, 4, 4, 6, 6, 8]


def test_clean_footage_is_what_clones_train_on():
    published, clean = numbered(90), numbered(90) / 2 + 0.3
    out = purified("mix-clean:0.8", published, clean)
    known = [k for k in range(90) if torch.equal(out[k], clean[k])]
    assert known == split_frames(90).train[-20:].tolist()
    assert all(torch.equal(out[k], published[k]) for k in range(90) if k not in known)
    everything = purified("mix-clean:60", published, clean)
    assert torch.equal(everything[split_frames(90).train], clean[split_frames(90).train])
    held = split_frames(90).heldout
    assert torch.equal(everything[held], published[held]), "judged frames are never the clean ones"
    with pytest.raises(UserError, match="needs the unprotected clip"):
        purified("mix-clean", published)


def test_a_window_holds_what_is_asked_for():
    window = Window(iter(range(100)))
    for index in range(100):
        window.forget(index - 2)
        assert [window[k] for k in range(index - 2, index + 3)] == [
            min(max(k, 0), 99) for k in range(index - 2, index + 3)
        ]
        assert len(window) <= 5
    assert not window.reaches(100) and window.reaches(99)
    assert not Window(iter(())).reaches(0)


def test_a_run_hands_out_its_clean_clip():
    """The step that purifies has the clip beside what was published of it."""
    rng = np.random.default_rng(0)
    clean, published = (rng.integers(0, 256, (90, 32, 32, 3), dtype=np.uint8) for _ in range(2))
    clip = pack_clip(Clip("a", clean, np.zeros(0, np.float32), "a"))
    params = {"chain": "mix-clean:0.8", "overrides": {}, "seed": 0}
    out = perform("purify", params, {"clip": clip, "frames": Artifact({"frames": published})}).arrays["frames"]
    known = split_frames(90).train[-20:]
    assert np.array_equal(out[known], clean[known])
    assert np.array_equal(np.delete(out, known, 0), np.delete(published, known, 0))
