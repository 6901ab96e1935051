"""Camera and channel: the image-level variety of real portraits."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from vdf_bench.scenes.background import cloud
from vdf_bench.scenes.render import Light

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sample_light(rng: np.random.Generator) -> Light:
    """Studio, window, office and hard light, warm to cold."""
    warm = rng.normal(0, 0.10)
    key = rng.uniform(0.45, 1.1)
    contrast = rng.uniform(0.15, 0.8)

    def tint(strength: float, temperature: float) -> tuple[float, float, float]:
        return strength * (1 + temperature), strength, strength * (1 - temperature)

    ambient = rng.uniform(0.16, 0.48) * (1.2 - 0.4 * key)
    side = float(rng.choice([-1, 1]))
    return Light(
        key=(side * rng.uniform(0.0, 1.1), rng.uniform(-0.05, 1.0), rng.uniform(0.4, 1.0)),
        key_colour=tint(key, warm),
        fill=(-side * rng.uniform(0.3, 1.0), rng.uniform(-0.2, 0.6), rng.uniform(0.3, 1.0)),
        fill_colour=tint(key * (1 - contrast) * 0.6, -0.7 * warm + rng.normal(0, 0.04)),
        sky=tint(ambient, rng.normal(-0.02, 0.06)),
        ground=tint(ambient * rng.uniform(0.35, 0.9), rng.normal(0.04, 0.06)),
    )


def degrade(rgb: NDArray[np.float32], rng: np.random.Generator, strength: float = 1.0) -> NDArray[np.float32]:
    """White balance, exposure, tone, vignette, blur, sensor noise, low resolution and JPEG: (S, S, 3) in [0, 1].

    Args:
        rgb: (S, S, 3) float32 display values.
        rng: source of randomness.
        strength: 0 returns the picture unchanged, 1 is training's domain randomisation.
    """
    if strength <= 0:
        return rgb
    size = rgb.shape[0]
    image = rgb * (1 + strength * rng.normal(0, 0.05, 3)) * (1 + strength * rng.normal(0, 0.10))
    mean = image.mean()
    image = mean + (image - mean) * (1 + strength * rng.normal(0, 0.12))
    grey = image.mean(2, keepdims=True)
    image = grey + (image - grey) * max(0.0, 1 + strength * rng.normal(0, 0.18))
    if rng.random() < 0.03 * strength:
        image = np.repeat(grey, 3, 2)
    image = np.clip(image, 0, 1) ** np.exp(strength * rng.normal(0, 0.14))
    if rng.random() < 0.4:
        v, u = np.meshgrid(*[np.linspace(-1, 1, size)] * 2, indexing="ij")
        image = image * (1 - strength * rng.uniform(0, 0.35) * (u**2 + v**2)[..., None] / 2)
    if rng.random() < 0.3:
        # Uneven light across the scene.
        image = image * (1 + strength * 0.5 * (cloud(size, 2, rng)[..., None] - 0.5))
    blur = strength * rng.choice([0.0, 0.35, 0.6, 0.9, 1.4], p=[0.25, 0.25, 0.25, 0.15, 0.1]) * size / 128
    if blur > 0:
        image = gaussian_filter(image, (blur, blur, 0), mode="nearest")
    if rng.random() < 0.2 * strength:
        scale = rng.uniform(0.35, 0.8)
        small = zoom(image, (scale, scale, 1), order=1)
        image = zoom(small, (size / small.shape[0], size / small.shape[1], 1), order=1)[:size, :size]
    grain = strength * abs(rng.normal(0, 0.018))
    noise = rng.normal(0, 1, image.shape)
    if rng.random() < 0.5:
        noise = gaussian_filter(noise, (0.6, 0.6, 0)) * 1.8
    image = image + grain * noise
    byte = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.5 * strength:
        buffer = io.BytesIO()
        Image.fromarray(byte).save(buffer, "JPEG", quality=int(rng.integers(35, 95)))
        byte = np.asarray(Image.open(buffer))
    return (byte / np.float32(255)).astype(np.float32)
