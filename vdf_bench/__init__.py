"""Can a protected portrait video still be cloned? A benchmark of proactive defenses against 3D-field talking heads.

``run`` attacks defenses and returns the results, ``sweep`` does so over budgets, ``protect`` protects one video or
array, ``load`` reads a run folder, ``list_components`` names what there is. The command line does the same.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vdf_bench.api import Results, list_components, load, protect, run, sweep
    from vdf_bench.core.errors import UserError

__all__ = ["Results", "UserError", "__version__", "list_components", "load", "protect", "run", "sweep"]


def __getattr__(name: str) -> Any:
    """Import what is asked for; nothing before."""
    from importlib import import_module
    from importlib.metadata import version

    if name == "__version__":
        return version("vdf-bench")
    if name not in __all__:
        raise AttributeError(f"module 'vdf_bench' has no attribute {name!r}")
    return getattr(import_module("vdf_bench.core.errors" if name == "UserError" else "vdf_bench.api"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
