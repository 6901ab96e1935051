"""What every registered purifier keeps, and what each of the project's own really does."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
import torch

from vdf_bench.assets.needs import unmet
from vdf_bench.core import registry

from .conftest import portrait, setting

if TYPE_CHECKING:
    from collections.abc import Iterable


def create(name: str, values: dict[str, Any] | None = None) -> Any:
    """A purifier; where its needs are not met here, the test is skipped with the reason."""
    lack = unmet(registry.load("purifiers", name).card)
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
        "import sys; import vdf_bench.attackers.chain, vdf_bench.purifiers.common;"
        "import vdf_bench.purifiers.transforms, vdf_bench.purifiers.codecs, vdf_bench.purifiers.filters;"
        "import vdf_bench.purifiers.temporal;"
        "print([m for m in ('torch', 'PIL', 'av', 'numpy', 'scipy', 'skimage') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
