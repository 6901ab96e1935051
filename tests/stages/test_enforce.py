from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vdf_bench.core.budget import Budget
from vdf_bench.core.cards import Card
from vdf_bench.core.interfaces import Setting
from vdf_bench.stages.enforce import BudgetError, Published, enforce, floor_factor

SIZE = 12


def picture(levels):
    return torch.from_numpy((np.asarray(levels) / 255).astype(np.float32))


def pair(seed, bound):
    """A clean and a protected frame, bytes."""
    rng = np.random.default_rng(seed)
    clean = rng.integers(0, 256, (3, SIZE, SIZE))
    return clean, np.clip(clean + rng.integers(-bound, bound + 1, clean.shape), 0, 255)


def psnr(a, b):
    return 10 * np.log10(255**2 / np.mean((np.rint(np.asarray(a) * 255) - np.rint(np.asarray(b) * 255)) ** 2))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 999), bound=st.integers(1, 60), floor=st.floats(15, 60))
def test_the_floor_is_met_by_the_largest_factor_that_does(seed, bound, floor):
    clean, protected = pair(seed, bound)
    change = protected - clean
    factor = floor_factor(change, floor)

    def error(f):
        return np.mean(np.ceil(f * np.abs(change) - 0.5).clip(0) ** 2)

    allowed = 255**2 / 10 ** (floor / 10)
    assert error(factor) <= allowed * (1 + 1e-12)
    if factor < 1:
        assert error(factor + 1e-9) > allowed
    out = enforce(picture(clean), picture(protected), Budget(1.0, floor))
    left = np.rint(out.numpy() * 255) - clean
    assert np.mean(left**2) <= allowed * (1 + 1e-12)
    assert (np.abs(left) <= np.abs(change)).all()
    assert (left * change >= 0).all()


def test_without_a_floor_nothing_moves():
    clean, protected = map(picture, pair(0, 8))
    assert enforce(clean, protected, Budget(8 / 255)) is protected
    assert enforce(clean, protected, Budget(8 / 255, 20)) is protected
    assert psnr(clean, protected) > 20


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda p: p + 1.2 / 255, "multiples"),
        (lambda p: p * torch.nan, "multiples"),
        (lambda p: torch.full_like(p, 256 / 255), "outside"),
        (lambda p: 1 - p, "changed a pixel by 255/255, its budget is 8/255"),
        (lambda p: p[:, 1:], "shape"),
    ],
)
def test_what_breaks_the_contract_is_refused(spoil, said):
    clean = picture(pair(1, 8)[0])
    with pytest.raises(BudgetError, match=said):
        enforce(clean, spoil(clean), Budget(8 / 255))


@dataclass
class Loud:
    """Adds ``step`` levels, two frames behind its input."""

    step: int
    card: Card = field(default_factory=lambda: Card("loud", "", ""))
    drop: int = 0

    def protect(self, frames, setting):
        held = list(frames)
        for frame in held[self.drop :]:
            yield (frame + self.step / 255).clamp(0, 1).mul(255).round() / 255

    def log(self):
        return {"iterations": [1.0, 2.0, 3.0]}


def stream(count=3):
    return iter([picture(np.full((3, SIZE, SIZE), 100 + i)) for i in range(count)])


def test_a_stream_is_enforced_timed_and_logged():
    published = Published(Loud(9), stream(), Setting(Budget(9 / 255, 40), SIZE))
    out = list(published)
    # 40 dB allow a root mean square of 2.55 levels.
    assert [float((b - a).max() * 255) for a, b in zip(stream(), out, strict=True)] == pytest.approx([2, 2, 2])
    assert len(published.seconds) == 3
    assert min(published.seconds) >= 0
    assert published.log() == {"iterations": [1, 2, 3], "kept": pytest.approx([2 / 9] * 3)}
    free = Published(Loud(9), stream(), Setting(Budget(9 / 255), SIZE))
    assert len(list(free)) == 3
    assert "kept" not in free.log()


def test_a_defense_that_leaves_its_budget_is_named_unless_it_has_none():
    with pytest.raises(BudgetError, match=r"defense loud, frame 0: changed a pixel by 9/255.*8/255"):
        list(Published(Loud(9), stream(), Setting(Budget(8 / 255), SIZE)))
    control = Loud(9, Card("cover", "", "", tags=("ignores-budget",)))
    assert len(list(Published(control, stream(), Setting(Budget(0.0, 60), SIZE)))) == 3
    with pytest.raises(BudgetError, match="1 frames too few"):
        list(Published(Loud(9, drop=1), stream(), Setting(Budget(0.05), SIZE)))
