"""Where a user's own things lie: one place for all of them, as the platform has it (XDG on Linux).

============ ============================ ====================================
what         variable that overrides it   default on Linux
============ ============================ ====================================
weights      ``VDF_BENCH_WEIGHTS``        ``~/.cache/vdf-bench/weights``
checkouts    ``VDF_BENCH_EXTERNAL``       ``~/.config/vdf-bench/external.toml``
scratch data                              ``~/.cache/vdf-bench``
============ ============================ ====================================
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import platformdirs

#: Folder of the user's own weights.
WEIGHTS_VARIABLE: Final = "VDF_BENCH_WEIGHTS"
#: File that says where checkouts of official systems are.
CHECKOUTS_VARIABLE: Final = "VDF_BENCH_EXTERNAL"
_NAME: Final = "vdf-bench"


def cache_folder() -> Path:
    """Folder for what can be made again."""
    return platformdirs.user_cache_path(_NAME, appauthor=False)


def user_folder() -> Path:
    """Folder in which user-supplied weights are looked for."""
    chosen = os.environ.get(WEIGHTS_VARIABLE)
    return Path(chosen) if chosen else cache_folder() / "weights"


def checkouts_file() -> Path:
    """The TOML file that names checkouts of official systems, whether it exists or not."""
    named = os.environ.get(CHECKOUTS_VARIABLE)
    return (
        Path(named).expanduser() if named else platformdirs.user_config_path(_NAME, appauthor=False) / "external.toml"
    )
