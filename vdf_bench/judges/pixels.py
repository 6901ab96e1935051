"""Picture metrics as pure functions. All take uint8 RGB in 0..255."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]
    Map = NDArray[np.float32]

#: PSNR of identical pictures, dB.
PSNR_CAP: Final = 100.0
SIGMA: Final = 1.5
#: Half of the 11 px window: scipy cuts the Gaussian at 3.5 σ.
RADIUS: Final = 5
C1: Final = (0.01 * 255) ** 2
C2: Final = (0.03 * 255) ** 2
#: Wang et al. 2003, table of exponents, finest scale first.
MS_WEIGHTS: Final = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def psnr(picture: Image, reference: Image, mask: NDArray[np.bool_] | None = None) -> float:
    """Peak signal-to-noise ratio in dB of (H, W, 3) pictures, inside ``mask`` (H, W) where given, at most 100.

    An empty mask has nothing to differ: 100 dB.
    """
    difference = picture.astype(np.float32) - reference
    if mask is not None:
        difference = difference[mask]
    mse = float(np.square(difference).mean(dtype=np.float64)) if difference.size else 0.0
    return min(PSNR_CAP, 10 * float(np.log10(255**2 / mse))) if mse > 0 else PSNR_CAP


def ssim_maps(picture: NDArray[np.generic], reference: NDArray[np.generic]) -> tuple[Map, Map]:
    """SSIM and its contrast-structure factor at every pixel (Wang et al. 2004, population covariance).

    Args:
        picture: (H, W, 3), 0..255.
        reference: the same.

    Returns:
        Two (H, W, 3) float32 maps; the window is reflected at the border.
    """
    from scipy.ndimage import gaussian_filter

    def blur(x: Map) -> Map:
        smooth: Map = gaussian_filter(x, SIGMA, radius=RADIUS, axes=(0, 1))
        return smooth

    # Shifting by mid-grey leaves (co)variances alone and saves float32 digits.
    x, y = (np.asarray(image, np.float32) - 127.5 for image in (picture, reference))
    mean_x, mean_y = blur(x), blur(y)
    variance = blur(x * x + y * y) - mean_x**2 - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    mean_x, mean_y = mean_x + 127.5, mean_y + 127.5
    contrast = (2 * covariance + C2) / (np.maximum(variance, 0) + C2)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return luminance * contrast, contrast


def inner_mean(values: Map) -> Map:
    """Mean (3,) over the pixels whose window lies inside the picture; over all of a picture under 11 px."""
    if min(values.shape[:2]) > 2 * RADIUS:
        values = values[RADIUS:-RADIUS, RADIUS:-RADIUS]
    mean: Map = values.mean((0, 1), dtype=np.float64)
    return mean


def ssim(picture: Image, reference: Image) -> float:
    """Structural similarity of (H, W, 3) pictures."""
    return float(inner_mean(ssim_maps(picture, reference)[0]).mean())


def masked_ssim(picture: Image, reference: Image, mask: NDArray[np.bool_]) -> float:
    """SSIM map averaged over ``mask`` (H, W); 1 where the mask is empty."""
    if not mask.any():
        return 1.0
    return float(ssim_maps(picture, reference)[0][mask].mean(dtype=np.float64))


def scales_of(height: int, width: int) -> int:
    """Number of dyadic scales, at most 5, of which the coarsest still holds an 11 px window; at least 1."""
    side, count = min(height, width), 1
    while count < len(MS_WEIGHTS) and side // 2 > 2 * RADIUS:
        side, count = side // 2, count + 1
    return count


def ssim_and_ms_ssim(picture: Image, reference: Image) -> tuple[float, float]:
    """SSIM and multi-scale SSIM (Wang et al. 2003) of (H, W, 3) pictures, sharing the finest scale.

    Small pictures have fewer scales (:func:`scales_of`); the exponents of those present are scaled to sum to 1, so
    that values of different sizes are comparable in range but not equal in meaning. Negative factors count 0.
    """
    count = scales_of(*picture.shape[:2])
    weights = np.array(MS_WEIGHTS[:count]) / sum(MS_WEIGHTS[:count])
    x, y = np.asarray(picture, np.float32), np.asarray(reference, np.float32)
    product, finest = np.ones(3), 1.0
    for scale, weight in enumerate(weights):
        full, contrast = ssim_maps(x, y)
        if scale == 0:
            finest = float(inner_mean(full).mean())
        factor = inner_mean(full if scale == count - 1 else contrast)
        product *= np.maximum(factor, 0) ** weight
        x, y = halve(x), halve(y)
    return finest, float(product.mean())


def halve(x: Map) -> Map:
    """Mean of 2 x 2 pixels; an odd last row or column is dropped, a picture of one pixel stays."""
    height, width = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
    if not (height and width):
        return x
    mean: Map = x[:height, :width].reshape(height // 2, 2, width // 2, 2, 3).mean((1, 3))
    return mean
