"""What steps made, under keys of everything that made it: in a folder or at any fsspec URL.

``place`` is where it is kept, ``store`` how, ``leases`` how several runs share one, ``settings`` what the environment
says.
"""

from vdf_bench.store.store import Store

__all__ = ["Store"]
