"""What every registered purifier keeps, and what each of the project's own really does."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from vdf_bench import registry
from vdf_bench.budget import Budget
from vdf_bench.chain import build_chain
from vdf_bench.interfaces import Setting

if TYPE_CHECKING:
    from collections.abc import Iterable


def portrait(size: int, count: int) -> torch.Tensor:
    """(T, 3, S, S) in [0, 1], multiples of 1/255: smooth colours, an edge that moves, and fine texture."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:size, :size] / size
    base = np.stack([0.5 + 0.3 * np.sin(5 * x), 0.4 + 0.3 * y, 0.5 + 0.2 * np.cos(4 * (x + y))])
    texture = rng.normal(0, 0.02, (3, size, size))
    frames = [np.where(np.hypot(x - 0.4 - 0.004 * t, y - 0.5) < 0.25, base[::-1], base) + texture for t in range(count)]
    return torch.tensor(np.rint(np.clip(np.stack(frames), 0, 1) * 255) / 255, dtype=torch.float32)


def setting(size: int, clean: torch.Tensor | None = None) -> Setting:
    footage = None if clean is None else lambda: (frame.clone() for frame in clean)
    return Setting(budget=Budget(0.0), size=size, fps=Fraction(25), seed=0, clean=footage)


def purified(chain: str, frames: torch.Tensor, clean: torch.Tensor | None = None) -> torch.Tensor:
    return torch.stack(list(build_chain(chain).purify(iter(frames), setting(frames.shape[-1], clean))))


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(-10 * torch.log10(((a - b) ** 2).mean()))


def create(name: str, values: dict[str, Any] | None = None) -> Any:
    """A purifier; where its needs are not met here, the test is skipped with the reason."""
    lack = registry.unmet(registry.load("purifiers", name).card)
    if lack:
        pytest.skip(lack)
    return registry.load("purifiers", name).configured(values or {})


class Counted:
    """An iterator that counts what was taken from it."""

    def __init__(self, frames: Iterable[torch.Tensor]) -> None:
        self.taken = 0
        self._frames = iter(frames)

    def __iter__(self) -> Counted:
        return self

    def __next__(self) -> torch.Tensor:
        frame = next(self._frames)
        self.taken += 1
        return frame


@pytest.fixture(scope="module")
def frames() -> torch.Tensor:
    return portrait(64, 60)


@pytest.mark.parametrize("name", registry.names("purifiers"))
def test_contract(name, frames):
    purifier = create(name)
    card = purifier.card
    assert card.name == name and card.title and card.summary
    assert not card.short or card.short in purifier.parameters_model.model_fields
    assert all(entry.description for entry in purifier.parameters_model.model_fields.values())
    frames = frames[: 30 if card.cost == "seconds" else 4]
    before, around = frames.clone(), setting(64, 1 - frames)
    feed = Counted(frame.clone() for frame in frames)
    out = []
    for frame in purifier.purify(feed, around):
        assert frame.shape == (3, 64, 64) and frame.dtype == torch.float32
        assert float(frame.min()) >= 0 and float(frame.max()) <= 1
        out.append(frame.clone())
        frame.zero_()  # what was given away is of no further use to the purifier
    assert len(out) == len(frames) == feed.taken
    again = list(create(name).purify(iter(frames), around))
    assert torch.equal(torch.stack(out), torch.stack(again)), "neither what follows nor when it comes may matter"
    assert torch.equal(frames, before), "the input was written to"
    assert torch.equal(torch.stack(out), frames) == (name == "identity")
    assert list(purifier.purify(iter(()), setting(64, frames[:0]))) == []


@pytest.mark.parametrize("name", registry.names("purifiers"))
def test_odd_size_and_single_frame(name):
    alone = portrait(65, 1)
    out = list(create(name).purify(iter(alone), setting(65, alone)))
    assert [tuple(frame.shape) for frame in out] == [(3, 65, 65)]


@pytest.mark.parametrize("name", registry.names("purifiers"))
def test_harmless_strength(name, frames):
    """A purifier says at which strength it does nothing, or that there is none, and keeps its word."""
    purifier = create(name)
    assert hasattr(purifier, "harmless"), f"{name}: give the class ``harmless``, a Harmless or None"
    if purifier.harmless is None:
        pytest.skip("always changes something")
    out = list(create(name, purifier.harmless.parameters).purify(iter(frames[:30]), setting(64, 1 - frames[:30])))
    assert 255 * (torch.stack(out) - frames[:30]).abs().max() <= purifier.harmless.levels + 1e-4


#: Frames that must have been taken when the first one comes; all others take one.
WINDOWS = {"h264": 53, "h265": 40, "vp9": 25, "temporal-median": 3, "frame-average": 2}


@pytest.mark.parametrize("name", registry.names("purifiers"))
def test_streams(name):
    """Frames come out before all have gone in, and no later than the purifier's window: memory does not grow."""
    purifier = create(name)
    few = portrait(32, 4)
    feed = Counted(few[k % 4] for k in range(80))
    behind, first = 0, None
    for count, _ in enumerate(islice(purifier.purify(feed, setting(32, few.repeat(20, 1, 1, 1))), 5)):
        first = feed.taken if first is None else first
        behind = max(behind, feed.taken - count)
    assert first == behind, "the window does not grow"
    assert first <= WINDOWS.get(name, 1)


def test_listing_imports_nothing_heavy():
    code = (
        "import sys; import vdf_bench.chain, vdf_bench.purifiers.common;"
        "import vdf_bench.purifiers.transforms, vdf_bench.purifiers.codecs, vdf_bench.purifiers.filters;"
        "import vdf_bench.purifiers.temporal;"
        "print([m for m in ('torch', 'PIL', 'av', 'numpy', 'scipy', 'skimage') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_jpeg_loses_what_jpeg_loses(frames):
    quality = {q: psnr(purified(f"jpeg:{q}", frames[:3]), frames[:3]) for q in (95, 75, 30)}
    assert quality[95] > quality[75] > quality[30]
    assert 26 < quality[75] < 42
    grey = psnr(purified("jpeg:75", frames[:3]).mean(1), frames[:3].mean(1))
    assert grey > quality[75], "4:2:0 costs colour more than brightness"


@pytest.mark.parametrize("kernel", ["lanczos", "bicubic", "bilinear", "area"])
def test_resize_is_a_low_pass(frames, kernel):
    out = purified(f"resize:0.5,kernel={kernel}", frames[:2])
    before, after = (torch.fft.rfft2(v).abs()[..., 20:33, 20:].mean() for v in (frames[:2], out))
    assert after < 0.7 * before
    flat = torch.full((1, 3, 64, 64), 100 / 255)
    assert torch.equal(purified(f"resize:kernel={kernel}", flat), flat)


def test_h264_costs_quality_by_crf(frames):
    quality = [psnr(purified(f"h264:{crf}", frames), frames) for crf in (5, 23, 40)]
    assert quality[0] > quality[1] > quality[2]
    assert 26 < quality[1] < 42


def test_h264_predicts_between_frames(frames):
    """A codec looks at time: the same picture comes out differently among other neighbours."""
    alone = purified("h264", frames[10:11])[0]
    among = purified("h264", frames[:20])[10]
    assert not torch.equal(alone, among)
    assert psnr(among, frames[10]) > 26


def test_h264_repeats_itself():
    """At this size x264 used to vary from run to run through its AVX-512 code."""
    moving = portrait(98, 12)
    first = purified("h264", moving)
    for _ in range(5):
        assert torch.equal(purified("h264", moving), first)
