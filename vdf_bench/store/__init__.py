"""What steps made, under keys of everything that made it: in a folder or at any fsspec URL.

``place`` is where it is kept, ``store`` how, ``leases`` how several runs share one, ``settings`` what the environment
says.
"""

from vdf_bench.core.artifact import Artifact, canonical, digest
from vdf_bench.core.errors import StoreError
from vdf_bench.core.files import check_file, check_room, write_atomically
from vdf_bench.store.store import Store

__all__ = ["Artifact", "Store", "StoreError", "canonical", "check_file", "check_room", "digest", "write_atomically"]
