"""What a device can do at best, measured, and what the project's kernels make of it (Williams et al. 2009, roofline).

Floating-point operations are those of matrix products and convolutions, as torch counts them, or of a formula where a
kernel brings one; what is left out (sampling, sums, exponentials) takes time all the same, so that the achieved rate
is a lower bound. Bytes are a lower bound too: what goes in, what comes out and what is kept, each moved once, as if
all between lay in caches. So intensity is an upper bound, and the roof over a kernel generous.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.utils.flop_counter import FlopCounterMode

from vdf_bench.core.determinism import deterministic

if TYPE_CHECKING:
    from collections.abc import Callable

    from vdf_bench.bench.clock import Clock
    from vdf_bench.core.kernel import Kernel

#: Of every measurement of a peak; the best counts.
TRIES: Final = 5
#: What measures the peaks, by kind of device: edge of matrices, channels and edge of pictures, elements of vectors.
EDGE: Final = {"cpu": 2048, "cuda": 8192}
PICTURE: Final = {"cpu": (256, 64), "cuda": (512, 256)}
ELEMENTS: Final = {"cpu": 2**25, "cuda": 2**27}
#: From this compute capability on NVIDIA's devices round the factors of float32 products to TF32, if allowed to.
TF32_SINCE: Final = (8, 0)


@dataclass(frozen=True)
class Peaks:
    """What a device attains.

    Attributes:
        product: FLOP/s of a large matrix product, by precision.
        convolution: FLOP/s of a large 3 x 3 convolution, which other libraries compute.
        bandwidth: bytes/s of a large copy or triad, whichever is faster.
    """

    product: dict[str, float]
    convolution: dict[str, float]
    bandwidth: float

    @property
    def flops(self) -> dict[str, float]:
        """FLOP/s by precision: the faster of both."""
        return {precision: max(rate, self.convolution[precision]) for precision, rate in self.product.items()}

    def roof(self, precision: str, intensity: float) -> float:
        """FLOP/s that a kernel of ``intensity`` FLOPs a byte can reach."""
        return min(self.flops[precision], intensity * self.bandwidth)


@dataclass(frozen=True)
class Point:
    """A kernel under the roof.

    Attributes:
        name, precision: of the kernel.
        flops, bytes, seconds: of one run; the median of ``n``.
        roof: FLOP/s that its intensity allows.
    """

    name: str
    precision: str
    flops: float
    bytes: float
    seconds: float
    roof: float
    n: int

    @property
    def intensity(self) -> float:
        """FLOPs a byte."""
        return self.flops / self.bytes

    @property
    def achieved(self) -> float:
        """FLOP/s."""
        return self.flops / self.seconds

    @property
    def share(self) -> float:
        """Of the roof."""
        return self.achieved / self.roof


def measure_peaks(
    clock: Clock, edge: int | None = None, picture: tuple[int, int] | None = None, elements: int | None = None
) -> Peaks:
    """Products of matrices, convolutions and sums of vectors, large enough to fill the device.

    Args:
        clock: of the device.
        edge: of the matrices; None takes :data:`EDGE`.
        picture: channels and edge of what is convolved; None takes :data:`PICTURE`.
        elements: of the vectors; None takes :data:`ELEMENTS`.
    """
    kind, device = clock.device.type, clock.device
    edge, (channels, size), elements = edge or EDGE[kind], picture or PICTURE[kind], elements or ELEMENTS[kind]

    @torch.no_grad()
    def measure(precision: str, dtype: torch.dtype) -> None:
        one, other = (torch.rand(edge, edge, device=device).to(dtype) for _ in range(2))
        out = torch.empty_like(one)
        seconds = min(clock.repeat(lambda: torch.mm(one, other, out=out), TRIES))
        product[precision] = 2.0 * edge**3 / seconds
        seen, kernels = (
            torch.rand(shape, device=device).to(dtype).contiguous(memory_format=torch.channels_last)
            for shape in ((1, channels, size, size), (channels, channels, 3, 3))
        )
        seconds = min(clock.repeat(lambda: torch.conv2d(seen, kernels, padding=1), TRIES))
        convolution[precision] = 2.0 * 9 * channels**2 * size**2 / seconds

    product: dict[str, float] = {}
    convolution: dict[str, float] = {}
    with deterministic():  # without TF32
        measure("float32", torch.float32)
        measure("bfloat16", torch.bfloat16)
    if kind == "cuda" and torch.cuda.get_device_capability(device) >= TF32_SINCE:
        allowed = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("high")
        try:
            with torch.backends.cudnn.flags(enabled=True, allow_tf32=True):
                measure("tf32", torch.float32)
        finally:
            torch.set_float32_matmul_precision(allowed)
    one, other, out = (torch.rand(elements, device=device) for _ in range(3))
    copied = 2 * one.nbytes / min(clock.repeat(lambda: out.copy_(one), TRIES))
    summed = 3 * one.nbytes / min(clock.repeat(lambda: torch.add(one, other, alpha=2.0, out=out), TRIES))
    return Peaks(product, convolution, max(copied, summed))


def count_flops(run: Callable[[], object], runs: int = 1) -> float:
    """FLOPs of the matrix products and convolutions of one call, mean over ``runs``; a multiply and add are two."""
    counter: Any = FlopCounterMode(display=False)
    with counter:
        for _ in range(runs):
            run()
    return float(counter.get_total_flops()) / runs


def measure_kernel(kernel: Kernel, peaks: Peaks, clock: Clock, n: int, warm: int = 1, counted: int = 1) -> Point:
    """Time ``n`` runs after ``warm``, and count the operations of ``counted`` more."""
    seconds = median(clock.repeat(kernel.run, n, warm))
    flops = count_flops(kernel.run, counted) if kernel.flops is None else kernel.flops
    roof = peaks.roof(kernel.precision, flops / kernel.bytes)
    return Point(kernel.name, kernel.precision, flops, kernel.bytes, seconds, roof, n)
