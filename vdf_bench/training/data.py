"""Renders the training and gate views of many identities on all cores."""

from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING

import numpy as np

from vdf_bench.training.augment import Views

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


def _render(job: tuple[int, int, int, float]) -> Views:
    from vdf_bench.scenes.training import sample_views

    identity, count, size, strength = job
    views = list(sample_views(identity, [identity], count, size, per_identity=count, strength=strength))
    return Views(
        np.stack([(view.rgb * 255).round().astype(np.uint8) for view in views]),
        np.stack([view.labels for view in views]),
        np.stack([view.landmarks for view in views]).astype(np.float32),
        np.full(count, identity, np.int64),
    )


def render_views(
    identities: Sequence[int],
    per_identity: int,
    size: int,
    strength: float = 0.0,
    progress: Callable[[float], None] = lambda _: None,
    workers: int | None = None,
) -> Views:
    """Domain-randomised views of synthetic people; a function of the identities' seeds alone.

    Args:
        identities: identity seeds.
        per_identity: views of each.
        size: edge in pixels, even.
        strength: of the camera's degradations, 0 to 1; training adds its own.
        progress: called with the share done.
        workers: processes; all cores by default.
    """
    jobs = [(identity, per_identity, size, strength) for identity in identities]
    parts: list[Views] = []
    # Spawned, so that no thread pool of the parent is inherited half-way through its work.
    with multiprocessing.get_context("spawn").Pool(workers or os.cpu_count()) as pool:
        for part in pool.imap(_render, jobs, chunksize=2):
            parts.append(part)
            progress(len(parts) / len(jobs))
    return Views(
        np.concatenate([part.rgb for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.landmarks for part in parts]),
        np.concatenate([part.identity for part in parts]),
    )


def textures(seed: int, count: int = 400, size: int = 128) -> NDArray[np.uint8]:
    """Rooms, foliage and photographs for backgrounds and cloth: (count, size, size, 3) uint8."""
    from vdf_bench.scenes.background import sample_background

    rng = np.random.default_rng([seed, 41])
    return np.stack([(sample_background(rng, size) * 255).round().astype(np.uint8) for _ in range(count)])
