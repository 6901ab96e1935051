"""Renders what editors learn from: one person in one sitting, with attributes set in several ways."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from itertools import count, islice
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

#: Share of sittings whose base state has no attribute at all, and the chance of each attribute in the others.
PLAIN: Final = 0.6
CHANCE: Final = 0.4


@dataclass(frozen=True)
class Sittings:
    """Sittings of people, each in a base state and with one attribute turned over after the other.

    Attributes:
        rgb: (N, 6, S, S, 3) uint8; picture 0 is the base state, picture 1 + k has attribute k turned over.
        states: (N, 6, 5) bool, the attributes of every picture.
        landmarks: (N, 68, 2) float32 pixels, of the base state.
        identity: (N,) int64 identity seeds.
    """

    rgb: NDArray[np.uint8]
    states: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    identity: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rgb)


def editable_seeds(first: int, people: int) -> list[int]:
    """Identity seeds from ``first`` on of people on whom every attribute would show."""
    from vdf_bench.scenes.attributes import editable
    from vdf_bench.scenes.identity import sample_identity

    return list(islice((seed for seed in count(first) if editable(sample_identity(seed))), people))


def plain_seeds(first: int, people: int) -> list[int]:
    """Identity seeds from ``first`` on of people who have no attribute yet, as those of the portraits."""
    from vdf_bench.scenes.portraits import plain_people

    return [identity.seed for identity in islice(plain_people(first), people)]


def _render(job: tuple[int, int, int, bool]) -> Sittings:
    from vdf_bench.scenes.attributes import ATTRIBUTES, with_attributes
    from vdf_bench.scenes.head import Head
    from vdf_bench.scenes.identity import sample_identity
    from vdf_bench.scenes.portraits import sample_sitting, take_portrait

    seed, takes, size, plain = job
    identity = sample_identity(seed)
    bare = with_attributes(identity, (False,) * len(ATTRIBUTES))
    head = Head.build(bare)
    rgb, states, landmarks = [], [], []
    for take in range(takes):
        rng = np.random.default_rng([seed, take, 8])
        base = np.zeros(len(ATTRIBUTES), bool)
        if not plain and rng.random() > PLAIN:
            base = rng.random(len(ATTRIBUTES)) < CHANCE
        rows = np.concatenate([base[None], base ^ np.eye(len(ATTRIBUTES), dtype=bool)])
        sitting = sample_sitting(seed, take)
        views = [take_portrait(head.dressed(with_attributes(bare, tuple(row.tolist()))), sitting, size) for row in rows]
        rgb.append(np.stack([(view.rgb * 255).round().astype(np.uint8) for view in views]))
        states.append(rows)
        landmarks.append(views[0].landmarks)
    return Sittings(
        np.stack(rgb), np.stack(states), np.stack(landmarks).astype(np.float32), np.full(takes, seed, np.int64)
    )


def render_sittings(
    seeds: Sequence[int],
    takes: int,
    size: int,
    plain: bool = False,
    progress: Callable[[float], None] = lambda _: None,
    workers: int | None = None,
) -> Sittings:
    """Sittings of synthetic people; a function of the seeds alone.

    Args:
        seeds: identity seeds.
        takes: sittings of each.
        size: edge in pixels.
        plain: every base state is without attributes, as gates need it; otherwise some have a few.
        progress: called with the share done.
        workers: processes; all cores by default.
    """
    jobs = [(seed, takes, size, plain) for seed in seeds]
    parts: list[Sittings] = []
    # Spawned, so that no thread pool of the parent is inherited half-way through its work.
    with multiprocessing.get_context("spawn").Pool(workers or os.cpu_count()) as pool:
        for part in pool.imap(_render, jobs, chunksize=2):
            parts.append(part)
            progress(len(parts) / len(jobs))
    return Sittings(
        np.concatenate([part.rgb for part in parts]),
        np.concatenate([part.states for part in parts]),
        np.concatenate([part.landmarks for part in parts]),
        np.concatenate([part.identity for part in parts]),
    )
