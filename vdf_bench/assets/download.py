"""One file over https: with a cap on its size, resumed where it stopped, never from another scheme."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from vdf_bench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHUNK: Final = 2**18
#: Seconds without a byte after which a download is given up; what came is kept.
PATIENCE: Final = 30.0
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


def download(
    url: str,
    place: Path,
    limit: int,
    progress: Callable[[int, int], None] | None,
    remedy: str,
    *,
    loopback: bool = False,
) -> None:
    """Bring ``url`` to the file ``place``; what is there already is taken for its beginning.

    Args:
        url: https.
        place: grows as bytes arrive, and is kept when the connection breaks.
        limit: bytes that the file may have at most.
        progress: called with bytes done and bytes in all (0 where the server does not say).
        remedy: what the user can do instead, for messages.
        loopback: allows plain http to this machine.

    Raises:
        UserError: no network, an error of the server, another scheme, or more bytes than ``limit``.
    """
    have = place.stat().st_size if place.is_file() else 0
    try:
        with _open(url, have, loopback) as answer:
            start, total = _where(answer, have)
            if total > limit:
                raise UserError(f"{url} has {total} bytes, expected at most {limit}: {remedy}")
            with place.open("ab" if start else "wb") as file:
                done = start
                while chunk := answer.read(CHUNK):
                    done += len(chunk)
                    if done > limit:
                        file.truncate(0)
                        raise UserError(f"{url} has more than the expected {limit} bytes: {remedy}")
                    file.write(chunk)
                    if progress is not None:
                        progress(done, total)
        if done < total:
            raise UserError(
                f"connection to {url} was lost at {done} of {total} bytes: run the same command again to resume"
            )
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # what is there is no beginning of it: once more, from nothing
            place.unlink()
            return download(url, place, limit, progress, remedy, loopback=loopback)
        raise UserError(f"{url} returned HTTP {error.code} {error.reason}: {remedy}") from None
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        raise UserError(f"cannot reach {urlsplit(url).hostname} ({reason}): {remedy}") from None


def _open(url: str, have: int, loopback: bool) -> Any:
    opener = urllib.request.build_opener(_OnlySafe(loopback))
    _check(url, loopback)
    headers = {"User-Agent": "vdf-bench", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    return opener.open(urllib.request.Request(url, headers=headers), timeout=PATIENCE)  # noqa: S310 (checked above)


class _OnlySafe(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https alone."""

    def __init__(self, loopback: bool) -> None:
        self._loopback = loopback

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _check(newurl, self._loopback)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check(url: str, loopback: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (loopback and parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise UserError(f"{url} is not an https URL: only https downloads are allowed")


def _where(answer: Any, have: int) -> tuple[int, int]:
    """From which byte the server sends, and how many the file has; 0 where it does not say."""
    if answer.status == 206:
        match = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if match and int(match[1]) == have:
            return have, 0 if match[2] == "*" else int(match[2])
        raise UserError(f"{answer.url} resumed at the wrong byte: delete the .part file and fetch again")
    length = answer.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else 0
