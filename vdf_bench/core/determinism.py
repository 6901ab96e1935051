"""Where a GPU computes: the settings of torch under which the same step gives the same bytes, as far as torch can.

Every step that runs on a device passes through :func:`deterministic` (:mod:`vdf_bench.execute.worker`). What is then
guaranteed, what is not and what it costs: ``docs/gpu.md``; ``vdf-bench bench device`` measures it.
"""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: cuBLAS keeps to one algorithm with a workspace of this shape (its documentation, "Results reproducibility").
WORKSPACE: Final = ":4096:8"
#: What torch says of an operation that has no deterministic kernel, behind its name.
UNSETTLED: Final = "does not have a deterministic implementation"


@contextmanager
def deterministic(enabled: bool = True) -> Iterator[None]:
    """Inside, torch takes deterministic algorithms where it has them, tunes nothing, and leaves TF32 alone.

    Operations of which torch has no deterministic kernel still run. Its warnings of them are left out, for they come
    with every step: the command above lists them.

    Args:
        enabled: else nothing is changed.
    """
    if not enabled:
        yield
        return
    import torch

    # Read when cuBLAS is first used by a process.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", WORKSPACE)
    strict, lenient = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    products = torch.get_float32_matmul_precision()
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.set_float32_matmul_precision("highest")
    try:
        with (
            torch.backends.cudnn.flags(
                enabled=torch.backends.cudnn.enabled, benchmark=False, deterministic=True, allow_tf32=False
            ),
            warnings.catch_warnings(),
        ):
            warnings.filterwarnings("ignore", message=f".*{UNSETTLED}")
            yield
    finally:
        torch.use_deterministic_algorithms(strict, warn_only=lenient)
        torch.set_float32_matmul_precision(products)
