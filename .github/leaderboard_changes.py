"""What a request to the leaderboard may change: it adds submissions under ``leaderboard/incoming/``, and no more.

Usage: ``leaderboard_changes.py CHANGES OUT``. ``CHANGES`` is the output of ``git diff --no-renames --name-status -z``.
Writes the names of the submissions to check, a line each; exits with 1 where a request changes, removes or adds
records, which maintainers alone do, or changes files of a submission that is there.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

_INCOMING = re.compile(r"leaderboard/incoming/([a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?)/[ -~]+")
_GUARDED = ("leaderboard/incoming/", "leaderboard/submissions/")


def entries(changes: bytes) -> tuple[list[str], list[str]]:
    """Names of submissions, and what else was touched.

    Args:
        changes: status and path in turn, each ended by a zero byte.
    """
    fields = changes.decode("utf-8", "backslashreplace").split("\0")[:-1]
    found, odd = [], []
    for status, path in zip(fields[::2], fields[1::2], strict=True):
        known = _INCOMING.fullmatch(path)
        if known and status == "A":
            found.append(known[1])
        elif path.startswith(_GUARDED):
            odd.append(f"{status} {path!a}")
    return sorted(set(found)), odd


def main() -> int:
    """Read, judge, write."""
    found, odd = entries(Path(sys.argv[1]).read_bytes())
    for change in odd:
        sys.stdout.write(f"not a new file of a submission: {change}\n")
    Path(sys.argv[2]).write_text("".join(f"{name}\n" for name in found), encoding="ascii")
    return 1 if odd else 0


if __name__ == "__main__":
    sys.exit(main())
