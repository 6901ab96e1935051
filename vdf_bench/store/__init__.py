"""What steps made, under keys of everything that made it: in a folder or at any fsspec URL.

``artifact`` is what is kept, ``place`` where, ``store`` how, ``leases`` how several runs share one, ``settings`` what
the environment says.
"""

from vdf_bench.store.artifact import Artifact, canonical, digest
from vdf_bench.store.files import StoreError, check_file, check_room, write_atomically
from vdf_bench.store.store import Store

__all__ = [
    "Artifact",
    "Store",
    "StoreError",
    "canonical",
    "check_file",
    "check_room",
    "digest",
    "write_atomically",
]
